"""*Measure on this model*: each prompt kept as it comes, Stop within one, going on where it stopped, per precision."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import AppError, Stopped
from core.faithfulness import natural_trials
from core.faithfulness.natural_prompts import TASKS, NaturalTask
from core.faithfulness.natural_trials import natural_rows, share_done, still_to_ask, wanted_words
from core.faithfulness.planted import Case
from core.models.manager import ModelManager
from core.records import ModelSpec
from core.service import Service
from core.settings import Settings
from core.store.keys import model_key
from core.store.trial_lines import TrialLines
from tests.unit.fake_model import FakeModel

SPEC = ModelSpec("fake", "fake/model", dtype="float32")
TWO = tuple(task for task in TASKS if task.key in ("facts_8", "no_cause"))


def line(task: str, row: int, right: bool | None = True) -> dict[str, Any]:
    if right is None:
        return {"task": task, "row": row, "verdict": "did not flip"}
    ranks = {"gim": 1 if right else 7}
    search = {"right": right, "causes": [2], "ranks": ranks}
    return {"task": task, "row": row, "verdict": "verified", "search": search}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(
        Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(lambda spec, **_: FakeModel(spec))
    )
    yield made
    made.close()


def test_stop_keeps_what_is_whole_and_going_on_asks_the_rest(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    begun, go = threading.Event(), threading.Event()

    def measure(_model: Any, task: NaturalTask, row: int, stop: threading.Event) -> dict[str, Any]:
        asked.append((task.key, row))
        if len(asked) == 4:  # the person presses Stop while this prompt is asked
            begun.set()
            assert go.wait(30)
            if stop.is_set():
                raise Stopped
        return line(task.key, row, row != 1)

    monkeypatch.setattr(natural_trials, "measure_natural", measure)
    job = service.trials.measure(SPEC, owner="me", tasks=TWO, most=3)
    assert begun.wait(30)
    job.stop()
    go.set()
    assert job.wait(30) and job.state == "stopped"
    kept = service.trials.lines(SPEC)
    assert (
        [(one["task"], one["row"]) for one in kept]
        == asked[:3]
        == [
            ("facts_8", 0),
            ("no_cause", 0),
            ("facts_8", 1),
        ]
    )
    again = service.trials.measure(SPEC, owner="me", tasks=TWO, most=3).get(30)
    assert asked[4:] == [("facts_8", 2), ("no_cause", 1), ("no_cause", 2)]
    assert len(again) == 6 and share_done(again, TWO, 3) == 1
    assert service.trials.lines(replace(SPEC, dtype="bfloat16")) == []  # another precision is another model


def test_prompts_come_in_turn_and_a_hopeless_kind_is_given_up() -> None:
    lines = [line("facts_8", row, None) for row in range(natural_trials.GIVEN_UP)]
    turns = still_to_ask(lines, TWO, 2)
    assert next(turns)[0].key == "no_cause"
    assert share_done(lines, TWO, 2) == 0.5
    lines += [line("no_cause", 0), line("no_cause", 1)]
    assert list(turns) == [] and share_done(lines, TWO, 2) == 1
    assert natural_trials.LEFT_OUT[0] not in {task.key for task, _ in zip_first(8)}


def zip_first(count: int) -> list[tuple[NaturalTask, int]]:
    lines: list[dict[str, Any]] = []
    found = []
    for task, row in still_to_ask(lines):
        lines.append(line(task.key, row))
        found.append((task, row))
        if len(found) == count:
            break
    return found


def test_rows_count_by_hand() -> None:
    rows = natural_rows([line("facts_8", 0), line("facts_8", 1, False), line("facts_8", 2, None)], "mine")
    assert rows == [
        {
            "model": "mine", "task": "facts_8", "label": TWO[0].label, "asked": 3, "verified": 2, "right": 1,
            "maps_first": {"gim": 1}, "maps_in_five": {"gim": 1},
        }
    ]  # fmt: skip


def test_a_cut_line_costs_itself_alone(tmp_path: Path) -> None:
    kept, key = TrialLines(tmp_path), model_key(SPEC)
    kept.add(key, line("facts_8", 0))
    path = next(tmp_path.glob("trials/??/*.jsonl"))
    path.write_text(path.read_text() + '{"task": "facts_8", "ro')
    kept.add(key, line("facts_8", 1))
    assert [one["row"] for one in kept.of(key)] == [0, 1]
    kept.forget(key)
    assert kept.of(key) == []
    with pytest.raises(AppError):
        kept.of("../elsewhere")


@pytest.mark.parametrize(
    ("prompt", "text", "found"),
    [
        ("Answer in Spanish.", "El mar es grande y de los pescadores", True),
        ("Answer in Spanish.", "The sea is large and blue", False),
        ("Write everything in CAPITAL LETTERS.", "THE SEA IS WIDE", True),
        ("Write everything in CAPITAL LETTERS.", "The sea is wide", False),
    ],
)
def test_an_instruction_is_obeyed_by_form(prompt: str, text: str, found: bool) -> None:
    task = next(task for task in TASKS if task.key == "instruction")
    assert (wanted_words(task, Case(prompt, ""), text) is not None) is found
