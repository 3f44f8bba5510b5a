"""Figures that were published stay until they are measured on as many prompts again."""

import json
from pathlib import Path

from benchmarks.natural.summary import in_another_precision, kept


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


def test_two_precisions_are_compared_prompt_by_prompt(tmp_path: Path) -> None:
    def line(row: int, verdict: str, right: bool | None = None) -> str:
        search = {} if right is None else {"search": {"right": right}}
        return json.dumps({"task": "x", "row": row, "verdict": verdict} | search)

    full = [
        line(0, "verified", True),
        line(1, "verified", True),
        line(2, "did not flip"),
        line(3, "verified", True),
    ]
    low = [line(0, "verified", True), line(1, "verified", False), line(2, "verified", True)]
    (tmp_path / "small.jsonl").write_text("\n".join(full))
    (tmp_path / "small-bf16.jsonl").write_text("\n".join(low))
    assert in_another_precision(tmp_path) == [
        {"model": "small", "asked": 3, "as_verified": 2, "searched": 2, "same": 1}
    ]
