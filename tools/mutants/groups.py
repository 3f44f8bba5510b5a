"""What is mutated, and the tests that are to notice: the unit tests of the same modules alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Group:
    """Files (patterns below the root) whose mutants `tests` should kill."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    while_loading: tuple[str, ...] = ()
    """Functions that only run while their module is loaded, before a mutant is switched on: mutmut cannot try these."""


GROUPS = (
    Group("aggregate", ("core/aggregate.py",), ("tests/unit/test_aggregate.py",)),
    Group(
        "segments",
        ("core/segments.py",),
        ("tests/unit/test_segments.py", "tests/unit/test_text_breaks.py", "tests/unit/test_thinking.py"),
        ("_by_line",),
    ),
    Group("keys", ("core/store/keys.py",), ("tests/unit/store/test_keys.py",)),
    Group("compare", ("core/compare.py",), ("tests/unit/test_compare.py",)),
    Group("query", ("core/datasets/query.py",), ("tests/unit/datasets/test_query.py",)),
    Group("metrics", ("core/metrics/*.py",), ("tests/unit/metrics",), ("_declare", "mean_of")),
    Group("salience", ("core/salience/*.py",), ("tests/unit/salience",)),
)
