"""What every family shares: the fields that a member offers, their checks, and finding a member by its name.

A family (salience methods, metrics, checks, counterfactual generators, sources of datasets, model backends,
granularities) is a folder or a module with one explicit tuple of its members, each declared as
`MEMBER = Kind(name=…, label=…, description=…)` beside its own code. Menus, forms and legends are drawn from the
declarations. Knows no family and no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from core.errors import AppError
from core.records import Option

FieldKind = Literal["number", "choice", "flag", "line", "text"]


class Member(Protocol):
    """What a menu needs to know of a member."""

    @property
    def name(self) -> str:
        """Stands in links, files and cache keys; never shown."""
        ...

    @property
    def label(self) -> str: ...

    @property
    def description(self) -> str:
        """One plain sentence."""
        ...


M = TypeVar("M", bound=Member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One choice that a member offers, drawn as a form field of its `kind`."""

    name: str
    label: str
    kind: FieldKind
    default: Option
    description: str = ""
    minimum: int = 0
    """Of the kind "number"."""
    maximum: int = 1000
    choices: tuple[tuple[str, str], ...] = ()
    """(value, label) of the kind "choice"."""
    only_with: tuple[str, Option] | None = None
    """(another field, its value): asked only then."""
    hidden: bool = False
    """Filled in by the page from what it shows, not by the person."""

    def check(self, value: Option) -> Option:
        """`value` unchanged. Raises: AppError that names what was expected and what came."""
        if self.kind == "number":
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not self.minimum <= value <= self.maximum:  # type: ignore[operator]
                raise AppError(
                    f"“{self.label}” should be {self.minimum:,} to {self.maximum:,}, but it is {value!r}."
                )
        if self.kind == "choice" and value not in {one for one, _label in self.choices}:
            have = ", ".join(one for one, _label in self.choices)
            raise AppError(f"“{self.label}” should be one of {have}, but it is {value!r}.")
        if self.kind == "flag" and not isinstance(value, bool):
            raise AppError(f"“{self.label}” should be true or false, but it is {value!r}.")
        return value


def find(kind: str, members: Sequence[M], name: str) -> M:
    """The member called `name`; `kind` is what a person calls one ("salience method").

    Raises: AppError that lists the available ones.
    """
    for member in members:
        if member.name == name:
            return member
    available = ", ".join(member.name for member in members) or "none"
    raise AppError(f"There is no {kind} called {name!r}.", hint=f"Available: {available}.")


def resolve(label: str, fields: Sequence[Field], given: Mapping[str, Option]) -> dict[str, Option]:
    """Every field's value: as given, else its default. `label` names the member in sentences.

    Raises: AppError for a name that is no field, or a value that its field does not take.
    """
    known = {field.name for field in fields}
    for name in given:
        if name not in known:
            have = ", ".join(field.name for field in fields) or "none"
            raise AppError(f"{label} has no option {name!r}; its options: {have}.")
    return {field.name: field.check(given.get(field.name, field.default)) for field in fields}
