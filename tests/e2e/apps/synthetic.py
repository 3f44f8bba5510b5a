"""Made-up texts and matrices for the tests of the token view: no model, every number from a seed."""

from __future__ import annotations

import re

import numpy as np

from core.records import ModelSpec, Role, SalienceMatrix, SalienceRequest, Segment

PROMPT = """You advise guests on dishes.

## Worked examples

Likes: anything with lemon
Avoids: peanuts
Dish: Satay noodles
Thinking: the sauce is ground peanuts, and this guest avoids them.
Verdict: Order this one.

Likes: warm bread
Avoids: chilli
Dish: Buttered rye toast
Thinking: toast and butter hold no chilli at all.
Verdict: Order this one.

## Now the next guest

Likes: cheese
Avoids: eggs
Dish: Spinach quiche
Thinking:"""
ANSWER = (
    " a quiche is a tart of cheese and greens.\n"
    "It is set with eggs, and this guest avoids them.\n"
    "Verdict: Order this one."
)
THINKING = "<think>The guest avoids eggs.\nA quiche has eggs, so no.</think>\n\n"
WORLD = (
    "שלום עולם, זו בדיקה.\nCafe\u0301 🙂 한국어 문장입니다. 中文句子。\n"
    "<script>document.title='hacked'</script> & <b>bold</b>\n"
)


def pieces(text: str, unit: str) -> list[str]:
    """`text` cut into lines or words, separators at the end of the piece before."""
    return re.findall(r"[^\n]*\n+|[^\n]+" if unit == "line" else r"\S+\s*|\s+", text)


def segments(text: str, unit: str, role: Role, chars: int = 0, tokens: int = 0) -> tuple[Segment, ...]:
    """Segments with one token a word, starting at the given character and token."""
    out = []
    for piece in pieces(text, unit):
        count = len(pieces(piece, "word"))
        out.append(Segment(len(out), piece, (chars, chars + len(piece)), (tokens, tokens + count), role))
        chars, tokens = chars + len(piece), tokens + count
    return tuple(out)


def matrix(
    prompt: tuple[Segment, ...],
    response: tuple[Segment, ...],
    *,
    norm: bool = True,
    seed: int = 0,
    culprit: int | None = None,
) -> SalienceMatrix:
    """Random gradients of one row a response token; the prompt segment `culprit` weighs ten times more."""
    first, last = prompt[-1].tokens[1], response[-1].tokens[1]
    generator = np.random.default_rng(seed)
    rows = last - first
    gradients = generator.normal(size=(last, rows, 4)).astype(np.float32)
    gradients[first:] = 0
    if culprit is not None:
        gradients[slice(*prompt[culprit].tokens)] *= 10
    spans = tuple((t, t + 1) for t in range(first, last))
    request = SalienceRequest(
        ModelSpec("made up", "nowhere"), tuple(range(last)), first, "grad_l2" if norm else "dot", spans
    )
    if norm:
        gram = np.einsum("tnd,tmd->tnm", gradients, gradients)
        return SalienceMatrix(request, np.sqrt(np.einsum("tnn->nt", gram)), gram, False, "nats per unit")
    return SalienceMatrix(request, gradients.sum(axis=2).T, None, True, "nats")
