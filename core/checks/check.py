"""What a check is: a question about one answer that is answered right, wrong or unsure, with a reason.

A check is declared once, with its fields; a *condition* is a check as a person set it up, turned round where the
answer must not be so. A check sees the prompt, the answer without its thinking, the targets and, for a judge, the
judge's words; it knows no model, no store and no page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.family import Field
from core.records import Option

Outcome = Literal["right", "wrong", "unsure"]
OUTCOMES: tuple[Outcome, ...] = ("right", "wrong", "unsure")
Options = Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check may look at. `judgement` is what a judge wrote about the answer, None where it was not asked."""

    prompt: str
    answer: str
    targets: tuple[str, ...] = ()
    judgement: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The outcome and why, in a few words that stand after "right: "."""

    outcome: Outcome
    why: str

    @classmethod
    def of(cls, holds: bool, why: str) -> Ruling:
        return cls("right" if holds else "wrong", why)


@dataclass(frozen=True)
class Check:
    """A check, declared: forms and columns are drawn from these fields."""

    name: str
    label: str
    description: str
    find: Callable[[Evidence, Options], Ruling]
    fields: tuple[Field, ...] = ()
    validate: Callable[[Options], None] = lambda _options: None
    """Raises AppError for options that can fit no answer: a broken expression, no schema."""
    in_words: Callable[[Options], str] = lambda _options: ""
    """The options in a few words, which stand after the label."""
    asks_model: bool = False
    """A model's words are needed first (`core.checks.judge`)."""
    local_only: bool = False
    """Not for strangers: it runs code of this machine."""


NO_TARGET = Ruling("unsure", "there is no target to compare with")


def shortened(text: str, most: int = 60) -> str:
    """`text` in one line, for a reason or a label."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def wanted(options: Options, evidence: Evidence, field: str = "text") -> tuple[str, ...]:
    """What is looked for: the text of the field, or every target where it is empty."""
    text = str(options.get(field) or "")
    return (text,) if text.strip() else tuple(one for one in evidence.targets if one.strip())
