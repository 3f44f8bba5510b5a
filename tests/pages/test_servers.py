"""The page that answers why, over servers: with probabilities by request, and with text alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.models.language_model import Capabilities, ResponseReading
from core.records import ModelSpec, Tokens
from core.service import Service
from tests.unit.fake_model import FakeModel


class Server(FakeModel):
    """Tells probabilities by request where its capabilities say so: a word is likely while its letter is there."""

    def reading(self, tokens: Tokens, rows: Sequence[int], **_: Any) -> ResponseReading:
        self.calls.append("reading")
        prompt = tokens.text[: tokens.prompt_chars]
        nats = np.array([-0.1 if char in prompt else -9.0 for char in tokens.response], np.float32)
        return ResponseReading(nats, nats > -1, len(tokens), np.zeros(len(nats), bool))


@pytest.fixture
def made() -> list[Server]:
    return []


@pytest.fixture
def load(made: list[Server], request: pytest.FixtureRequest) -> Callable[..., Any]:
    def of(spec: ModelSpec, **_: Any) -> Server:
        made.append(Server(spec))
        made[-1].capabilities = request.param
        return made[-1]

    return of


BY_REQUEST = Capabilities(gradients=False, salience=False, requests=True)
TEXT_ALONE = Capabilities(gradients=False, salience=False, logprobs=False)


def run(app: AppTest) -> AppTest:
    app.session_state["orders"] = [{"order": "run", "text": "one line\nabc."}]
    app.run()
    return settle(app)


def settle(app: AppTest) -> AppTest:
    for _ in range(4):
        held = [*app.session_state["asked"].values(), *app.session_state["answers"].values()]
        again = app.session_state.get("asked again", {})
        for job in [j for one in held for j in (one.job, *one.map_jobs.values()) if j] + list(again.values()):
            assert job.wait(30)
        app.run()
        assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    app.run()
    return settle(app)


@pytest.mark.parametrize("load", [BY_REQUEST], indirect=True)
def test_what_costs_requests_is_told_before_and_started_by_a_button(
    open_app: Callable[..., AppTest], made: list[Server], fake_service: Service
) -> None:
    app = run(open_app("salience"))
    asked = [name for one in made for name in one.calls if name == "reading"]
    price = next(c.value for c in app.caption if "is taken out and the server asked" in c.value)
    assert "3 requests" in price and "12 at most" in price and not asked
    app = press(app, "Ask")
    assert [name for one in made for name in one.calls].count("reading") == 3
    (answer,) = app.session_state["answers"].values()
    (job,) = answer.map_jobs.values()
    assert job.state == "done" and not app.error


@pytest.mark.parametrize("load", [TEXT_ALONE], indirect=True)
def test_a_model_of_text_alone_is_asked_again_without_each_part(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    app = run(open_app("salience"))
    assert not app.error  # it has no map, which is no fault; what can be asked is open
    assert any("2 answers" in caption.value for caption in app.caption)
    app = press(app, "Ask again without each")
    assert any("1 of 2 lines changes the answer when taken out" in m.value for m in app.markdown)
    assert app.dataframe[0].value["Without it"].tolist() == ["the words are gone", "still says so"]
