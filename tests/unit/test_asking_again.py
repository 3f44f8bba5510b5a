"""Does it still say so, as a job: known answers cost nothing, blocks save questions, Stop ends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Stopped
from core.models.manager import ModelManager
from core.records import GenerationParams
from core.service import Service
from core.settings import Settings
from core.ui.salience_page.asking_again import groups
from tests.unit.fake_model import SPEC, FakeModel, loader

LONG, PROMPT = 20.0, "abcdefgh"
PARAMS = GenerationParams(max_new_tokens=3)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def service(model: FakeModel, tmp_path: Path) -> Iterator[Service]:
    service = Service(Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(loader(model)))
    yield service
    service.close()


def without(parts: list[tuple[int, ...]]) -> dict[tuple[int, ...], str]:
    return {group: "".join(c for i, c in enumerate(PROMPT) if i not in group) for group in parts}


def test_each_part_is_asked_about_once_and_what_is_known_costs_nothing(
    service: Service, model: FakeModel
) -> None:
    before = service.answers.generate(PROMPT, SPEC, PARAMS, owner="a").get(LONG)
    assert before.text == "hgf"  # the last three letters, backwards
    asks = without([(i,) for i in range(8)])
    found = service.answers.ask_again(before, "hgf", asks, 8, SPEC, PARAMS, owner="a").get(LONG)
    assert sorted(found.changing) == [5, 6, 7]
    assert found.sentence("letter") == "3 of 8 letters change the answer when taken out."
    count = model.calls.count("generate")
    again = service.answers.ask_again(before, "hg", asks, 8, SPEC, PARAMS, owner="b").get(LONG)
    assert sorted(again.changing) == [6, 7] and model.calls.count("generate") == count


def test_blocks_that_change_nothing_are_not_looked_into(service: Service, model: FakeModel) -> None:
    before = service.answers.generate(PROMPT, SPEC, PARAMS, owner="a").get(LONG)
    asks = without([(0, 1, 2, 3), (4, 5, 6, 7), *((i,) for i in range(8))])
    model.calls.clear()
    found = service.answers.ask_again(before, "hgf", asks, 8, SPEC, PARAMS, owner="a").get(LONG)
    assert sorted(found.changing) == [5, 6, 7] and model.calls.count("generate") == 2 + 4
    assert found.sentence().endswith("4 more were not asked about.")


def test_stop_keeps_what_was_asked(service: Service, model: FakeModel) -> None:
    before = service.answers.generate(PROMPT, SPEC, PARAMS, owner="a").get(LONG)
    asks = without([(i,) for i in range(8)])
    jobs = []
    model.step = lambda _what: jobs and jobs[0].stop()
    jobs.append(service.answers.ask_again(before, "hgf", asks, 8, SPEC, PARAMS, owner="a"))
    with pytest.raises(Stopped):
        jobs[0].get(LONG)
    model.step = lambda _what: None
    jobs.clear()
    found = service.answers.ask_again(before, "hgf", asks, 8, SPEC, PARAMS, owner="a").get(LONG)
    assert len(found.asked) == 8


def test_many_parts_go_by_blocks_and_few_do_not() -> None:
    assert groups(3) == [(0,), (1,), (2,)]
    many = groups(17)
    assert many[:4] == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (10, 11, 12, 13, 14), (15, 16)]
    assert [group for group in many if len(group) == 1] == [(i,) for i in range(17)]
