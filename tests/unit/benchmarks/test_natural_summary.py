"""Figures that were published stay until they are measured on as many prompts again."""

from benchmarks.natural.summary import kept


def test_a_row_is_replaced_by_one_of_as_many_prompts_and_no_other() -> None:
    before = [
        {"model": "b", "task": "x", "verified": 20, "right": 18},
        {"model": "a", "task": "x", "verified": 9},
    ]
    fresh = [
        {"model": "b", "task": "x", "verified": 19, "right": 19},
        {"model": "b", "task": "y", "verified": 1},
    ]
    assert kept(fresh, before) == [before[1], before[0], fresh[1]]
    better = [{"model": "b", "task": "x", "verified": 20, "right": 20}]
    assert kept(better, before) == [before[1], better[0]]
