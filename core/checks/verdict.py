"""Conditions, and the verdict that several of them make about an answer.

Wrong where one condition is wrong, else unsure where one is unsure, else right. A condition may be turned round
("must not contain"): right becomes wrong, unsure stays unsure. Conditions are kept as JSON beside a dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.checks.check import Check, Evidence, Outcome, Ruling
from core.checks.members import check
from core.errors import AppError
from core.family import resolve
from core.records import Option, digest

_TURNED: dict[Outcome, Outcome] = {"right": "wrong", "wrong": "right", "unsure": "unsure"}
MOST = 20


@dataclass(frozen=True)
class Condition:
    """A check with its options, as a person set it up."""

    check: str
    options: Mapping[str, Option] = field(hash=False)
    negated: bool = False

    @property
    def key(self) -> str:
        """Content address: two conditions that ask the same have one."""
        return digest("condition", self.check, dict(self.options), self.negated)[:16]

    @property
    def member(self) -> Check:
        return check(self.check)

    @property
    def in_words(self) -> str:
        """ "Contains “vegan”", "not: Is JSON"."""
        words = f"{self.member.label} {self.member.in_words(self.options)}".strip()
        return f"not: {words}" if self.negated else words

    def find(self, evidence: Evidence) -> Ruling:
        found = self.member.find(evidence, self.options)
        return Ruling(_TURNED[found.outcome], found.why) if self.negated else found


@dataclass(frozen=True, slots=True)
class AnswerVerdict:
    """What became of an answer, and each condition's finding in their order."""

    outcome: Outcome
    findings: tuple[Ruling, ...]

    @property
    def why(self) -> str:
        """The reasons that decided: those of the conditions whose outcome is the verdict's."""
        return "; ".join(dict.fromkeys(one.why for one in self.findings if one.outcome == self.outcome))


def verdict(findings: Sequence[Ruling]) -> AnswerVerdict:
    """The verdict that the rulings of all conditions make. Raises: AppError where there are none."""
    if not findings:
        raise AppError("There is no check to make a verdict of.", hint="Add one on the Dataset page.")
    outcomes = {one.outcome for one in findings}
    outcome: Outcome = "wrong" if "wrong" in outcomes else "unsure" if "unsure" in outcomes else "right"
    return AnswerVerdict(outcome, tuple(findings))


def as_checked(
    name: str, options: Mapping[str, Option], *, negated: bool = False, hosted: bool = False
) -> Condition:
    """A condition whose options have been looked at, defaults filled in.

    Raises: AppError for an unknown check or option, options that can fit no answer, or, when `hosted`, a check that
    runs code of this machine.
    """
    member = check(name)
    if hosted and member.local_only:
        raise AppError(
            f"“{member.label}” runs code of this machine and is only for local use.", code="forbidden"
        )
    resolved = resolve(member.label, member.fields, options)
    member.validate(resolved)
    return Condition(name, resolved, negated)


def to_json(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Conditions as plain JSON values."""
    return [{"check": c.check, "options": dict(c.options), "negated": c.negated} for c in conditions]


def from_json(kept: Any, *, hosted: bool = False) -> tuple[Condition, ...]:
    """The conditions that `to_json` wrote; what is no condition (any more) is left out."""
    found = []
    for one in kept[:MOST] if isinstance(kept, list) else ():
        try:
            made = as_checked(one["check"], one["options"], negated=bool(one.get("negated")), hosted=hosted)
        except (AppError, KeyError, TypeError, AttributeError):
            continue
        found.append(made)
    return tuple(found)
