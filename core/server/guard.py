"""What every request passes before its endpoint: one form of its path, the bearer token, the size, the count.

Plain ASGI, so that a request without the right token, or of too many bytes, is refused before it is read.
"""

from __future__ import annotations

import hmac
import re
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import AppError
from core.server.errors import response, too_large

if TYPE_CHECKING:
    from core.server.state import State

OPEN = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""Paths that tell nothing of the model or of anybody's text."""


class Guard:
    """LIT's client asks for `//predict` when its address ends in a slash; a trailing slash is welcome too."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self.state = app, state
        self._most = state.limits.max_body_bytes
        self._token = state.settings.server_token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = re.sub("/{2,}", "/", scope["path"]).rstrip("/") or "/"
        scope = {**scope, "path": path, "raw_path": path.encode()}
        started, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413)
            return message

        figures = self.state.figures
        figures.in_flight.inc()
        try:
            fault = self._refusal(path, Headers(scope=scope))
            if fault is None:
                await self.app(scope, counted, watched)
            else:
                await response(fault)(scope, receive, watched)
        finally:
            figures.in_flight.dec()
            # Paths nobody serves share one name, or a scanner could fill the memory with names.
            name = path if path in self.state.paths else "other"
            figures.requests.labels(name, str(status)).inc()
            figures.seconds.labels(name).observe(time.perf_counter() - started)

    def _refusal(self, path: str, headers: Headers) -> AppError | None:
        """Why the request is not even read, if it is not."""
        if path not in OPEN and not self._known(headers):
            return AppError(
                "The bearer token is missing or wrong.",
                hint="Send it as `Authorization: Bearer <token>`.",
                code="unauthorized",
            )
        told = headers.get("content-length", "")
        if told.isdecimal() and int(told) > self._most:
            return too_large(self._most)
        return None

    def _known(self, headers: Headers) -> bool:
        """Whether the request has the operator's token, compared in constant time."""
        if not self._token:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self._token)
        return same and scheme.lower() == "bearer"
