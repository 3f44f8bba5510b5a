"""The Compare models page over models without weights, whose answers differ by precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.checks import as_checked, to_json
from core.errors import AppError
from core.models.language_model import Capabilities
from core.models.manager import ModelManager
from core.records import Example, Generation, ModelSpec, Tokens
from core.service import Service
from core.settings import ROOT, Settings
from core.store.marks import DatasetChecks
from tests.pages.drawn import bar_tables
from tests.unit.fake_model import FakeModel

ROWS = [Example("a", "abc def\nghi jkl\nmno", None, "one")]


class Quantised(FakeModel):
    """Finds what it is asked less likely, and writes the last letter differently."""

    def generate(self, tokens: Tokens, *args: Any, **kwargs: Any) -> Generation:
        made = super().generate(tokens, *args, **kwargs)
        text = made.text[:-1] + "X"
        whole = self.tokenize(tokens.text[: tokens.prompt_chars], text)
        return Generation(
            made.example_id, self.spec, made.params, whole, text, made.logprob_nats, "eos", made.seconds
        )

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        return super().logprobs(tokens) * 4


@pytest.fixture
def loads() -> list[str]:
    return []


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loads: list[str]) -> Iterator[Service]:
    def load(spec: ModelSpec, **_: Any) -> FakeModel:
        loads.append(spec.precision)
        if spec.precision == "int8":
            raise AppError("There is not enough memory.", hint="Choose nf4.")
        model = (Quantised if spec.precision == "nf4" else FakeModel)(spec)
        if spec.precision == "bfloat16":
            model.capabilities = Capabilities(
                gradients=False, salience=False, why={"gradients": "it gives none"}
            )
        return model

    chosen = Settings(
        data_dir=tmp_path / "home", MODEL_CONFIG="one:fake/one", precision="float32", _env_file=None
    )
    made = Service(chosen, manager=ModelManager(load))
    monkeypatch.setattr("core.ui.shell.services.settings", lambda: chosen)
    monkeypatch.setattr("core.service.Service", lambda _settings: made)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def app(service: Service) -> AppTest:
    dataset = service.store.workspace().datasets.add("rows", ROWS)
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    page.session_state["dataset"] = dataset.id
    page.switch_page("pages/compare_models.py")
    return page.run()


def run(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == "Run").click().run()
    return finish(app)


def finish(app: AppTest) -> AppTest:
    """Waits for every job of the comparison, one after the other, as the page asks for them."""
    calm = 0
    for _ in range(60):
        jobs = app.session_state["comparison models"].jobs()
        for job in jobs:
            assert job.wait(30)
        app.run()
        assert not app.exception
        # What has ended may be what the next step waited for: two runs without anything under way are the end.
        calm = 0 if jobs else calm + 1
        if calm == 2:
            break
    return app


def parts(app: AppTest) -> list[str]:
    """The parts of the prompt in the list of all models."""
    (found,) = bar_tables(app)
    return [line["label"] for line in found["panels"][0]["lines"]]


def headings(app: AppTest) -> list[str]:
    return [s.value for s in app.subheader]


def captions(app: AppTest) -> str:
    return "\n".join(c.value.replace("\\", "") for c in app.caption)


def compared(app: AppTest) -> Any:
    """The menu of models."""
    return next(one for one in app.multiselect if one.label == "Models to compare")


def test_the_first_paint_offers_the_model_against_itself_in_nf4(app: AppTest, service: Service) -> None:
    assert not app.exception
    menu = compared(app)
    assert menu.value == ["one · float32", "one · nf4"]
    assert [f"one · {p}" for p in ("float32", "bfloat16", "nf4", "int8")] == list(menu.options)
    assert not service.manager.loaded
    assert "Press Run" in app.info[0].value


def test_answers_judgements_maps_and_agreement(app: AppTest, loads: list[str]) -> None:
    run(app)
    assert headings(app) == ["Where it came from"]
    assert loads == ["float32", "nf4", "float32"]  # turns: nf4 judges and explains before it goes
    # Rows: answers of float32, nf4. Both tell -0.5 nats of their own; the other's: -0.25 and -1.
    assert app.session_state["comparison models"].mean_nats().tolist() == [[-0.5, -1.0], [-0.25, -0.5]]
    assert "Explaining" in captions(app)
    said = " ".join(m.value.replace("\\", "") for m in app.markdown)
    assert "Different answers, yet for the same reason (agreement 1.00)." in said


def verdicts(app: AppTest) -> list[str]:
    """The lines under the answers, left to right."""
    lines = (m.value.replace("\\", "") for m in app.markdown)
    return [said for said in lines if said.startswith((":green[", ":red[", ":gray["))]


def test_each_models_answer_has_the_verdict_of_the_datasets_checks(app: AppTest, service: Service) -> None:
    here = service.store.workspace()
    asked = [as_checked("contains", {"text": "onm"}), as_checked("length", {"most": 9})]
    here.marks.save_checks(here.examples.dataset_of("a"), DatasetChecks(tuple(to_json(asked)), ()))
    compared(app).set_value(["one · float32", "one · int8", "one · nf4"]).run()
    run(app)
    # float32 writes "onm", nf4 "onX"; int8 does not load, so that there is nothing to judge.
    right, wrong = verdicts(app)
    assert right.startswith(":green[✓ right] it contains “onm”; ")
    assert wrong == ":red[✗ wrong] not: it contains “onm”"


def test_an_answer_that_was_stopped_is_not_judged(app: AppTest, service: Service) -> None:
    class Cut(FakeModel):
        def generate(self, *args: Any, **kwargs: Any) -> Generation:
            return replace(super().generate(*args, **kwargs), stop_reason="stopped")

    service.manager._loader = lambda spec, **_: (Cut if spec.precision == "nf4" else FakeModel)(spec)
    here = service.store.workspace()
    asked = [as_checked("contains", {"text": "zzz"})]
    here.marks.save_checks(here.examples.dataset_of("a"), DatasetChecks(tuple(to_json(asked)), ()))
    run(app)
    assert verdicts(app) == [":red[✗ wrong] not: it contains “zzz”"]


def select(app: AppTest, label: str, value: str) -> AppTest:
    (menu,) = (s for s in app.selectbox if s.label == label)
    menu.set_value(value).run()
    return finish(app)


def test_parts_by_ones_own_expression(app: AppTest) -> None:
    run(app)
    select(app, "Granularity", "custom")
    (box,) = app.text_input
    box.set_value("[aek]").run()
    finish(app)
    # "abc def\nghi jkl\nmno" ends a part behind each a, e and k.
    assert len(parts(app)) == 4
    box = next(t for t in app.text_input if t.label == box.label)
    box.set_value("(").run()
    finish(app)
    assert len([e for e in app.error if "regular expression is broken" in e.value]) == 1
    assert len(parts(app)) == 3  # lines instead: the prompt has three


def test_the_chosen_options_of_a_method_are_asked_for(app: AppTest, service: Service) -> None:
    run(app)
    select(app, "Method", "integrated_gradients")
    (steps,) = (s for s in app.number_input if s.label == "Steps")
    steps.set_value(3).run()
    finish(app)
    requests = [key for side in app.session_state["comparison models"].sides for key in side.maps]
    assert len(requests) == len(set(requests)) == 2 * 3  # Grad L2, and both numbers of steps


def test_a_model_that_fails_leaves_the_others_standing(app: AppTest) -> None:
    compared(app).set_value(["one · float32", "one · int8", "one · nf4"]).run()
    run(app)
    assert "not enough memory" in app.error[0].value
    assert "agreement" in " ".join(m.value for m in app.markdown)
    known = np.isfinite(app.session_state["comparison models"].mean_nats())
    assert known.tolist() == [[True, False, True], [False] * 3, [True, False, True]]


def test_a_model_without_gradients_says_so(app: AppTest) -> None:
    compared(app).set_value(["one · float32", "one · bfloat16"]).run()
    run(app)
    assert "one · bfloat16: GIM cannot explain" in captions(app)
    said = " ".join(m.value.replace("\\", "") for m in app.markdown)
    assert "Same answer." in said and "agreement" not in said


def test_one_model_is_not_a_comparison(app: AppTest) -> None:
    compared(app).set_value(["one · nf4"]).run()
    assert not app.exception
    assert "at least two" in app.info[0].value


def test_the_same_comparison_costs_nothing_the_second_time(app: AppTest, loads: list[str]) -> None:
    run(app)
    before = list(loads)
    app.session_state["comparison models"] = None
    finish(app.run())
    assert headings(app)[0] == "Where it came from"
    assert loads == before


def test_stop_ends_every_part(app: AppTest, service: Service) -> None:
    import threading

    gate, reached = threading.Event(), threading.Event()

    class Slow(FakeModel):
        def tokenize(self, *args: Any, **kwargs: Any) -> Tokens:
            reached.set()
            assert gate.wait(30)
            return super().tokenize(*args, **kwargs)

    service.manager._loader = lambda spec, **_: Slow(spec)
    next(b for b in app.button if b.label == "Run").click().run()
    assert reached.wait(30)
    next(b for b in app.button if b.label == "Stop").click().run()
    gate.set()
    finish(app)
    assert not app.exception
    assert service.depth == 0
    assert "agreement" not in " ".join(m.value for m in app.markdown)  # not all were explained
