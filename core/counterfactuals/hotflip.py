"""HotFlip for causal language models: which single word, exchanged, changes the answer's probability most.

First-order estimate: putting token v where token i stands changes the loss of the answer by about (E[v] −
e_i) · ∂loss/∂e_i, with E and e outputs of the embedding module. The best estimates are then measured by a
forward pass each, on the changed *text* tokenised anew, and sorted by what was measured. Only whole words
are exchanged for whole words.
Source: Ebrahimi et al. 2018 (arXiv 1712.06751), section 2; Wallace et al. 2019 (arXiv 1908.07125), equation
2, for the swap over a whole vocabulary.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import regex
from numpy.typing import NDArray

from core.counterfactuals.generator import Choices, Context, Edit, Generator
from core.errors import AppError, Stopped
from core.family import Field
from core.models.language_model import GradientModel, LanguageModel
from core.records import Example, Tokens

if TYPE_CHECKING:
    import torch

_WORD = regex.compile(r" ?\p{L}\p{M}*(?:\p{L}|\p{M})+")
LEAST_NATS = 0.005
"""A swap that moves the answer by less is no finding."""
_CHUNK = 8192
_EACH_PLACE = 4
"""Candidates measured for one word of the prompt, so that one place does not take all tries."""


class WordModel(LanguageModel, GradientModel, Protocol):
    """A model whose embeddings and vocabulary can be read."""

    def vocabulary(self) -> tuple[str, ...]: ...

    def embed(self, ids: NDArray[np.int64]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Swap:
    """One exchange: which token of the prompt, by what, and the estimated change of the answer's log-
    probability.
    """

    position: int
    old: str
    new: str
    token: int
    estimate_nats: float


def places(tokens: Tokens) -> list[int]:
    """Prompt tokens that are a whole word, the space before it included."""
    text, spans = tokens.text, tokens.char_spans
    found = []
    for i in range(tokens.prompt_len):
        start, stop = int(spans[i, 0]), int(spans[i, 1])
        piece = text[start:stop]
        before = text[start - 1 : start]
        after = text[stop : stop + 1]
        alone = piece.startswith(" ") or not (before.isalnum() or before == "_")
        if (
            not tokens.special[i]
            and _WORD.fullmatch(piece)
            and alone
            and not (after.isalnum() or after in ("_", "'"))
        ):
            found.append(i)
    return found


def _shape(word: str) -> tuple[bool, bool]:
    """Whether it begins with a space, and with a capital."""
    return word.startswith(" "), word.strip()[:1].isupper()


def estimates(model: WordModel, tokens: Tokens, where: list[int], answer: tuple[int, int]) -> list[Swap]:
    """Whole-word swaps at the places, with the estimated change of log p(answer tokens), unsorted.

    Of each place only the strongest few in both directions are kept.
    """
    import torch

    positions = np.arange(*answer)
    with model.tape(tokens.ids, positions) as tape:
        (gradient,) = torch.autograd.grad(tape.outputs, tape.embeddings, tape.seeds)
        g = gradient[0].float()
        e = tape.embeddings.detach()[0].float()
    vocabulary = model.vocabulary()
    by_shape: dict[tuple[bool, bool], list[int]] = {}
    for token, word in enumerate(vocabulary):
        if _WORD.fullmatch(word):
            by_shape.setdefault(_shape(word), []).append(token)
    found: list[Swap] = []
    for shape, ids in by_shape.items():
        here = [i for i in where if _shape(tokens.text[slice(*tokens.char_spans[i])]) == shape]
        if here:
            scores = _scores(model, np.array(ids), g[here], (e[here] * g[here]).sum(-1))
            found += _strongest(tokens, here, ids, scores, vocabulary)
    return found


def _scores(
    model: WordModel, ids: NDArray[np.int64], g: torch.Tensor, own: torch.Tensor
) -> NDArray[np.float32]:
    """Estimated change of the answer's log-probability in nats, (places, candidates)."""
    parts = []
    for start in range(0, len(ids), _CHUNK):
        rows = model.embed(ids[start : start + _CHUNK]).float()  # (C, D)
        parts.append((own[:, None] - g @ rows.T).cpu().numpy())
    return cast(NDArray[np.float32], np.concatenate(parts, axis=1))


