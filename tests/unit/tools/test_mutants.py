"""The mutation tester's own parts: decorators as assignments, judged mutants that stand for real lines."""

from __future__ import annotations

import pytest

from tools.mutants.groups import GROUPS, ROOT, Group
from tools.mutants.report import judged
from tools.mutants.undecorated import undecorated

SOURCE = '''
from functools import cached_property, lru_cache


@lru_cache(maxsize=2)
def double(value):
    """Twice."""
    return [value, value]


class Line:
    def __init__(self, text):
        self.text = text

    @property
    def size(self):
        return len(self.text)

    @cached_property
    def words(self):
        return self.text.split()

    @staticmethod
    def of(text):
        return Line(text)
'''


def test_a_module_without_decorators_does_the_same() -> None:
    text = undecorated(SOURCE)
    assert "@" not in text
    made: dict[str, object] = {}
    exec(text, made)  # the text above
    double, line = made["double"], made["Line"].of("one two")  # type: ignore[attr-defined]
    assert double(1) == [1, 1] and double(1) is double(1)  # type: ignore[operator]
    assert line.size == 7
    assert line.words == ["one", "two"] and line.words is line.words


def test_what_has_no_decorators_stays_as_it_is() -> None:
    text = "def one():\n    return 1\n"
    assert undecorated(text) == text


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_group_has_files_and_tests(group: Group) -> None:
    assert all(list(ROOT.glob(pattern)) for pattern in group.files)
    assert all((ROOT / test).exists() for test in group.tests)


def test_a_mutant_judged_equivalent_is_one_of_lines_that_are_there() -> None:
    for file, function, before, _ in judged():
        lines = {line.strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()}
        assert set(before.split("\n")) <= lines, f"{file}, {function}: {before}"
