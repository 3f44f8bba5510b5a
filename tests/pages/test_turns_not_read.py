"""A template that leaves the system message out: told beside every answer, on every page that asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.models.language_model import Capabilities
from core.records import Example, Message, Tokens
from core.service import Service
from core.ui.asking.conversation import FIELD
from core.ui.dataset_page.making import turns_of_row
from tests.unit.fake_model import FakeModel

TOLD = "chat template leaves out or rewrites the system message"
SYSTEM = [{"role": "system", "content": "Be kind."}]
ROWS = [
    Example("a", "one\ntwo\nabc", "cba", fields={FIELD: SYSTEM}),
    Example("b", "great soup", "zzz", fields={FIELD: SYSTEM}),
    Example("c", "no chat", "zzz"),
]


class Deaf(FakeModel):
    """Reads no system message, as a template that leaves it out."""

    capabilities = Capabilities(gradients=False, chat=True)

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        if not isinstance(prompt, str):
            prompt = "".join(turn.content for turn in prompt if turn.role != "system")
        return super().tokenize(prompt, response)


@pytest.fixture
def load() -> Callable[..., Any]:
    return lambda spec, **more: Deaf(spec)


@pytest.fixture
def options() -> dict[str, Any]:
    return {"MODEL_CONFIG": "fake:fake/model,other:fake/other"}


@pytest.fixture
def page(open_app: Callable[..., AppTest], fake_service: Service) -> Callable[[str], AppTest]:
    dataset = fake_service.store.workspace().datasets.add("rows", ROWS)
    with fake_service.manager.get(fake_service.resolve(fake_service.spec())):
        pass  # that it can chat is known once it is loaded
    return lambda name, **more: open_app(name, dataset=dataset.id, example="a", **more)


def press(app: AppTest, start: str) -> None:
    next(b for b in app.button if b.label.startswith(start)).click().run()
    assert not app.exception


def finish(app: AppTest, comparison: str = "") -> AppTest:
    for _ in range(8):
        try:
            jobs = (
                app.session_state[comparison].jobs() if comparison else app.session_state["job box"].values()
            )
        except KeyError:
            jobs = ()
        for job in list(jobs):
            assert job.wait(30)
        app.run()
        assert not app.exception
    return app


def told(app: AppTest) -> list[str]:
    return [c.value.replace("\\", "") for c in app.caption if TOLD in c.value.replace("\\", "")]


def test_compare_models_tells_it_under_each_answer(page: Callable[..., AppTest]) -> None:
    app = page("compare_models")
    press(app, "Run")
    assert len(told(finish(app, "comparison models"))) == 2


def test_compare_prompts_tells_it_under_each_answer(page: Callable[..., AppTest]) -> None:
    app = page("compare_prompts")
    press(app, "Run")
    assert len(told(finish(app, "comparison prompts"))) == 2


def test_a_run_over_rows_counts_it_and_the_row_and_the_export_say_it(
    page: Callable[..., AppTest], fake_service: Service
) -> None:
    app = page("dataset")
    app.segmented_control(key="rows sent as").set_value("chat").run()
    press(app, "Run fake on 3 rows")
    said = told(app)
    for _ in range(4):
        for job in list(app.session_state["job box"].values()):
            assert job.wait(30)
        app.run()
        said += told(app)
    assert said and said[0].startswith("3 done") and "In 2 rows: the model's chat template" in said[0]
    press(app, "Run fake on 3 rows")  # nothing is asked anew, and it is told all the same
    said = told(app)
    for _ in range(4):
        for job in list(app.session_state["job box"].values()):
            assert job.wait(30)
        app.run()
        said += told(app)
    assert said and "known already" in said[0] and "In 2 rows: " in said[0]
    here = fake_service.store.workspace()
    answers = here.results.responses(app.session_state["dataset"])
    found = {
        name: turns_of_row(here, fake_service.store, name, key)
        for name, key in zip(answers["id"], answers["key"])
    }
    assert [len(found[name]) for name in "abc"] == [1, 1, 0]


def test_what_if_tells_it_of_the_changed_prompts(page: Callable[..., AppTest]) -> None:
    app = page("counterfactuals")
    press(app, "Make changes")
    app.segmented_control(key="rows sent as").set_value("chat").run()
    press(app, "Run 3 and rank")
    assert any("In 3 rows: " in one for one in told(finish(app)))
