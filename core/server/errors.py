"""One form for every fault: `{"error": {"code", "message", "hint"}}`, with the status that fits the code.

4xx is the caller's to mend, 5xx is not. A traceback goes to the log and nowhere else, and what the caller
sent is not repeated to them.
"""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from core.errors import AppError

STATUS = {
    # the caller's to mend
    "bad_expression": 422,
    "bad_query": 422,
    "conflict": 422,
    "encoding": 422,
    "forbidden": 422,
    "ask": 422,
    "invalid": 422,
    "limit": 422,
    "mask_length": 422,
    "needs_a_pass": 422,
    "unsupported": 422,
    "unauthorized": 401,
    "too_long": 413,
    "too_large": 413,
    "wrong_host": 421,
    "busy": 429,
    # the server's
    "internal": 500,
    "not_finite": 500,
    "damaged": 500,
    "remote": 502,
    "unreachable": 502,
    "closed": 503,
    "damaged_database": 503,
    "database": 503,
    "disk_full": 503,
    "gated": 503,
    "not_here": 503,
    "terms": 503,
    "memory": 503,
    "missing": 503,
    "model": 503,
    "not_a_database": 503,
    "not_found": 503,
    "read_only": 503,
    "stopped": 503,
    "storage": 503,
    "timeout": 503,
}
"""Status of an `AppError`'s code; one that is not here is a fault of the server: 500. Nobody names a model or a
file in a request, so what is missing, gated or not found is missing on the server."""
RETRY_SECONDS = 5
"""When to come back where the queue tells nothing: no work was done yet, or the model or the storage is at fault."""
LONGEST_RETRY_SECONDS = 300
logger = logging.getLogger(__name__)


class Fault(BaseModel):
    code: str
    """A stable word for programs."""
    message: str
    """What happened, with figures."""
    hint: str = ""
    """What to do."""


class ErrorBody(BaseModel):
    error: Fault


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in {
        400: "The body is not JSON.",
        401: "The bearer token is missing or wrong.",
        413: "The request, a text or its tokens are too long; the message says by how much.",
        422: "The request does not have the form described here.",
        429: "Too many requests wait already; `Retry-After` says when to come back.",
        500: "A fault of the server; its log has the details.",
        502: "The remote model that this server asks failed.",
        503: "The server's model, database or disk cannot serve now, it has no memory or no time for this, or it "
        "is shutting down; `Retry-After` says when to come back.",
    }.items()
}
"""What every endpoint that asks the model may answer besides 200."""


def response(fault: AppError, wait_seconds: float | None = None) -> JSONResponse:
    """`fault` as an answer; `wait_seconds` is what the work that waits will take (None: not known)."""
    status = STATUS.get(fault.code, 500)
    headers = {}
    if status in (429, 503):
        counted = wait_seconds is not None and fault.code in ("busy", "timeout")
        seconds = math.ceil(wait_seconds or 0) if counted else RETRY_SECONDS
        headers["Retry-After"] = str(min(max(seconds, 1), LONGEST_RETRY_SECONDS))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    problem = ErrorBody(error=Fault(code=fault.code, message=fault.message, hint=fault.hint))
    return JSONResponse(problem.model_dump(), status, headers)


def install(app: FastAPI) -> None:
    """Give `app` this form for its own faults, for FastAPI's and for bugs."""

    @app.exception_handler(AppError)
    async def told(request: Request, fault: AppError) -> JSONResponse:
        return response(fault, request.app.state.whence.service.jobs.wait_seconds())

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        if first["type"] == "json_invalid":
            return _with_status(no_json(), 400)
        if tuple(first["loc"]) == ("body",) and isinstance(fault.body, bytes):  # left unread by FastAPI
            untold = AppError(
                "The body was not read, since it does not say that it is JSON.",
                hint="Send the header Content-Type: application/json.",
            )
            return response(untold)
        place = ".".join(str(part) for part in first["loc"])
        return response(AppError(f"{place}: {first['msg']}."))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> JSONResponse:
        if fault.status_code == 413:
            return response(too_large(app.state.whence.limits.max_body_bytes))
        if fault.status_code == 400:  # FastAPI could not read the body, and says no more
            return _with_status(no_json(), 400)
        name = HTTPStatus(fault.status_code).phrase
        known = AppError(f"{name}.", code=name.lower().replace(" ", "_"))
        return _with_status(known, fault.status_code, dict(fault.headers or {}))

    @app.exception_handler(Exception)
    async def bug(request: Request, fault: Exception) -> JSONResponse:
        logger.error("A request to %s failed", request.url.path, exc_info=fault)
        return response(AppError("Something went wrong inside the server.", code="internal"))


def no_json() -> AppError:
    return AppError(
        "The body is not valid JSON, or nested too deeply to be read.",
        hint="Send one JSON object as /docs describes it.",
        code="invalid_json",
    )


def too_large(limit: int) -> AppError:
    return AppError(
        f"The request is larger than the {limit:,} bytes that this server takes.",
        hint="Send fewer examples at once.",
        code="too_large",
    )


def _with_status(fault: AppError, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    problem = ErrorBody(error=Fault(code=fault.code, message=fault.message, hint=fault.hint))
    return JSONResponse(problem.model_dump(), status, headers)