def _strongest(
    tokens: Tokens, here: list[int], ids: list[int], scores: NDArray[np.float32], vocabulary: tuple[str, ...]
) -> list[Swap]:
    found = []
    for row, position in enumerate(here):
        old = tokens.text[slice(*tokens.char_spans[position])]
        order = np.argsort(scores[row])
        for column in dict.fromkeys([*order[:_EACH_PLACE], *order[-_EACH_PLACE:]]):
            new = vocabulary[ids[column]]
            if new.casefold() != old.casefold():
                found.append(Swap(position, old, new, ids[column], float(scores[row, column])))
    return found


def measured(
    model: WordModel, example: Example, answer: str, tokens: Tokens, swap: Swap
) -> tuple[str, float] | None:
    """The changed prompt and log p(answer) after it in nats; None where it tokenises to something else."""
    start, stop = (int(c) for c in tokens.char_spans[swap.position])
    prompt = example.prompt[:start] + swap.new + example.prompt[stop:]
    new = model.tokenize(prompt, answer)
    expected = tokens.ids.copy()
    expected[swap.position] = swap.token
    if not np.array_equal(new.ids, expected):
        return None
    return prompt, float(model.logprobs(new).sum())


def _edits(example: Example, choices: Choices, _rng: random.Random, context: Context) -> Iterator[Edit]:
    model = cast(WordModel, context.model)
    answer = example.target if choices["answer"] == "target" else context.response
    if not answer:
        missing = "target" if choices["answer"] == "target" else "answer of the model"
        raise AppError(f"This example has no {missing}, so there is nothing whose probability could change.")
    if not hasattr(model, "vocabulary") or not hasattr(model, "embed"):
        raise AppError(f"{GENERATOR.label} cannot use {model.spec.name}: its embeddings cannot be read.")
    tokens = model.tokenize(example.prompt, answer)
    where = places(tokens)
    if not where:
        raise AppError("No word of this prompt is a single token of the model, so none can be exchanged.")
    less = choices["direction"] == "less"
    sign = 1.0 if less else -1.0
    swaps = estimates(model, tokens, where, (tokens.prompt_len, len(tokens)))
    swaps = [s for s in swaps if sign * s.estimate_nats < 0]
    swaps.sort(key=lambda s: (sign * s.estimate_nats, s.position, s.token))
    before = float(model.logprobs(tokens).sum())
    seen: list[tuple[float, Edit]] = []
    for swap in swaps[: int(choices["tries"] or 1)]:
        if context.stop is not None and context.stop.is_set():
            raise Stopped()
        if (found := measured(model, example, answer, tokens, swap)) is None:
            continue
        change = found[1] - before
        words = (
            f"“{swap.old.strip()}” → “{swap.new.strip()}”: answer {change:+.2f} nats "
            f"(estimate {swap.estimate_nats:+.2f})"
        )
        if sign * change < -LEAST_NATS:
            seen.append((sign * change, Edit(found[0], words)))
    yield from (edit for _change, edit in sorted(seen, key=lambda pair: pair[0]))


GENERATOR = Generator(
    name="hotflip",
    label="Word swaps by gradient",
    description="Exchanges the single words that change the answer's probability most: found by gradient, "
    "then measured.",
    edits=_edits,
    needs="gradients",
    fields=(
        Field(
            name="direction",
            label="Make the answer",
            kind="choice",
            default="less",
            choices=(("less", "Less likely"), ("more", "More likely")),
        ),
        Field(
            name="answer",
            label="Which answer",
            kind="choice",
            default="response",
            choices=(("response", "What the model wrote"), ("target", "The target")),
        ),
        Field(
            name="tries",
            label="Swaps to measure",
            kind="number",
            default=40,
            description="Each costs one forward pass.",
            minimum=1,
            maximum=500,
        ),
    ),
)
