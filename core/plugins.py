"""Members of families, and pages, from other packages, found by their entry points.

    [project.entry-points."whence.metrics"]
    politeness = "my_package.politeness:METRIC"

Whoever installs a package trusts its code; nothing is fetched, and no setting or visitor names one. A plugin that
cannot be used is left out and says why (`found`, `whence plugins`). docs/plugin-template is one to copy.
Knows no family.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

GROUPS = {
    "whence.salience_methods": "salience method",
    "whence.metrics": "metric",
    "whence.checks": "check",  # functions: core.checks.function
    "whence.generators": "counterfactual generator",
    "whence.sources": "source of datasets",
    "whence.models": "model backend",
    "whence.pages": "page",
}
"""Entry point group -> what a person calls a member."""

M = TypeVar("M")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point; `why` says what kept it out, or is empty."""

    group: str
    name: str
    package: str
    version: str
    where: str
    why: str = ""


@cache
def _looked_up(group: str) -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=group), key=lambda point: point.name))


_faults: dict[tuple[str, str], str] = {}


def extended(group: str, kind: type[M], own: Sequence[M]) -> tuple[M, ...]:
    """`own` and, behind them, what other packages add to the family: members of the type `kind`.

    One whose name is taken, whose type is another, or that cannot be imported is left out and told in the log.
    """
    made, taken = list(own), {getattr(member, "name", "") for member in own}
    for point in _looked_up(group):
        why = ""
        try:
            member: Any = point.load()
        except Exception as error:
            why = f"it cannot be loaded: {type(error).__name__}: {error}"
        else:
            if not isinstance(member, kind):
                why = f"it should be a {kind.__name__}, but it is {type(member).__name__}"
            elif getattr(member, "name", "") in taken:
                why = f"the name {getattr(member, 'name', '')!r} is taken"
            else:
                made.append(member)
                taken.add(getattr(member, "name", ""))
        if why:
            _faults[(group, point.name)] = why
            logger.warning("The plugin %s (%s) is left out: %s.", point.name, point.value, why)
    return tuple(made)


def found() -> tuple[Plugin, ...]:
    """Every entry point of every group, with what kept it out where its family was looked at already."""
    made = []
    for group in GROUPS:
        for point in _looked_up(group):
            name, version = (point.dist.name, point.dist.version) if point.dist else ("?", "?")
            why = _faults.get((group, point.name), "")
            made.append(Plugin(group, point.name, name, version, point.value, why))
    return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginPage:
    """A page of another package: `draw` is run for every drawing of it, as the script of a Streamlit page is."""

    name: str
    """Of its address; letters, digits and dashes."""
    title: str
    draw: Callable[[], None]
    icon: str = ":material/extension:"


def pages() -> tuple[PluginPage, ...]:
    """The pages that other packages bring."""
    return extended("whence.pages", PluginPage, ())
