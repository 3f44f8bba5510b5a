"""Checks of one's own through the pages: set up, verdicts as columns, filters, metrics, and a judge's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.records import Example, ModelSpec
from core.service import Service
from core.store.marks import DatasetChecks
from core.ui.dataset_page.findings import with_findings
from tests.pages.drawn import bar_tables
from tests.unit.fake_model import FakeModel

NAME = "fake"
ROWS = [
    Example("a", "abc", "cba", "one", fields={"old": "cba"}),
    Example("b", "xyz", "zzz", "two", fields={"old": "zzz, 5"}),
    Example("c", "no target", None, "two"),
]


@pytest.fixture
def dataset(fake_service: Service) -> str:
    return fake_service.store.workspace().datasets.add("rows", ROWS).id


def button(app: AppTest, start: str) -> Any:
    (found,) = [b for b in app.button if b.label.startswith(start)]
    return found


def finish(app: AppTest) -> None:
    for job in list(app.session_state["job box"].values() if "job box" in app.session_state else ()):
        assert job.wait(30)
    app.run()


def table(app: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if "prompt" in frame.value)


def keep(service: Service, dataset: str, *conditions: Any, columns: tuple[str, ...] = ()) -> None:
    service.store.workspace().marks.save_checks(dataset, DatasetChecks(tuple(to_json(conditions)), columns))


def test_a_check_is_set_up_and_gives_every_answer_a_verdict(
    open_app: Callable[..., AppTest], fake_service: Service, dataset: str
) -> None:
    app = open_app("dataset", dataset=dataset)
    button(app, "Run fake on 3 rows").click().run()
    finish(app)
    app.selectbox(key="check kind").set_value("contains").run()
    app.button(key="check add").click().run()
    assert not app.exception
    found = table(app).set_index("id") if "id" in table(app) else table(app)
    assert list(found[f"verdict ({NAME})"]) == ["right", "wrong", "unsure"]
    assert [c.value for c in app.markdown if c.value == "Contains the target"]
    app.text_input(key="dataset search").set_value(f'"verdict ({NAME})":wrong').run()
    assert list(table(app)["prompt"]) == ["xyz"]
    app.text_input(key="dataset search").set_value("").run()
    app.selectbox(key=f"dataset rows {dataset}").set_value(f"wrong: {NAME}").run()
    assert list(table(app)["prompt"]) == ["xyz"]
    next(b for b in app.button if str(b.key).startswith("remove check")).click().run()
    assert f"verdict ({NAME})" not in table(app)


def test_an_option_that_can_fit_nothing_is_told_and_not_kept(
    open_app: Callable[..., AppTest], fake_service: Service, dataset: str
) -> None:
    app = open_app("dataset", dataset=dataset)
    app.selectbox(key="check kind").set_value("regex").run()
    app.text_input(key="check regex pattern").set_value("(").run()
    app.button(key="check add").click().run()
    assert not app.exception and any("broken" in error.value for error in app.error)
    assert fake_service.store.workspace().marks.checks(dataset).conditions == ()


def test_verdicts_stand_among_the_metrics_also_for_columns_and_in_groups(
    open_app: Callable[..., AppTest], fake_service: Service, dataset: str
) -> None:
    keep(
        fake_service, dataset, as_checked("contains", {}), as_checked("length", {"most": 1}), columns=("old",)
    )
    app = open_app("dataset", dataset=dataset)
    assert list(table(app)["verdict (column old)"].fillna("")) == ["right", "wrong", ""]
    shown = open_app("metrics", dataset=dataset)
    (menu,) = [box for box in shown.multiselect if box.label == "Whose answers"]
    menu.set_value(["column old"]).run()
    assert not shown.exception
    [every] = [drawn for drawn in bar_tables(shown) if drawn["about"] == "Every metric"]
    lines = every["panels"][0]["lines"]
    told = {line["label"]: (line["bars"][0]["text"].split()[0], line["note"]) for line in lines}
    assert next(iter(told)) == "Right, by your checks" and told["Right, by your checks"][0] == "0.500"
    assert told["Length at most 1 words"][0] == "0.500"
    assert told["Contains the target"][1].endswith("2 rows")
    rows = shown.selectbox(key="metrics rows")
    assert "wrong: column old" in rows.options
    rows.set_value("wrong: column old").run()
    assert not shown.exception


class TestJudge:
    @pytest.fixture
    def load(self) -> Callable[..., Any]:
        class Judge(FakeModel):
            def generate(self, tokens: Any, params: Any, **more: Any) -> Any:
                made = super().generate(tokens, params, **more)
                if "<rubric>" not in tokens.text:
                    return made
                right = "<answer>\ncba" in tokens.text
                said = f"It is {'back' if right else 'forth'}.\nVERDICT: {'RIGHT' if right else 'WRONG'}"
                return self.said(tokens, params, said)

            def said(self, tokens: Any, params: Any, text: str) -> Any:
                from dataclasses import replace

                from tests.unit.fake_model import tokens_of

                whole = tokens_of(tokens.text[: tokens.prompt_chars], text)
                made = super().generate(tokens, params)
                nats = [0.0] * (len(whole) - whole.prompt_len)
                return replace(made, tokens=whole, text=text, logprob_nats=nats)

        def load(spec: ModelSpec, **_: Any) -> FakeModel:
            model = Judge(spec)
            model.context_length = 20_000
            return model

        return load

    def test_a_judge_is_asked_by_its_button_and_its_words_are_kept(
        self, open_app: Callable[..., AppTest], fake_service: Service, dataset: str
    ) -> None:
        judge = as_checked("judge", {"rubric": "It is turned round.", "model": NAME})
        keep(fake_service, dataset, judge)
        app = open_app("dataset", dataset=dataset)
        button(app, "Run fake on 3 rows").click().run()
        finish(app)
        assert list(table(app)[f"verdict ({NAME})"]) == ["unsure"] * 3
        button(app, "Ask the judge about 3 rows").click().run()
        finish(app)
        assert not app.exception
        assert list(table(app)[f"verdict ({NAME})"]) == ["right", "wrong", "wrong"]
        assert not [b for b in app.button if b.label.startswith("Ask the judge")]

    def test_each_reason_and_the_judges_words_stand_with_the_row_and_in_exports(
        self, open_app: Callable[..., AppTest], fake_service: Service, dataset: str
    ) -> None:
        judge = as_checked("judge", {"rubric": "It is turned round.", "model": NAME})
        keep(fake_service, dataset, as_checked("contains", {"text": "cb"}), judge)
        app = open_app("dataset", dataset=dataset)
        button(app, "Run fake on 3 rows").click().run()
        finish(app)
        button(app, "Ask the judge about 3 rows").click().run()
        finish(app)
        here = fake_service.store.workspace()
        (judged,) = (one for one in here.examples.of(dataset) if one.id == "b")
        (grid,) = [one for one in app.dataframe if (one.key or "").startswith("dataset grid")]
        app.session_state[grid.key] = {"selection": {"rows": [1], "columns": [], "cells": []}}
        app.run()
        assert not app.exception
        said = [m.value.replace("\\", "") for m in app.markdown]
        assert [one for one in said if one.startswith(":red[✗ wrong] Contains “cb”: ")]
        assert [one for one in said if one.startswith("Words of the judge: ") and "VERDICT" in one]
        exported = with_findings(here.results.frame(dataset), here, here.datasets.get(dataset)).set_index(
            "id"
        )
        assert exported.loc[judged.id, f"why: Contains “cb” ({NAME})"].startswith("wrong: ")
        (words,) = [c for c in exported if str(c).startswith("words of the judge: ")]
        assert "VERDICT" in str(exported.loc[judged.id, words])


def test_what_same_number_took_stands_with_the_row(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    rows = [Example("n", "3 + 4 =", "#### 7", fields={"theirs": "It is 3 + 4, so 7.5"})]
    here = fake_service.store.workspace()
    made = here.datasets.add("numbers", rows).id
    here.marks.save_checks(made, DatasetChecks((), ("theirs",)))
    exported = with_findings(here.results.frame(made), here, here.datasets.get(made))
    assert list(exported["same number took (column theirs)"]) == ["7.5, of the target 7"]
