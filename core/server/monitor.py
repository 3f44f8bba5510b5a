"""How the server is: for load balancers, for people, for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from core.models.configured import told
from core.salience import METHODS
from core.server.config import VERSION
from core.server.errors import DOCUMENTED
from core.server.forms import Health, Info, Ready
from core.server.state import State
from core.server.v1 import facts

router = APIRouter(tags=["Operation"])
GUARDED: dict[int | str, dict[str, Any]] = {401: DOCUMENTED[401]}
PLAIN: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get("/healthz")
async def healthz() -> Health:
    """The process answers; says nothing of the model."""
    return Health(status="ok")


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
async def readyz(request: Request) -> Response:
    """Whether requests are answered without first loading the model, and what is computed can be kept."""
    state: State = request.app.state.whence
    ready = _ready(state)
    if ready.status == "ready":
        fault = await asyncio.to_thread(state.service.storage_fault)
        if fault is not None:
            ready = Ready(status="failed", message=str(fault))
    return JSONResponse(ready.model_dump(), 200 if ready.status == "ready" else 503)


def _ready(state: State) -> Ready:
    loading = state.loading
    if state.stopping:
        return Ready(status="stopping")
    if loading is None or not loading.finished:
        return Ready(status="loading", message=loading.message if loading else "")
    if loading.error is not None:
        state.start_again()
        return Ready(status="failed", message=str(loading.error))
    return Ready(status="ready")


@router.get("/info", responses=GUARDED)
async def info(request: Request) -> Info:
    """The model, its precision, and what this server takes on."""
    state: State = request.app.state.whence
    known = state.service.info(state.spec) or {}
    capabilities = known.get("capabilities")
    return Info(
        version=VERSION,
        model=facts(state),
        backend=state.spec.backend,
        loaded=bool(known),
        parameters=known.get("parameters"),
        bytes=known.get("bytes"),
        notes=list(known.get("notes", ())),
        context_tokens=state.settings.sequence_length or known.get("context"),
        methods=[one.name for one in METHODS if capabilities is None or one.available(capabilities)],
        settings=told(state.settings),
        limits={
            "body_bytes": state.limits.max_body_bytes,
            "text_characters": state.settings.max_prompt_chars,
            "waiting_requests": state.limits.max_queued,
            "request_seconds": state.limits.request_seconds,
            "new_tokens": state.limits.max_new_tokens,
            "batch_size": state.settings.batch_size,
        },
    )


@router.get("/metrics", response_class=Response, responses=GUARDED | {200: PLAIN})
async def metrics(request: Request) -> Response:
    """Counts and times in Prometheus' text form."""
    state: State = request.app.state.whence
    return Response(generate_latest(state.figures.registry), media_type=CONTENT_TYPE_LATEST)
