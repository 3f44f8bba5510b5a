"""The Metrics page over a model without weights: first paint, what is missing, figures, bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.models.language_model import Capabilities
from core.records import Example, GenerationParams, ModelSpec
from core.service import Service
from core.store import generation_key
from core.ui.asking.row_choice import Rows
from core.ui.metrics_page import downloads, work
from core.ui.metrics_page.systems import System
from tests.pages.drawn import bar_tables
from tests.unit.fake_model import FakeModel, tokens_of

NAME = "fake · float32"
ROWS = [
    Example("a", "abc", "cba", "one"),
    Example("b", "xyz", "zzz", "two"),
    Example("c", "no target", None, "two"),
]


@pytest.fixture
def page(open_app: Callable[..., AppTest], fake_service: Service) -> Callable[[], AppTest]:
    """Opens the page on a dataset of the rows."""
    dataset = fake_service.store.workspace().datasets.add("rows", ROWS)
    return lambda: open_app("metrics", dataset=dataset.id)


def button(app: AppTest, start: str) -> Any:
    (found,) = [b for b in app.button if b.label.startswith(start)]
    return found


def finish(app: AppTest, fake_service: Service) -> None:
    """Runs the page again until no job is left."""
    for job in list(app.session_state["job box"].values() if "job box" in app.session_state else ()):
        assert job.wait(30)
    app.run()


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    """By metric: the figures of each system with their intervals, and under "note" the small words."""
    [table] = [d for d in bar_tables(app) if d["about"] == "Every metric"]
    systems = [one["name"] for one in table["series"]]
    return {
        line["label"]: {"note": line["note"]} | {s: b["text"] for s, b in zip(systems, line["bars"])}
        for line in table["panels"][0]["lines"]
    }


def test_nothing_runs_unasked_and_two_clicks_fill_the_page(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    assert not app.exception
    assert not fake_service.manager.loaded
    assert not bar_tables(app)
    button(app, "Run the model on 3 rows").click().run()
    finish(app, fake_service)
    assert not app.exception
    found = figures(app)
    assert found["Exact match"][NAME].startswith("0.500  (")
    assert found["Exact match"]["note"] == "share of rows, higher is better; 2 rows"
    assert found["Perplexity of the target"][NAME] == "no value"
    assert any("1 without a target" in caption.value for caption in app.caption)
    button(app, "Score 2 targets").click().run()
    finish(app, fake_service)
    assert figures(app)["Perplexity of the target"][NAME].startswith("1.28  (")
    assert not [b for b in app.button if b.label.startswith(("Run the model", "Score"))]
    kept = fake_service.store.workspace().results.metrics(app.session_state["dataset"])
    assert {"exact_match", "bleu", "target_perplexity"} <= set(kept["name"])


def test_rows_that_ask_the_same_share_one_score(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    twice = [*ROWS, replace(ROWS[0], id="again"), replace(ROWS[0], id="once more")]
    dataset = fake_service.store.workspace().datasets.add("twice", twice)
    app = open_app("metrics", dataset=dataset.id)
    button(app, "Run the model").click().run()
    finish(app, fake_service)
    button(app, "Score 4 targets").click().run()
    finish(app, fake_service)
    assert figures(app)["Perplexity of the target"]["note"].endswith("4 rows")
    assert not [b for b in app.button if b.label.startswith("Score")]


def test_an_edit_is_a_second_system_and_compared_row_by_row(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    here = fake_service.store.workspace()
    here.examples.add_one(
        app.session_state["dataset"], Example("b2", "xzzz", "zzz", "two", parent_id="b", edit="zzz")
    )
    app.run()
    button(app, "Run the model").click().run()
    finish(app, fake_service)
    app.multiselect(key="metrics systems").set_value([NAME, f"{NAME}, edited prompts"]).run()
    assert not app.exception
    versus = app.dataframe[0].value
    row = versus[versus["Metric"] == "Exact match"].iloc[0]
    assert (row[NAME], row[f"{NAME}, edited prompts"]) == ("0.000", "1.000")
    assert (row["Difference"], row["N"]) == ("+1.000", 1)


def test_rows_can_be_searched_and_a_bad_search_is_a_sentence(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    app.text_input(key="metrics search").set_value("source:one").run()
    assert button(app, "Run the model on 1 row")
    app.text_input(key="metrics search").set_value("source:nowhere").run()
    assert not app.exception
    assert any("selection is empty" in error.value for error in app.error)
    app.text_input(key="metrics search").set_value("/(/").run()
    assert not app.exception
    assert app.error and button(app, "Run the model on 3 rows")


def test_figures_by_group_distribution_and_scatter(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    button(app, "Run the model").click().run()
    finish(app, fake_service)
    for tab in ("By group", "Distribution", "Two metrics"):
        app.session_state["metrics tab"] = tab
        app.run()
        assert not app.exception
    app.session_state["metrics behind"] = (0, [0, 1], "both")
    app.run()
    assert not app.exception
    assert any("Behind it: both, 2 rows" in head.value for head in app.subheader)


def test_rows_without_targets_and_a_single_row(page: Callable[[], AppTest], fake_service: Service) -> None:
    app = page()
    app.text_input(key="metrics search").set_value("id:c").run()
    assert any("The row here has no target" in info.value for info in app.info)
    app.text_input(key="metrics search").set_value("id:a").run()
    button(app, "Run the model on 1 row").click().run()
    finish(app, fake_service)
    assert not app.exception
    assert figures(app)["Exact match"][NAME] == "1.000  (0.025 to 1.000)"
    assert figures(app)["BLEU"][NAME] == "100.00  (no interval)"


def test_rows_selected_on_the_dataset_page_are_a_group(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    assert "Selected in Dataset" not in app.selectbox(key="metrics rows").options
    dataset = app.session_state["dataset"]
    groups = {"Selected in Dataset": ["a"], "Shown in Dataset": ["a", "b", "c"]}
    app.session_state["rows of the table"] = (dataset, groups)
    app.run()
    assert app.selectbox(key="metrics rows").options[:3] == ["All rows", "Selected in Dataset", "Starred"]
    app.selectbox(key="metrics rows").set_value("Selected in Dataset").run()
    assert not app.exception
    assert button(app, "Run the model on 1 row")
    app.session_state["rows of the table"] = ("another", groups)
    app.run()
    assert not app.exception
    assert app.selectbox(key="metrics rows").value == "All rows"


def test_answers_to_plain_text_and_to_chats_are_two_systems(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    here = fake_service.store.workspace()
    dataset = here.datasets.all()[-1]
    for way, answer in (("plain", "cba"), ("chat", "other")):
        prompt = ROWS[0].sent(way)
        spec = fake_service.resolve(fake_service.spec())
        made = replace(FakeModel(spec).generate(tokens_of("abc"), GenerationParams()), text=answer)
        fake_service.store.save_generation(generation_key(prompt, spec, made.params), made, prompt=prompt)
    app = page()
    (menu,) = [box for box in app.multiselect if box.label == "Whose answers"]
    assert menu.options == [NAME, f"{NAME}, chat"]
    menu.set_value([NAME, f"{NAME}, chat"]).run()
    assert not app.exception
    exact = figures(app)["Exact match"]
    assert (exact[NAME][:5], exact[f"{NAME}, chat"][:5]) == ("1.000", "0.000")
    kept = here.results.metrics(dataset.id)
    assert sorted(kept[kept["name"] == "exact_match"]["value"]) == [0, 1]


def test_answers_in_a_column_of_the_file_are_a_system_of_their_own(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    truths = [(18, 18, True), (20, 7, False), (5, 5, True), (9, 90, False)] * 3
    rows = [
        Example(
            f"r{i}",
            f"How many, {i}?",
            f"work <<1+1=2>>\nA: {right}",
            fields={
                "old": {"solution": f"so\nA: {said}.0", "is_correct": is_right},
                "new": {"solution": f"A: {right}"},
            },
        )
        for i, (right, said, is_right) in enumerate(truths)
    ]
    dataset = fake_service.store.workspace().datasets.add("solutions", rows)
    app = open_app("metrics", dataset=dataset.id)
    old, new = "column old › solution", "column new › solution"
    (menu,) = [box for box in app.multiselect if box.label == "Whose answers"]
    assert menu.options[1:] == [old, new]
    menu.set_value([old, new]).run()
    assert not app.exception
    found = figures(app)
    assert (found["Same number"][old][:5], found["Same number"][new][:5]) == ("0.500", "1.000")
    assert found["Same number"]["note"].endswith("12 rows")
    (versus,) = [t.value for t in app.dataframe if "Reads as" in t.value]
    row = versus[versus["Metric"] == "Same number"].iloc[0]
    assert (row["p"], row["Reads as"], row["Test"]) == ("0.031", f"{new} is better", "McNemar, exact")
    assert not [b for b in app.button if b.label.startswith(("Run the model", "Score"))]
    table = open_app("dataset", dataset=dataset.id)
    assert not table.exception
    kept = fake_service.store.workspace().results.metrics(dataset.id)
    by_row = kept[(kept["name"] == "same_number")].groupby("id")["value"].sum()
    assert [by_row[f"r{i}"] - 1 for i in range(4)] == [1, 0, 1, 0]


def worked(number: str) -> str:
    return f"She has 3 + 4 = <<3+4=7>>7 of them.\nThat makes {number} in all.\nA: {number}"


def test_worked_answers_of_four_systems_come_out_of_the_import_step_as_the_file_itself_judges_them(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    """The shape of GSM8K's example solutions: nested answers, each with the file's own verdict."""
    said = ["18", "$1,800", "-5", "0.5", "50%", "12:30", "7.0", "1/2"]
    other = ["180", "18.00", "5", "5", "5%", "1230", "70", "12"]
    names = ("small", "small_checked", "large", "large_checked")
    right = dict(zip(names, (5, 9, 8, 23)))
    lines = []
    for i in range(24):
        truth, wrong = said[i % 8], other[i % 8]
        answers = {
            name: {"is_correct": i < right[name], "solution": worked(truth if i < right[name] else wrong)}
            for name in names
        }
        lines.append(json.dumps({"question": f"How many, {i}?", "ground_truth": worked(truth), **answers}))
    app = open_app("dataset")
    app.file_uploader[0].upload("solutions.jsonl", "\n".join(lines).encode()).run()
    app.button(key="dataset load file").click().run()
    assert not app.exception
    next(b for b in app.button if b.label == "Add 24 rows").click().run()
    assert any(
        "24 rows in the file, 24 used, none left out" in s.value.replace("\\", "") for s in app.success
    )
    app.switch_page("pages/metrics.py").run()
    (menu,) = [box for box in app.multiselect if box.label == "Whose answers"]
    columns = [f"column {name} › solution" for name in names]
    assert menu.options[1:] == columns
    menu.set_value(columns).run()
    assert not app.exception
    row = figures(app)["Same number"]
    assert [row[column][:5] for column in columns] == [f"{right[name] / 24:.3f}" for name in names]
    tests = [t.value for t in app.dataframe if "Reads as" in t.value]
    first_to_last = next(t for t in tests if columns[3] in t).set_index("Metric").loc["Same number"]
    assert (first_to_last["p"], first_to_last["Reads as"]) == ("< 0.001", f"{columns[3]} is better")
    close = next(t for t in tests if columns[1] in t).set_index("Metric").loc["Same number"]
    assert close["Reads as"] == "no clear difference"  # 4 rows of 24: McNemar's exact p is 0.125
    assert close["p"] == "0.125"


def test_figures_and_tests_can_be_taken_away_with_how_they_were_made(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    here = fake_service.store.workspace()
    here.examples.add_one(
        app.session_state["dataset"], Example("b2", "xzzz", "zzz", "two", parent_id="b", edit="zzz")
    )
    app.run()
    button(app, "Run the model").click().run()
    finish(app, fake_service)
    app.multiselect(key="metrics systems").set_value([NAME, f"{NAME}, edited prompts"]).run()
    assert not app.exception
    assert [b.label for b in app.get("download_button")].count("CSV") == 2


def test_every_line_of_a_file_says_how_it_was_made(
    page: Callable[[], AppTest], fake_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page()
    button(app, "Run the model").click().run()
    finish(app, fake_service)
    monkeypatch.setattr(downloads, "service", lambda: fake_service)
    monkeypatch.setattr(work, "service", lambda: fake_service)
    monkeypatch.setattr(work.library, "workspace", fake_service.store.workspace)
    monkeypatch.setattr(st, "session_state", {})
    here = fake_service.store.workspace()
    dataset = here.datasets.get(app.session_state["dataset"])
    rows = Rows(dataset, tuple(here.examples.of(dataset.id)), "All rows")
    column = work.column(System(fake_service.specs()[0]), rows, {}, "auto")
    line = downloads.figures([column], rows).set_index("metric").loc["Exact match"]
    assert (line["value"], line["rows"], line["left out: without a target"]) == (0.5, 2, 1)
    assert (line["model"], line["precision"], line["sent as"]) == ("fake", "float32", "plain")
    assert (line["max_new_tokens"], line["temperature"], line["stop"], line["chosen"]) == (
        128,
        0,
        [],
        "All rows",
    )


class TestWithoutProbabilities:
    @pytest.fixture
    def load(self) -> Callable[..., Any]:
        def silent(spec: ModelSpec, **_: Any) -> FakeModel:
            model = FakeModel(spec)
            model.capabilities = Capabilities(
                logprobs=False, gradients=False, why={"logprobs": "It tells none."}
            )
            return model

        return silent

    def test_no_score_is_offered_that_can_only_fail(
        self, page: Callable[[], AppTest], fake_service: Service
    ) -> None:
        app = page()
        button(app, "Run the model").click().run()
        finish(app, fake_service)
        assert not [b for b in app.button if b.label.startswith("Score")]
        assert any("It tells none" in c.value for c in app.caption)
