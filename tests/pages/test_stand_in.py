"""An answer of a server that tells its words alone, explained by a local model and checked on the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import AppError
from core.models.language_model import Capabilities
from core.records import ModelSpec, Tokens
from core.ui.salience_page import stand_in
from tests.pages.test_servers import press, run
from tests.unit.fake_model import FakeModel


class TextAlone(FakeModel):
    capabilities = Capabilities(gradients=False, salience=False, logprobs=False)

    def logprobs(self, tokens: Tokens) -> NoReturn:
        raise AppError("It tells no probabilities.", code="unsupported")


@pytest.fixture
def options() -> dict[str, Any]:
    return {"MODEL_CONFIG": "server:fake/server,local:fake/local"}


@pytest.fixture
def load() -> Callable[..., Any]:
    def of(spec: ModelSpec, **_: Any) -> FakeModel:
        return TextAlone(spec) if spec.name == "server" else FakeModel(spec)

    return of


def test_its_map_is_named_as_what_it_is_and_checked(
    open_app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in, "fits", lambda spec: spec.name == "server")
    app = run(open_app("salience"))
    app.session_state["details"] = "A stand-in's map"
    app.run()
    app = press(app, "Explain by it")
    for job in app.session_state["stand-ins"].values():
        assert job.wait(30)
    app.run()
    assert not app.exception and not app.error
    said = " ".join(text.value for text in app.markdown).replace("\\", "")
    assert "The map of local" in said and "local finds this answer 0.47 likely" in said  # e^-0.75
    assert app.dataframe[0].value["Taken out, server"].tolist() == ["not measured"] * 2
    app = press(app, "Check its first 2 on server")
    for trials in app.session_state["trials"].values():
        for one in trials:
            assert one.writing.wait(30) and one.scoring.wait(30)
    app.run()
    told = dict(zip(app.dataframe[0].value["Where"], app.dataframe[0].value["Taken out, server"]))
    assert told == {"line 1": "answer stays", "line 2": "answer turns"}
