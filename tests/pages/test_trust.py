"""The Trust page over a model without weights: what was measured, on which model, and the curve by a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.faithfulness import MeanWithInterval
from core.faithfulness.natural_prompts import NaturalTask
from core.faithfulness.results import FULL, BenchmarkResults, BenchmarkRow, Goal, PlantedTask, write
from core.models.manager import ModelManager
from core.records import Example, ModelSpec
from core.service import Service
from core.settings import ROOT, Settings
from core.ui.trust_page import panels, words
from tests.unit.fake_model import FakeModel, loader


def estimate(value: float, count: int = 50) -> MeanWithInterval:
    return MeanWithInterval(value, max(value - 0.1, 0), min(value + 0.1, 1), count)


def row(
    method: str, first: float, *, control: bool = False, arm: str = FULL, task: str = "fact_in_10"
) -> BenchmarkRow:
    measures = {
        "top1": estimate(first),
        "top3": estimate(1.0),
        "mrr": estimate(0.9),
        "precision": estimate(first),
        "chance": estimate(0.1),
    }
    return BenchmarkRow(task, method, method.replace("_", " "), arm, control, measures)


FOUND = BenchmarkResults(
    "fake", "fake/model", "", "2026-01-01", "a command", 300, 3.0,
    (
        PlantedTask("fact_in_10", "a fact", 1, 60, 50, 6, 4, 13.0),
        PlantedTask("no_cause", "nothing", 0, 60, 50, 10, 0, 13.0),
    ),
    (
        row("grad_l2", 0.94),
        row("leave_one_out", 0.98),
        row("grad_l2", 0.1, control=True, arm="random weights"),
        row("random", 0.08, control=True),
        BenchmarkRow("no_cause", "grad_l2", "Grad L2", FULL, False, {"flat": estimate(0.6)}),
    ),
    (), (),
    (Goal("first", "fact_in_10", "0.90", "0.94", True), Goal("first", "x", "0.90", "0.80", False)),
)  # fmt: skip


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    chosen = Settings(data_dir=tmp_path, MODEL_CONFIG="fake:fake/model", PRECISION="float32", _env_file=None)
    made = Service(chosen, manager=ModelManager(loader(FakeModel())))
    monkeypatch.setattr("core.ui.shell.services.settings", lambda: chosen)
    monkeypatch.setattr("core.service.Service", lambda _settings: made)
    monkeypatch.setattr(
        "core.ui.trust_page.benchmark.draw_benchmark.__defaults__", (tmp_path / "results.json",)
    )
    st.cache_resource.clear()
    yield made
    st.cache_resource.clear()


@pytest.fixture
def page(service: Service) -> Callable[[], AppTest]:
    dataset = service.store.workspace().datasets.add("rows", [Example("a", "one\ntwo\nthree\n")])

    def open_page() -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.session_state["dataset"] = dataset.id
        app.switch_page("pages/trust.py")
        app.run()
        assert not app.exception
        return app

    return open_page


def said(app: AppTest) -> str:
    boxes = [*app.markdown, *app.caption, *app.warning, *app.info, *app.error]
    return "\n".join(box.value for box in boxes).replace("\\", "")


def test_without_a_run_the_page_says_how_to_make_one(page: Callable[[], AppTest]) -> None:
    assert "No benchmark has been run yet" in said(page())


def test_figures_in_words_on_the_model_that_was_measured(page: Callable[[], AppTest], tmp_path: Path) -> None:
    write(FOUND, tmp_path / "results.json")
    app = page()
    text = said(app)
    assert "Leave one out finds the cause first in 98 of 100." in text
    assert "Goals: 1 met, 1 missed, 0 not judged" in text
    assert "Grad L2 in 30 of 50 prompts" in text
    assert not app.warning


def test_another_model_is_told_apart(page: Callable[[], AppTest], tmp_path: Path) -> None:
    write(
        replace(FOUND, model="demo", path="data/models/demo", revision="0123456789"),
        tmp_path / "results.json",
    )
    (warning,) = page().warning
    assert "not on fake, the model chosen now" in warning.value.replace("\\", "")


def test_about_by_hand() -> None:
    spec = ModelSpec("fake", "fake/model")
    assert words.about(FOUND, spec) == ""
    assert "another version of it" in words.about(FOUND, replace(spec, revision="new"))
    assert "loaded in nf4" in words.about(FOUND, replace(spec, quantization="nf4"))


def test_a_panel_a_task_with_methods_two_controls_and_one_twin() -> None:
    (panel,) = panels.by_task(FOUND)
    assert (panel.title, panel.note) == ("A fact among 10", "50 prompts")
    assert [(line.label, line.bars[0].text, line.bars[0].goal) for line in panel.lines] == [
        ("grad l2", "94 of 100", 0.9),
        ("leave one out", "98 of 100", 0.95),
        ("random", "8 of 100", None),
        ("grad l2, random weights", "10 of 100", None),
    ]
    drawn = panels.series()
    signs = [drawn[line.bars[0].series].mark.sign for line in panel.lines]
    assert signs[0] != signs[1] and signs[2] == signs[3] == "○"


def test_all_prompts_together_the_best_first_and_chance_last() -> None:
    few = row("integrated_gradients", 1.0)
    few.measures["top1"] = estimate(1.0, 5)
    many = replace(FOUND, rows=(*FOUND.rows, row("leave_one_out", 0.5, task="fact_in_50"), few))
    lines = panels.overall(many).lines
    # 49 and 25 of 50 are 74 of 100; five prompts are too few to lead.
    assert [(line.label, line.bars[0].text) for line in lines] == [
        ("Grad L2", "94 of 100"),
        ("Leave one out", "74 of 100"),
        ("Integrated gradients", "100 of 100"),
        ("A random order", "8 of 100"),
    ]
    assert lines[1].note == "100 prompts; among its first three in 100 of 100"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1, "100 of 100"),
        (0.999, "over 99 of 100"),
        (0.866, "87 of 100"),
        (0.001, "under 1 of 100"),
        (0, "0 of 100"),
    ],
)
def test_shares_of_a_hundred(share: float, said: str) -> None:
    assert words.of_hundred(share) == said


def test_the_curve_of_the_example_at_hand(page: Callable[[], AppTest], service: Service) -> None:
    app = page()
    assert "has not answered this prompt yet" in said(app)
    service.answers.generate("one\ntwo\nthree\n", service.spec(), owner="test", example_id="a").get(30)
    app = page()
    (methods,) = [m for m in app.multiselect if m.label == "Methods"]
    methods.set_value(["grad_l2", "leave_one_out"]).run()
    (button,) = [b for b in app.button if b.label == "Draw the curve"]
    button.click().run()
    # A quick job may have ended, and left the box, before the page was drawn.
    job = app.session_state["job box"].get("deletion")
    assert job is None or job.wait(30)
    app.run()
    app.run()
    assert not app.exception
    assert "Against random orders, on the average over the curve" in said(app)
    assert not [b for b in app.button if b.label == "Draw the curve"]


def test_measuring_on_this_model_begins_at_a_press_and_shows_what_is_there(
    page: Callable[[], AppTest], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(_model: object, task: NaturalTask, number: int, _stop: object) -> dict[str, object]:
        if task.key != "facts_8":
            return {"task": task.key, "row": number, "verdict": "answered otherwise"}
        found = {"right": number > 0, "causes": [1], "ranks": {}}
        return {"task": task.key, "row": number, "verdict": "verified", "search": found}

    monkeypatch.setattr("core.faithfulness.natural_trials.measure_natural", measure)
    app = page()
    assert "they answer" not in said(app) and not service.trials.lines(service.spec())
    next(b for b in app.button if b.label == "Measure on this model").click().run()
    for job in app.session_state["job box"].values():
        job.get(30)
    app.run()
    assert not app.exception
    assert "25 of 97 prompts count; all measured" in said(app)  # six other kinds are given up after 12 each
    assert not [b for b in app.button if "easure" in b.label]
