"""A check of one's own in Python: a function that an installed package offers under the entry point group
`whence.checks`. Only in local mode, where whoever opens the page may run code on this machine anyway.

    [project.entry-points."whence.checks"]
    polite = "my_package:polite"        # polite(prompt: str, answer: str, targets: tuple[str, ...])

The function returns True or False, an outcome ("right", "wrong", "unsure"), or an outcome and the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from core.checks.check import OUTCOMES, Check, Evidence, Options, Ruling, shortened
from core.errors import AppError
from core.family import Field

GROUP = "whence.checks"


def offered() -> tuple[str, ...]:
    """The names under which installed packages offer a check."""
    return tuple(sorted(point.name for point in entry_points(group=GROUP)))


@lru_cache(maxsize=32)
def _function(name: str) -> Callable[..., Any]:
    for point in entry_points(group=GROUP):
        if point.name == name:
            found = point.load()
            if not callable(found):
                raise AppError(
                    f"The entry point {name!r} of {GROUP} is no function but {type(found).__name__}."
                )
            return found
    have = ", ".join(offered()) or "none"
    raise AppError(f"No installed package offers a check called {name!r}; there are: {have}.")


def _find(evidence: Evidence, options: Options) -> Ruling:
    name = str(options["function"])
    try:
        said = _function(name)(prompt=evidence.prompt, answer=evidence.answer, targets=evidence.targets)
    except AppError as error:
        return Ruling("unsure", error.message)
    except Exception as error:  # somebody else's code: whatever it raises is told, row by row
        return Ruling("unsure", f"{name} failed: {type(error).__name__}: {shortened(str(error), 200)}")
    outcome, why = said if isinstance(said, tuple) and len(said) == 2 else (said, "")
    if isinstance(outcome, bool):
        return Ruling.of(outcome, str(why) or f"{name} says so")
    if outcome in OUTCOMES:
        return Ruling(outcome, str(why) or f"{name} says so")
    return Ruling(
        "unsure", f"{name} should return True, False or one of {', '.join(OUTCOMES)}, not {outcome!r}"
    )


def _known(options: Options) -> None:
    _function(str(options["function"]))


FUNCTION = Check(
    name="function",
    label="Python function",
    description="A function of an installed package (entry point group whence.checks) decides.",
    find=_find,
    fields=(Field(name="function", label="Function", kind="line", default=""),),
    validate=_known,
    in_words=lambda options: str(options["function"]),
    local_only=True,
)
