"""schemathesis against the OpenAPI text: no 5xx, no answer that the text does not describe.

A few examples an endpoint; `FUZZ_EXAMPLES=1000` in the environment looks harder.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings

from core.models.manager import ModelManager
from core.server.app import create_app
from core.server.config import ServerSettings
from core.service import Service
from core.settings import Settings
from tests.unit.fake_model import FakeModel, NoStore, loader

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
BEYOND_THE_SCHEMA = [schemathesis.checks.positive_data_acceptance]
"""A schema cannot say that a mask is as long as the tokens, or that a prompt is not blank."""


def _app() -> Any:
    chosen = Settings(
        data_dir=Path("unused"), MODEL_CONFIG="fake:fake/model", allowed_hosts="*", _env_file=None
    )
    service = Service(chosen, NoStore(), manager=ModelManager(loader(FakeModel())))  # type: ignore[arg-type]
    app = create_app(chosen, ServerSettings(max_body_bytes=100_000, _env_file=None), service)
    app.router.lifespan_context = _one_life
    app.state.whence.start()
    app.state.whence.loading.wait(20)
    return app


@asynccontextmanager
async def _one_life(app: Any) -> AsyncIterator[None]:
    """schemathesis starts and ends the application around every request; a server's end is for good."""
    yield


CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": EXAMPLES > 8}}})
schema = schemathesis.openapi.from_asgi("/openapi.json", _app(), config=CONFIG)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case: schemathesis.Case) -> None:
    case.call_and_validate(excluded_checks=BEYOND_THE_SCHEMA)
