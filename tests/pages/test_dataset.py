"""The Dataset page over a model without weights: open, narrow, load, mark, run, stop, go on, take away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.answer_defaults import answer_default
from core.checks import as_checked, to_json
from core.models.language_model import Capabilities
from core.records import Example, GenerationParams, Message
from core.service import Service
from core.settings import ROOT
from core.store import WorkList, generation_key
from core.store.marks import DatasetChecks
from core.ui.dataset_page.rows import about_export
from tests.unit.fake_model import FakeModel, loader, tokens_of

ROWS = [
    Example("a", "abc <b>bold</b>", "cba", "one", fields={"score": 1.5}),
    Example("b", "xyz", "", "two", fields={"score": -2.0}),
    Example("c", "no target", None, "two"),
]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def load(model: FakeModel) -> Callable[..., Any]:
    return loader(model)


@pytest.fixture
def options() -> dict[str, Any]:
    return {"batch_size": 1}


@pytest.fixture
def page(open_app: Callable[..., AppTest], fake_service: Service) -> Callable[[], AppTest]:
    """Opens the page on a dataset of the three rows."""
    dataset = fake_service.store.workspace().datasets.add("rows", ROWS)
    return lambda: open_app("dataset", dataset=dataset.id)


def button(app: AppTest, start: str) -> Any:
    (found,) = [b for b in app.button if b.label.startswith(start)]
    return found


def labelled(elements: Any, label: str) -> Any:
    (found,) = [element for element in elements if element.label == label]
    return found


def way(app: AppTest) -> Any:
    return labelled(app.segmented_control, "Send prompts as")


def plainly(text: str) -> str:
    return text.replace("\\", "")


def grid(app: AppTest) -> Any:
    """The table of examples (the last one that has a key of the grid)."""
    (found,) = [table for table in app.dataframe if (table.key or "").startswith("dataset grid")]
    return found


def pick(app: AppTest, *rows: int) -> None:
    """Selects rows of the table for the next run; AppTest forgets them after it."""
    app.session_state[grid(app).key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}


def select(app: AppTest, *rows: int) -> AppTest:
    pick(app, *rows)
    return app.run()


def prompts(app: AppTest) -> list[str]:
    return list(grid(app).value["prompt"])


def shown(app: AppTest) -> str:
    (line,) = [caption.value for caption in app.caption if "rows shown" in caption.value]
    return line


def finish(app: AppTest) -> AppTest:
    for job in list(app.session_state["job box"].values() if "job box" in app.session_state else ()):
        assert job.wait(30)
    return app.run()


def test_the_first_paint_shows_the_rows_and_loads_no_model(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    assert not app.exception
    assert prompts(app) == [row.prompt for row in ROWS]
    assert list(grid(app).value.columns) == ["starred", "prompt", "target", "source", "score"]
    assert shown(app) == "3 of 3 rows shown, 0 selected"
    assert not fake_service.manager.loaded


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("source:two", ["xyz", "no target"]),
        ("/^x/", ["xyz"]),
        ("score:>0", ["abc <b>bold</b>"]),
        ("none", []),
    ],
)
def test_a_search_narrows_the_table(page: Callable[[], AppTest], text: str, left: list[str]) -> None:
    app = page()
    labelled(app.text_input, "Search").set_value(text).run()
    assert not app.exception
    assert (prompts(app) if left else []) == left
    assert shown(app).startswith(f"{len(left)} of 3 rows")


def test_a_search_that_makes_no_sense_is_told_and_hides_nothing(page: Callable[[], AppTest]) -> None:
    app = page()
    labelled(app.text_input, "Search").set_value("(open").run()
    assert "cannot be understood at its end" in app.error[0].value
    assert len(prompts(app)) == 3


def test_rows_are_sorted_and_filtered_by_column(page: Callable[[], AppTest]) -> None:
    app = page()
    labelled(app.selectbox, "Sort by").set_value("score").run()
    assert prompts(app) == ["xyz", "abc <b>bold</b>", "no target"]
    labelled(app.toggle, "Largest first").set_value(True).run()
    assert prompts(app) == ["abc <b>bold</b>", "xyz", "no target"]
    labelled(app.multiselect, "Filter by").set_value(["source"]).run()
    labelled(app.multiselect, "source").set_value(["two"]).run()
    assert prompts(app) == ["xyz", "no target"]
    labelled(app.multiselect, "Filter by").set_value(["score"]).run()
    (slider,) = [s for s in app.slider if s.label == "score"]
    slider.set_value((0.0, 1.5)).run()
    assert prompts(app) == ["abc <b>bold</b>"]


def test_columns_of_any_type_are_shown_sorted_and_filtered(
    fake_service: Service, open_app: Callable[..., AppTest]
) -> None:
    odd: list[Any] = [3, "b", None, {"deep": [1]}, True, "<i>"]
    numbers = ["10", "9", "", "-1", "2.5", "100"]
    rows = [
        Example(f"e{i}", f"p{i}", fields={"**odd** [x](http://y)": cell, "text": number})
        for i, (cell, number) in enumerate(zip(odd, numbers))
    ]
    dataset = fake_service.store.workspace().datasets.add("odd", rows)
    app = open_app("dataset", dataset=dataset.id)
    assert not app.exception
    assert list(grid(app).value["**odd** [x](http://y)"].fillna("")) == [
        *("3", "b", "", "{'deep': [1]}", "True", "<i>"),
    ]
    labelled(app.selectbox, "Sort by").set_value("text").run()
    assert prompts(app) == ["p3", "p4", "p1", "p0", "p5", "p2"]
    labelled(app.selectbox, "Sort by").set_value("**odd** [x](http://y)").run()
    assert not app.exception
    labelled(app.multiselect, "Filter by").set_value(["**odd** [x](http://y)"]).run()
    assert not app.exception
    (label,) = [box.label for box in app.multiselect if "odd" in box.label]
    assert label.startswith("\\*\\*odd")


def test_columns_are_chosen(page: Callable[[], AppTest]) -> None:
    app = page()
    labelled(app.multiselect, "Show").set_value(["id", "prompt"]).run()
    assert list(grid(app).value.columns) == ["id", "prompt"]


def test_stars_and_slices(page: Callable[[], AppTest], fake_service: Service) -> None:
    app = select(page(), 0, 2)
    assert shown(app) == "3 of 3 rows shown, 2 selected"
    pick(app, 0, 2)
    button(app, "Star").click().run()
    assert list(grid(app).value["starred"]) == ["★", "", "★"]
    workspace, dataset = fake_service.store.workspace(), app.session_state["dataset"]
    workspace.marks.add_to_slice(dataset, "odd ones", ["a"])
    app.run()
    labelled(app.selectbox, "Name").set_value("odd ones").run()
    pick(app, 0, 2)
    button(app, "Add 2 rows").click().run()
    assert workspace.marks.slice(dataset, "odd ones") == ("a", "c")
    labelled(app.selectbox, "Rows").set_value("odd ones").run()
    assert prompts(app) == ["abc <b>bold</b>", "no target"]
    labelled(app.selectbox, "Rows").set_value("Starred").run()
    assert prompts(app) == ["abc <b>bold</b>", "no target"]


def test_removed_rows_can_be_put_back(page: Callable[[], AppTest]) -> None:
    app = select(page(), 1)
    pick(app, 1)
    button(app, "Remove the selected rows").click().run()
    assert prompts(app) == ["abc <b>bold</b>", "no target"]
    button(app, "Put back 1 row").click().run()
    assert len(prompts(app)) == 3


def test_one_row_in_hand_shows_its_texts_as_they_are(page: Callable[[], AppTest]) -> None:
    app = select(page(), 0)
    assert [code.value for code in app.code] == ["abc <b>bold</b>", "cba"]
    assert not button(app, "Explain").disabled


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader[0].upload(name, data).run()
    app.button(key="dataset load file").click().run()
    assert not app.exception
    return app


def test_an_upload_becomes_a_dataset_and_bad_lines_are_listed(page: Callable[[], AppTest]) -> None:
    data = b'{"prompt": "first"}\nnot json\n{"prompt": "third", "target": "x"}\n'
    app = upload(page(), "new.jsonl", data)
    assert any("2 rows · 2 columns · 1 line cannot be read" in plainly(c.value) for c in app.caption)
    button(app, "Add 2 rows").click().run()
    assert not app.exception
    assert prompts(app) == ["first", "third"]
    assert any(
        "2 examples loaded. 3 rows in the file, 2 used, 1 left out" in plainly(i.value) for i in app.success
    )
    assert [e.label for e in app.expander] == ["2 of 3 rows used"]
    (listed,) = [t.value for t in app.dataframe if "reason" in t.value.columns]
    assert listed["line"].tolist() == [2]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("bad.jsonl", b"nope\n", "The file's only line, line 1, could not be read"),
        ("bad.parquet", b"nope", "not a Parquet file"),
        ("empty.csv", b"", "CSV file is empty"),
        ("empty.txt", b"\n", "holds no examples"),
    ],
)
def test_files_that_hold_nothing_are_told(
    page: Callable[[], AppTest], name: str, data: bytes, message: str
) -> None:
    app = page()
    app.file_uploader[0].upload(name, data).run()
    app.button(key="dataset load file").click().run()
    assert any(message in error.value.replace("\\", "") for error in app.error)
    assert len(prompts(app)) == 3


class TestImport:
    """The step between a file and a dataset: proposed, changed, kept for the next file with the same columns."""

    GSM = b"question,answer,level\nHow many?,18,1\nHow much?,3,2\n"

    def test_the_proposal_can_be_changed_and_is_used_again(self, page: Callable[[], AppTest]) -> None:
        app = upload(page(), "gsm.csv", self.GSM)
        assert labelled(app.selectbox, "Prompt").value == "question"
        assert labelled(app.multiselect, "Target: the right answer, or several").value == ["answer"]
        assert any("not sent to the model: level" in plainly(c.value) for c in app.caption)
        assert [code.value for code in app.code][:2] == ["How many?", "18"]
        labelled(app.segmented_control, "The prompt is").set_value("A template").run()
        app.text_area[-1].set_value("Q: {{question}}\nA:").run()
        assert app.code[0].value == "Q: How many?\nA:"
        button(app, "Add 2 rows").click().run()
        assert prompts(app) == ["Q: How many?\nA:", "Q: How much?\nA:"]
        again = upload(app, "more.csv", b"level,answer,question\n1,4,Why?\n")
        assert any("as you chose for the last file" in info.value for info in again.info)
        assert again.code[0].value == "Q: Why?\nA:"
        button(again, "Cancel").click().run()
        assert len(prompts(again)) == 2

    def test_without_a_usual_name_the_person_is_asked(self, page: Callable[[], AppTest]) -> None:
        app = upload(page(), "pf.csv", b"language,body\nFrench,Hello world\n")
        assert "No column is called like a prompt" in app.warning[0].value
        labelled(app.selectbox, "Prompt").set_value("language").run()
        button(app, "Add 1 row").click().run()
        assert prompts(app) == ["French"]

    def test_what_gives_no_example_cannot_be_added(self, page: Callable[[], AppTest]) -> None:
        app = upload(page(), "x.csv", self.GSM)
        labelled(app.segmented_control, "The prompt is").set_value("A template").run()
        app.text_area[-1].set_value("always the same").run()
        assert "names no column" in plainly(app.error[0].value) and button(app, "Add 2 rows").disabled
        app.text_area[-1].set_value("{nothing}").run()
        assert any("There is no column “nothing”" in plainly(c.value) for c in app.caption)

    def test_pasted_rows(self, page: Callable[[], AppTest]) -> None:
        for text, wanted in (
            ('{"prompt": "a"}\n{"prompt": "b"}', ["a", "b"]),
            ("question\tanswer\nWhy?\tSo.", ["Why?"]),
            ("Hello, you.\nAnd you, too.", ["Hello, you.", "And you, too."]),
        ):
            app = page()
            app.text_area(key="dataset pasted").set_value(text).run()
            app.button(key="dataset load pasted").click().run()
            button(app, "Add ").click().run()
            assert prompts(app) == wanted

    def test_a_chat_shows_its_turns(self, page: Callable[[], AppTest]) -> None:
        turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        app = upload(page(), "chat.jsonl", json.dumps({"messages": turns}).encode())
        assert [code.value for code in app.code] == ["Be brief.", "Hi"]


def test_a_path_is_loaded(page: Callable[[], AppTest], tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("one\ntwo\n", encoding="utf-8")
    app = page()
    app.text_input(key="dataset path").set_value(str(tmp_path / "more.txt")).run()
    app.button(key="dataset load path").click().run()
    button(app, "Add 2 rows").click().run()
    assert prompts(app) == ["one", "two"]
    assert app.query_params["dataset"] == app.session_state["dataset"]


def test_the_model_runs_on_the_selected_rows_only_when_asked(
    page: Callable[[], AppTest], model: FakeModel
) -> None:
    app = select(page(), 0, 1)
    pick(app, 0, 1)
    button(app, "Run fake on 2 rows").click().run()
    app = finish(app)
    assert not app.exception
    table = grid(app).value
    assert list(table["response (fake)"].fillna("")) == [">b/", "zyx", ""]
    assert model.calls.count("generate") == 2
    app.segmented_control[0].set_value("all").run()
    button(app, "Run fake on 3 rows").click().run()
    finish(app)
    assert model.calls.count("generate") == 3


class TestChat:
    """A model with a chat template: the same prompts sent in two ways, two columns."""

    @pytest.fixture
    def model(self) -> FakeModel:
        made = FakeModel()
        made.capabilities = Capabilities(gradients=False, chat=True)
        return made

    @pytest.fixture
    def app(self, page: Callable[[], AppTest], fake_service: Service) -> AppTest:
        with fake_service.manager.get(fake_service.resolve(fake_service.spec())):
            pass  # what a model on a hub offers is known once it is loaded
        return page()

    def test_plain_and_chat_answers_stand_side_by_side(self, app: AppTest, fake_service: Service) -> None:
        way(app).set_value("chat").run()
        button(app, "Run fake on 3 rows").click().run()
        app = finish(app)
        way(app).set_value("plain").run()
        button(app, "Run fake on 3 rows").click().run()
        app = finish(app)
        table = grid(app).value
        answers = [">b/", "zyx", "teg"]
        assert list(table["response (fake, chat)"]) == list(table["response (fake)"]) == answers
        for sent in ("xyz", (Message("user", "xyz"),)):
            params = answer_default(sent).params()
            assert fake_service.answers.known(sent, fake_service.spec(), params) is not None

    def test_it_begins_with_what_the_salience_page_sends(self, app: AppTest) -> None:
        assert way(app).value == "plain"
        app.session_state["send as"] = "chat"
        app.run()
        assert way(app).value == "chat"
        way(app).set_value("plain").run()
        assert way(app).value == "plain"

    def test_a_run_that_stopped_goes_on_as_it_was_sent(
        self, app: AppTest, fake_service: Service, model: FakeModel
    ) -> None:
        def stop_after_the_first(what: str) -> None:
            if what == "batch" and model.calls.count("generate") == 1:
                for job in app.session_state["job box"].values():
                    job.stop()

        way(app).set_value("chat").run()
        model.step = stop_after_the_first
        button(app, "Run fake on 3 rows").click().run()
        app = finish(app)
        model.step = lambda what: None
        assert any("sent chats, has answered 1 of 3 rows" in plainly(c.value) for c in app.caption)
        way(app).set_value("plain").run()
        button(app, "Go on").click().run()
        finish(app)
        found = fake_service.store.workspace().results.responses(app.session_state["dataset"])
        assert set(found["send_as"]) == {"chat"} and len(found) == 3


def test_a_chat_is_offered_only_with_a_chat_template(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    assert way(app).options == ["plain text"]
    assert "known once it is loaded" in way(app).help
    with fake_service.manager.get(fake_service.resolve(fake_service.spec())):
        pass
    assert "fake has no chat template" in way(app.run()).help


def test_a_run_that_stopped_goes_on_where_it_was(
    page: Callable[[], AppTest], fake_service: Service, model: FakeModel
) -> None:
    app = page()

    def stop_after_the_first(what: str) -> None:
        if what == "batch" and model.calls.count("generate") == 1:
            for job in app.session_state["job box"].values():
                job.stop()

    model.step = stop_after_the_first
    button(app, "Run fake on 3 rows").click().run()
    app = finish(app)
    model.step = lambda what: None
    (work,) = WorkList(fake_service.store.workspace()).all(unfinished=True)
    assert (work.state, work.done, work.total) == ("stopped", 1, 3)
    fresh = page()  # another visit: nothing is kept in the session
    assert any("has answered 1 of 3 rows" in c.value.replace("\\", "") for c in fresh.caption)
    button(fresh, "Go on").click().run()
    finish(fresh)
    assert WorkList(fake_service.store.workspace()).all(unfinished=True) == ()
    assert len(fake_service.store.workspace().results.responses(fresh.session_state["dataset"])) == 3
    assert model.calls.count("generate") == 4  # the one that was stopped half-way was done again


def test_rows_that_fail_are_told_and_the_others_are_kept(
    fake_service: Service, open_app: Callable[..., AppTest]
) -> None:
    rows = [Example("long", "x" * 300), Example("short", "abc")]
    dataset = fake_service.store.workspace().datasets.add("mixed", rows)
    app = open_app("dataset", dataset=dataset.id)
    button(app, "Run fake on 2 rows").click().run()
    app = finish(app)
    said = [caption.value.replace("\\", "") for caption in app.caption]
    assert any("1 of 2 rows; 1 failed" in text for text in said)
    assert any("long: The prompt is 300 tokens long" in text for text in said)
    assert fake_service.store.workspace().results.responses(dataset.id)["text"].tolist() == ["cba"]


def test_answers_of_a_model_that_changed_since_stand_apart(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    for revision, text in (("old", "answer of yesterday"), ("older", "answer of last week")):
        spec = replace(fake_service.spec(), revision=revision)
        made = replace(FakeModel(spec).generate(tokens_of("xyz"), GenerationParams()), text=text)
        key = generation_key("xyz", spec, GenerationParams())
        fake_service.store.save_generation(key, made, prompt="xyz")
    app = page()
    button(app, "Run fake on 3 rows").click().run()
    app = finish(app)
    table = grid(app).value
    assert list(table["response (fake)"]) == [">b/", "zyx", "teg"]
    assert not [name for name in table.columns if "earlier" in name]
    offered = labelled(app.multiselect, "Show").options
    assert len([name for name in offered if name.startswith("response (fake, earlier ")]) == 2


def test_exports_hold_the_rows_in_hand(page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, Callable[[], bytes]] = {}
    plain = st.download_button

    def keep(label: str, data: Any, **more: Any) -> Any:
        written[label] = data
        return plain(label, data, **more)

    monkeypatch.setattr(st, "download_button", keep)
    select(page(), 2)
    (line,) = written["JSON Lines"]().splitlines()
    assert json.loads(line) == {"id": "c", "prompt": "no target", "source": "two", "edit": "", "tags": ""}
    assert written["CSV"]().decode("utf-8-sig").splitlines()[1].startswith('"c","no target"')


def test_an_export_says_how_each_answer_was_made(
    page: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch, fake_service: Service
) -> None:
    written: dict[str, Callable[[], bytes]] = {}
    plain = st.download_button

    def keep(label: str, data: Any, **more: Any) -> Any:
        written[label] = data
        return plain(label, data, **more)

    app = page()
    here, spec = fake_service.store.workspace(), fake_service.specs()[0]
    first = here.examples.of(app.session_state["dataset"])[0]
    params = GenerationParams(max_new_tokens=7, stop=("\n",))
    model = FakeModel(spec)
    made = model.generate(model.tokenize(first.prompt), params)
    fake_service.store.save_generation(generation_key(first.prompt, spec, params), made, prompt=first.prompt)
    monkeypatch.setattr(st, "download_button", keep)
    app.run()
    line = json.loads(written["JSON Lines"]().splitlines()[0])
    told = line["made by (fake)"]
    assert (told["model"], told["precision"], told["sent_as"]) == ("fake", "float32", "plain")
    assert (told["max_new_tokens"], told["stop"], told["ended"]) == (7, ["\n"], made.stop_reason)
    assert "path" not in told


def test_counts_are_the_same_on_the_page_in_the_log_and_in_the_export(
    page: Callable[[], AppTest], caplog: pytest.LogCaptureFixture, fake_service: Service
) -> None:
    caplog.set_level("INFO")
    app = upload(page(), "new.jsonl", b'{"prompt": "first"}\nnot json\n{"prompt": " "}\n{"prompt": "x"}\n')
    button(app, "Add 3 rows").click().run()
    (told,) = [plainly(i.value) for i in app.success]
    sentence = told.removeprefix("2 examples loaded. ")
    assert sentence.startswith("4 rows in the file, 2 used, 2 left out (")
    assert f"Dataset, new: {sentence}" in caplog.messages
    here = fake_service.store.workspace()
    about = about_export(here.datasets.all()[-1], 2, "shown")
    assert about["how it was read"] == sentence
    assert (about["rows in the file"], about["rows used"], sum(about["rows left out"].values())) == (4, 2, 2)
    assert about["lines that could not be read"][0][0] == 2


def test_columns_of_the_file_that_are_called_like_ours_are_kept_apart(
    open_app: Callable[..., AppTest], fake_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {
        "response (fake)": "theirs",
        "response (fake) (from the file)": "theirs too",
        "exact_match (fake)": "0.25",
        "verdict (fake)": "splendid",
        "made by (fake)": "hand",
        "why: Contains the target (fake)": "because",
    }
    here = fake_service.store.workspace()
    dataset = here.datasets.add("again", [Example("a", "abc", "cba", "one", fields=theirs)]).id
    asked = [as_checked("contains", {})]
    here.marks.save_checks(dataset, DatasetChecks(tuple(to_json(asked)), ()))
    app = open_app("dataset", dataset=dataset)
    button(app, "Run fake on 1 row").click().run()
    finish(app)
    written: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, **more: written.update({label: data}))
    app.run()
    assert not app.exception
    line = json.loads(written["JSON Lines"]())
    assert (line["response (fake)"], line["verdict (fake)"]) == ("cba", "right")
    assert line["made by (fake)"]["model"] == "fake"
    assert line["why: Contains the target (fake)"].startswith("right: ")
    for name in ("verdict (fake)", "made by (fake)", "why: Contains the target (fake)"):
        assert line[f"{name} (from the file)"] == theirs[name]
    assert line["response (fake) (from the file)"] == "theirs too"
    assert line["response (fake) (from the file) (from the file)"] == "theirs"
    assert line["exact_match (fake)"] == "0.25"  # nothing of ours is called so yet


def test_an_empty_dataset_says_so(fake_service: Service, open_app: Callable[..., AppTest]) -> None:
    dataset = fake_service.store.workspace().datasets.add("none", [])
    app = open_app("dataset", dataset=dataset.id)
    assert not app.exception
    assert any("has no examples yet" in info.value for info in app.info)


def test_many_rows_come_a_page_at_a_time(fake_service: Service, open_app: Callable[..., AppTest]) -> None:
    rows = [Example(f"e{i}", f"prompt {i}") for i in range(1200)]
    dataset = fake_service.store.workspace().datasets.add("many", rows)
    app = open_app("dataset", dataset=dataset.id)
    assert len(prompts(app)) == 500
    app.number_input[0].set_value(3).run()
    assert prompts(app) == [f"prompt {i}" for i in range(1000, 1200)]


class TestHosted:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"mode": "hosted", "MAX_EXAMPLES": 2}

    def test_files_of_the_server_are_not_offered_and_limits_are_told(self, fake_service: Service) -> None:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.run()
        app.switch_page("pages/dataset.py")
        app.run()
        assert "File on this machine" not in [box.label for box in app.text_input]
        app.text_input(key="dataset url").set_value("http://127.0.0.1:9/a.txt").run()
        app.button(key="dataset load url").click().run()
        assert "private network" in app.error[0].value
        workspace = fake_service.store.workspace(app.session_state["workspace"])
        workspace.datasets.add("full", ROWS[:2])
        app.file_uploader[0].upload("more.txt", b"one more\n").run()
        app.button(key="dataset load file").click().run()
        button(app, "Add 1 row").click().run()
        assert "holds 2 examples and may hold 2; 1 more" in app.error[0].value


class TestStartup:
    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "menu.txt").write_text("from the operator\n", encoding="utf-8")
        return {"DATASETS": f"menu:{tmp_path / 'menu.txt'},gone:{tmp_path / 'gone.txt'}"}

    def test_the_operators_datasets_are_there_also_one_that_cannot_be_read(
        self, fake_service: Service
    ) -> None:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.run()
        assert not app.exception
        menu, gone = fake_service.store.workspace().datasets.all()[-2:]
        assert (menu.name, menu.rows, menu.shared, gone.name, gone.rows) == ("menu", 1, True, "gone", 0)
        assert "cannot be read" in gone.problems[0][1]


def test_a_second_tab_says_that_the_run_goes_on(
    page: Callable[[], AppTest], fake_service: Service, model: FakeModel
) -> None:
    reached, go = threading.Event(), threading.Event()

    def hold_after_the_first(what: str) -> None:
        if what == "batch" and model.calls.count("generate") == 1:
            reached.set()
            assert go.wait(30)

    model.step = hold_after_the_first
    app = page()
    button(app, "Run fake on 3 rows").click().run()
    assert reached.wait(30)
    other = page()
    said = [plainly(caption.value) for caption in other.caption]
    assert any("has answered 1 of 3 rows so far; the run goes on." in line for line in said)
    assert not any(b.label in ("Go on", "Forget", "Stop") for b in other.button)
    assert any(line.startswith("Somebody else's work") for line in said)
    mine = [plainly(caption.value) for caption in app.run().caption]
    assert any(
        line.startswith("Run the model: 3 rows") and line.endswith("goes on when you leave") for line in mine
    )
    go.set()
    finish(app)
