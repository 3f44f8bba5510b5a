"""The application: endpoints, guard, faults, and what happens when it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.routing import Route

from core.errors import AppError
from core.hosts import LOOPBACK, REFUSED, Names, listed
from core.server import docs_page, errors, lit, monitor, v1
from core.server.config import VERSION, ServerSettings
from core.server.guard import OPEN, Guard
from core.server.state import State
from core.server.waiting import Gone
from core.service import Service
from core.settings import Settings
from core.settings import settings as default_settings

NO_PAGE = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY"}
NO_SCRIPTS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
}
ROUTERS = (lit.router, v1.router, monitor.router)
SUMMARY = (
    "A causal language model and the reasons for what it writes: LIT's `/predict`, `/tokenize` and "
    "`/salience`, and Whence's own `/v1`."
)


def create_app(
    settings: Settings | None = None,
    limits: ServerSettings | None = None,
    service: Service | None = None,
) -> FastAPI:
    """The server's application; its model is loaded when it starts."""
    state = State(settings or default_settings(), limits or ServerSettings(), service)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        state.start()
        yield
        await asyncio.to_thread(state.close)

    app = FastAPI(
        title="Whence model server",
        version=VERSION,
        summary=SUMMARY,
        lifespan=life,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.whence = state
    for router in ROUTERS:
        app.include_router(router)
    docs = docs_page.page(app.openapi())
    app.add_api_route("/docs", lambda: HTMLResponse(docs, headers=NO_SCRIPTS), include_in_schema=False)
    served = (route.path for router in ROUTERS for route in router.routes if isinstance(route, Route))
    state.paths = frozenset(served) | OPEN
    errors.install(app)
    app.add_exception_handler(Gone, _nobody)
    app.add_middleware(Guard, state=state)
    _only_under_its_names(app, state)
    return app


def _only_under_its_names(app: FastAPI, state: State) -> None:
    """Against DNS rebinding. With a bearer token no page of another site can ask anything, whatever the name."""
    open_to_all = bool(state.settings.server_token.get_secret_value())
    names = ("*",) if open_to_all else (*LOOPBACK, state.limits.host, *listed(state.settings.allowed_hosts))
    told = errors.response(AppError(REFUSED, code="wrong_host"))
    refusal = ("application/json", bytes(told.body).decode())
    app.add_middleware(Names, allowed=names, headers=NO_PAGE, refusal=refusal)


async def _nobody(request: Request, left: Exception) -> Response:
    """For the count only: the client that would read it has gone."""
    return Response(status_code=499)
