"""A table asked through the local runner over a model that turns prompts round: kept, resumed, never asked twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.checks.verdict import as_checked, to_json
from core.errors import Stopped
from core.models.local.alternatives import LEAST
from core.models.manager import ModelManager
from core.prompt_table import PromptVersion, TableAnswerer, TablePlan, standings
from core.prompt_table.prompts import aliases_of, named_columns
from core.records import Example, GenerationParams
from core.runs import AskTable, Generate, LocalRunner
from core.runs.table_task import tie_of
from core.service import Service
from core.settings import Settings
from core.store.kept_tables import KeptTable
from core.store.workspace import Workspace
from tests.unit.fake_model import SPEC, FakeModel, loader

LONG = 20.0
ROWS = [
    Example("a", "whole a", "ba", fields={"word": "ab", "more": "?"}),
    Example("b", "whole b", "no", fields={"word": "xy", "more": "!"}),
    Example("c", "whole c", "dc", fields={"word": "cd", "more": "."}),
    Example("d", "whole d", "x", fields={"more": "x"}),
]
VERSIONS = (PromptVersion("plain", "{word}"), PromptVersion("marked", "{word}{more}"))
CHECKS = json.dumps(to_json([as_checked("contains", {})]))


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def service(model: FakeModel, tmp_path: Path) -> Iterator[Service]:
    made = Service(Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(loader(model)))
    yield made
    made.close()


@pytest.fixture
def here(service: Service) -> Workspace:
    return service.store.workspace()


@pytest.fixture
def kept(here: Workspace) -> KeptTable:
    dataset = here.datasets.add("rows", ROWS).id
    named = named_columns(VERSIONS, ROWS, {})
    plan = TablePlan(dataset, VERSIONS, (TableAnswerer(SPEC),), conditions=CHECKS, columns_named=named)
    return here.tables.keep(plan)


def ask(service: Service, here: Workspace, kept: KeptTable, batch: int = 2):  # type: ignore[no-untyped-def]
    task = AskTable(kept.id, json.dumps(kept.plan.to_json()), batch=batch)
    return LocalRunner(service).run(task, here.tables.rows(kept.plan), SPEC, workspace=here, owner="o")


def test_answers_verdicts_and_reasons_are_kept(service: Service, here: Workspace, kept: KeptTable) -> None:
    ask(service, here, kept).get(LONG)
    made = here.tables.table(kept.id)
    assert made.answers[:, :, 0].tolist() == [["ba", "?ba"], ["yx", "!yx"], ["dc", ".dc"], ["", "x"]]
    assert made.outcomes[:, :, 0].tolist() == [[1, 1], [0, 0], [1, 1], [-4, 1]]
    assert made.whys[3, 0, 0] == "Nothing stands in word."
    assert service.store.generation(made.keys[1, 1, 0]).text == "!yx"  # type: ignore[union-attr]
    assert standings(made)[1].against.rows == 3  # type: ignore[union-attr]


def test_the_same_table_is_asked_once(
    service: Service, here: Workspace, kept: KeptTable, model: FakeModel
) -> None:
    ask(service, here, kept).get(LONG)
    calls = model.calls.count("generate")
    assert here.tables.keep(kept.plan).id == kept.id
    report = ask(service, here, kept).get(LONG)
    assert (report.done, report.known, model.calls.count("generate")) == (0, 8, calls)


def test_an_answer_known_from_elsewhere_is_taken(
    service: Service, here: Workspace, kept: KeptTable, model: FakeModel
) -> None:
    row = Example("z", "ab?", "ba")
    LocalRunner(service).run(Generate(), [row], SPEC, workspace=here, owner="o").get(LONG)
    assert ask(service, here, kept).get(LONG).known == 1
    assert here.tables.table(kept.id).answers[0, 1, 0] == "?ba"


def test_a_stopped_table_goes_on_where_it_was(
    service: Service, here: Workspace, kept: KeptTable, model: FakeModel
) -> None:
    job = None

    def step(_: str) -> None:
        if model.calls.count("generate") == 3 and job is not None:
            job.stop()

    gate = service.jobs.submit(lambda context: context.stop.wait(LONG), kind="gate", key="gate", owner="x")
    job = ask(service, here, kept, batch=1)
    model.step = step
    gate.stop()
    with pytest.raises(Stopped):
        job.get(LONG)
    before = here.tables.count(kept.id)
    assert 0 < before < 8
    model.step = lambda _: None
    report = ask(service, here, kept, batch=1).get(LONG)
    assert (report.known, report.done) == (before, 8 - before)
    assert here.tables.table(kept.id).answered == 8


def test_tables_are_a_workspaces_own_and_go_with_their_dataset(here: Workspace, kept: KeptTable) -> None:
    assert [one.id for one in here.tables.all(kept.plan.dataset_id)] == [kept.id]
    here.datasets.remove(kept.plan.dataset_id)
    assert here.tables.all() == ()


def test_the_columns_of_a_file_keep_their_names() -> None:
    assert aliases_of({"prompt": "question", "targets": ["answer"]}) == {
        "question": "prompt",
        "answer": "target",
    }
    assert aliases_of({"template": "Q: {question}", "targets": []}) == {}


def test_a_row_with_several_cells_is_not_left_out(service: Service, here: Workspace, kept: KeptTable) -> None:
    job = ask(service, here, kept)
    report = job.get(LONG)
    assert (report.done, report.left_out) == (8, 0) and "left out" not in report.sentence


def test_a_tie_is_how_near_the_runner_up_came_and_is_asked_for_only_where_one_can_be(
    load_tiny: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    model = load_tiny("llama")  # random weights: every word is unsure
    made = model.generate(model.tokenize("a b c"), GenerationParams(max_new_tokens=6))
    ids = torch.tensor(made.tokens.ids)
    with torch.inference_mode():
        chances = (
            model.model(input_ids=ids[None, :-1]).logits[0, made.tokens.prompt_len - 1 :].float().softmax(-1)
        )
    two = chances.topk(2).values
    near = [float(a - b) for a, b in two if b >= LEAST]
    assert tie_of(model, made) == (pytest.approx(min(near), abs=1e-6) if near else None)
    monkeypatch.setattr("core.models.local.alternatives.LEAST", 0.0)
    assert tie_of(model, made) == pytest.approx(float((two[:, 0] - two[:, 1]).min()), abs=1e-6)
    monkeypatch.setattr(
        "core.models.local.alternatives.alternatives", None
    )  # not asked where all words are sure
    assert tie_of(model, replace(made, logprob_nats=np.full_like(made.logprob_nats, -0.5))) is None
    assert tie_of(FakeModel(), made) is None  # nor of a model that runs elsewhere
