"""Small changes to a prompt that should not change its answer: spaces, blank lines, order of examples, labels, case.

Each is one rule, the same prompt changed the same way every time. A rule that changes nothing of a prompt says so by
None. Which labels mean the same is a short list of what people write; whether a change was harmless is for the table
to measure. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import regex

from core.counterfactuals.few_shot import shots
from core.errors import AppError

_LABEL = regex.compile(
    r"^(?P<before>[ \t]*[-*#]{0,3}[ \t]*)(?P<word>\p{L}[\p{L} ]{0,30}?)(?P<after>[ \t]*:)", regex.MULTILINE
)
_BLANK = regex.compile(r"\n[ \t]*\n+")
_SAME = (
    ("q", "question"),
    ("a", "answer"),
    ("input", "text"),
    ("output", "result"),
    ("context", "background"),
    ("task", "instruction"),
    ("example", "case"),
    ("review", "comment"),
    ("sentiment", "mood"),
    ("recommendation", "advice"),
    ("analysis", "assessment"),
    ("dish", "meal"),
    ("likes", "enjoys"),
    ("avoids", "dislikes"),
    ("summary", "abstract"),
    ("title", "headline"),
)
_SYNONYM = {one: other for pair in _SAME for one, other in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True)
class HarmlessChange:
    """One rule: `apply` gives the changed prompt, or the same where it finds nothing to change."""

    name: str
    label: str
    description: str
    apply: Callable[[str], str]


def _spaces(prompt: str) -> str:
    """A second space after each sentence within a line; where there is none, one after the first word of each line."""
    more = regex.sub(r"(?<=[.!?]) (?=\S)", "  ", prompt)
    return str(more if more != prompt else regex.sub(r"(?m)^(\S+) (?=\S)", r"\1  ", prompt))


def _blank_lines(prompt: str) -> str:
    """Another blank line between paragraphs; without paragraphs, one before the last line."""
    if _BLANK.search(prompt.rstrip()):
        return str(_BLANK.sub(lambda found: found[0] + "\n", prompt))
    head, line, last = prompt.rpartition("\n")
    return f"{head}\n\n{last}" if line and head.strip() else prompt


def _no_blank_lines(prompt: str) -> str:
    return str(_BLANK.sub("\n", prompt))


def _other_order(prompt: str) -> str:
    """The few-shot examples from the last to the first."""
    found = shots(prompt)
    if len(found) < 2:
        return prompt
    texts = [prompt[shot.start : shot.stop] for shot in found]
    out, at = "", 0
    for shot, text in zip(found, reversed(texts)):
        out += prompt[at : shot.start] + text
        at = shot.stop
    return out + prompt[at:]


def _labels(prompt: str) -> str:
    """Labels before a colon by a word that means the same, written alike (Q: becomes Question:)."""

    def put(found: regex.Match[str]) -> str:
        other = _SYNONYM.get(found["word"].casefold())
        if other is None:
            return str(found[0])
        word = found["word"]
        if len(word) > 1 and word.isupper():
            other = other.upper()
        elif word[0].isupper():
            other = other.capitalize()
        return f"{found['before']}{other}{found['after']}"

    return str(_LABEL.sub(put, prompt))


def _label_case(prompt: str) -> str:
    """Labels before a colon in capitals; those that are, in small letters."""

    def put(found: regex.Match[str]) -> str:
        word = found["word"]
        turned = word.capitalize() if word.isupper() and len(word) > 1 else word.upper()
        return f"{found['before']}{turned}{found['after']}"

    made = str(_LABEL.sub(put, prompt))
    return made if made != prompt else prompt[:1].swapcase() + prompt[1:]


HARMLESS: tuple[HarmlessChange, ...] = (
    HarmlessChange("spaces", "more spaces", "A second space after each sentence.", _spaces),
    HarmlessChange(
        "blank lines", "more blank lines", "One more blank line between paragraphs.", _blank_lines
    ),
    HarmlessChange(
        "no blank lines", "no blank lines", "Paragraphs without blank lines between.", _no_blank_lines
    ),
    HarmlessChange(
        "order", "examples in another order", "The few-shot examples from last to first.", _other_order
    ),
    HarmlessChange("labels", "other labels", "Labels by a word that means the same (Q: Question:).", _labels),
    HarmlessChange("case", "case of labels", "Labels before a colon in capitals.", _label_case),
)


def changed(prompt: str, name: str) -> str | None:
    """`prompt` after the change called `name` ("" changes nothing); None where the rule finds nothing to change.

    Raises: AppError that lists what there is.
    """
    if not name:
        return prompt
    rule = next((one for one in HARMLESS if one.name == name), None)
    if rule is None:
        raise AppError(
            f"There is no small change “{name}”. There are: {', '.join(one.name for one in HARMLESS)}."
        )
    made = rule.apply(prompt)
    return made if made != prompt else None
