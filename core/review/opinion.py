"""One thing that one person said about one row: kept as it was said, never changed, so nobody can lose another's.

A verdict that a reviewer gives again counts instead of the earlier one (`newest`); both stay. Knows no store.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.errors import AppError

Kind = Literal["verdict", "choice", "comment"]
VERDICTS = ("right", "wrong", "unsure")
CHOICES = ("first", "second", "tie")
"""Of two columns: the one that the opinion names first, the other, or neither."""
LONGEST_COMMENT = 5_000
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Opinion:
    """`column` and `other` are places of the table's columns (-1: none). `start` and `stop` are half-open characters of
    the `place` ("prompt" or "answer") that a comment is about; `quote` is that text. `at`: seconds since 1970.

    Raises: AppError for a kind, value, name or span that there is not.
    """

    kind: Kind
    example_id: str
    reviewer: str
    value: str = ""
    text: str = ""
    table_id: str = ""
    column: int = -1
    other: int = -1
    take: int = 0
    place: str = ""
    start: int = 0
    stop: int = 0
    quote: str = ""
    at: float = 0.0
    id: str = ""

    def __post_init__(self) -> None:
        allowed = {"verdict": VERDICTS, "choice": CHOICES, "comment": ("",)}.get(self.kind)
        if allowed is None:
            raise AppError(f"An opinion is a verdict, a choice or a comment; this is {self.kind!r}.")
        if self.value not in allowed:
            raise AppError(f"A {self.kind} should be one of {', '.join(allowed)}; it is {self.value!r}.")
        if not self.reviewer.strip():
            raise AppError("Say who you are first.", hint="Any name will do; it stands beside what you say.")
        if len(self.reviewer) > LONGEST_NAME:
            raise AppError(f"A name has at most {LONGEST_NAME} characters; this has {len(self.reviewer):,}.")
        if self.kind == "comment" and not self.text.strip():
            raise AppError("The comment is empty.")
        if len(self.text) > LONGEST_COMMENT:
            raise AppError(
                f"A comment has at most {LONGEST_COMMENT:,} characters; this has {len(self.text):,}.",
                hint="Shorten it, or write two.",
            )
        if self.place not in ("", "prompt", "answer") or not 0 <= self.start <= self.stop:
            raise AppError("A comment is about a stretch of the prompt or of the answer.")

    @property
    def about(self) -> tuple[str, str, str, int, int, int]:
        """What it is about, and by whom: a later opinion about the same counts instead."""
        who, where = self.reviewer.strip().casefold(), f"{self.table_id} {self.example_id}"
        return (self.kind, who, where, self.column, self.other, self.take)


def newest(opinions: Iterable[Opinion]) -> list[Opinion]:
    """Of verdicts and choices the last that each person gave about the same, in the order given; all comments."""
    found: dict[object, Opinion] = {}
    for place, one in enumerate(sorted(opinions, key=lambda one: one.at)):
        key: object = one.about if one.kind != "comment" else place
        found.pop(key, None)
        found[key] = one
    return list(found.values())
