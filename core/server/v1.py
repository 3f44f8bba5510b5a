"""Whence's own endpoints: the full salience matrix, and answers as they are written."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from core.answer_defaults import answer_default
from core.errors import AppError
from core.jobs import Job
from core.models.control_text import read_prompt
from core.models.language_model import LanguageModel
from core.read_turns import turns_not_read
from core.records import Generation, GenerationParams, Message, Role, SalienceMatrix, Tokens
from core.salience import method
from core.server.errors import DOCUMENTED, ErrorBody, Fault
from core.server.forms import GenerateRequest, MatrixAnswer, ModelFacts, Prompt, SalienceQuestion
from core.server.state import State
from core.server.waiting import news, result, told, too_slow, unless_gone
from core.service import CLICK, NORMAL

router = APIRouter(prefix="/v1", tags=["Whence"], responses=DOCUMENTED)
EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["text", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
PING_SECONDS = 15.0
"""A comment this often keeps proxies from closing a stream that waits."""


def facts(state: State) -> ModelFacts:
    spec = state.spec
    return ModelFacts(name=spec.name, revision=spec.revision, precision=spec.precision, device=spec.device)


def _sign(matrix: SalienceMatrix) -> str:
    """What the sign of a map says."""
    if not matrix.signed:
        return "strength only, never negative"
    if not method(matrix.request.method).sign_holds:
        return "positive supports the target to first order; not reliable on real models: read the size"
    return "positive supports the target"


def _prompt(state: State, prompt: Prompt, *more: str) -> str | tuple[Message, ...]:
    turns = [prompt] if isinstance(prompt, str) else [turn.content for turn in prompt]
    state.check_text(*turns, *more)
    if isinstance(prompt, str):
        return prompt
    return tuple(Message(turn.role, turn.content) for turn in prompt)


@router.post("/salience")
async def salience(request: Request, body: SalienceQuestion) -> MatrixAnswer:
    """Scores of every token for every token of the target. Positive supports the target (Whence's sign)."""
    state: State = request.app.state.whence
    chosen, prompt = method(body.method), _prompt(state, body.prompt, body.target)
    owner = state.owner()

    def read(model: LanguageModel, context: object) -> Tokens:
        known = (
            state.written.tokens(prompt, body.target)
            if isinstance(prompt, str) and not body.as_text
            else None
        )
        return known or state.service.fitting(read_prompt(model, prompt, body.target, as_text=body.as_text))

    reading = state.service.with_model(
        read, state.spec, kind="tokenize", asks=(owner,), owner=owner, priority=CLICK
    )
    tokens = await result(request, reading, state.limits.request_seconds)
    job = state.service.maps.fill(tokens, state.spec, chosen.name, owner=owner, rest=NORMAL)
    matrix = (await result(request, job, state.limits.request_seconds))[chosen.name]
    return MatrixAnswer(
        model=facts(state),
        method=chosen.name,
        units=matrix.units,
        signed=matrix.signed,
        sign=_sign(matrix),
        tokens=list(tokens.strings),
        special=tokens.special.tolist(),
        template=(tokens.role == Role.TEMPLATE).tolist(),
        prompt_tokens=tokens.prompt_len,
        targets=list(matrix.request.targets),
        values=matrix.values.tolist(),
        unmeasured=np.flatnonzero(chosen.unmeasured(matrix.request)).tolist() if chosen.unmeasured else [],
        note=state.service.maps.note(tokens, state.spec),
        turns_not_read=list(turns_not_read(tokens, prompt)),
    )


@router.post(
    "/generate",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `text` with `{text}` as it grows (the new part), then one "
            "`done` with `{text, stop_reason, prompt_tokens, response_tokens, logprob_nats, seconds, "
            "turns_not_read}`, the "
            "whole text being the valid one, or one `error` of the form of other faults.",
            "content": {"text/event-stream": {"schema": EVENT}},
        }
    },
)
async def generate(request: Request, body: GenerateRequest) -> StreamingResponse:
    """The answer as it is written. Faults before its first word have their own status."""
    state: State = request.app.state.whence
    proposed = answer_default(body.prompt if isinstance(body.prompt, str) else ())
    stop = proposed.stop if body.stop is None else tuple(body.stop)
    params = GenerationParams(
        max_new_tokens=body.max_new_tokens or state.limits.max_new_tokens or proposed.max_new_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        stop=stop,
        as_text=body.as_text,
    )
    prompt = _prompt(state, body.prompt, *stop)
    job = state.service.answers.generate(prompt, state.spec, params, owner=state.owner())
    events = _events(state, prompt, job)
    first = await unless_gone(request, anext(events))  # an AppError here is still an answer with a status
    return StreamingResponse(_then(first, events), media_type="text/event-stream", headers=NO_CACHE)


NO_CACHE = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def _then(first: str, events: AsyncIterator[str]) -> AsyncIterator[str]:
    try:
        yield first
        async for event in events:
            yield event
    finally:
        await events.aclose()  # type: ignore[attr-defined]


async def _events(
    state: State, prompt: str | tuple[Message, ...], job: Job[Generation]
) -> AsyncIterator[str]:
    """Server-sent events of `job`; it is stopped when the reader leaves or the time is over."""
    seconds, sent = state.limits.request_seconds, ""
    ends = asyncio.get_running_loop().time() + seconds
    async with news(job) as changed:
        while True:
            changed.clear()
            text, finished = job.partial or "", job.finished
            if text != sent and text.startswith(sent):
                fresh, sent = text[len(sent) :], text
                yield _event("text", {"text": fresh})
            if finished:
                break
            left = ends - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(min(PING_SECONDS, left)):
                    await changed.wait()
            except TimeoutError:
                if left <= PING_SECONDS:
                    if not sent:
                        raise too_slow(seconds) from None
                    yield _fault(too_slow(seconds))
                    return
                if sent:
                    yield ": waiting\n\n"
        if job.error is not None:
            if not sent:
                raise told(job.error)
            yield _fault(told(job.error))
            return
        made = job.get(0)
        if isinstance(prompt, str) and not made.params.as_text:
            state.written.remember(prompt, made)
        state.figures.tokens.inc(len(made.logprob_nats))
        nats = [None if math.isnan(value) else value for value in made.logprob_nats.tolist()]
        yield _event(
            "done",
            {
                "text": made.text,
                "stop_reason": made.stop_reason,
                "prompt_tokens": made.tokens.prompt_len,
                "response_tokens": len(nats),
                "logprob_nats": nats,
                "seconds": made.seconds,
                "turns_not_read": list(turns_not_read(made.tokens, prompt)),
            },
        )


def _event(name: str, data: dict[str, object]) -> str:
    """JSON has no line breaks of its own, so one `data` line is enough."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _fault(fault: AppError) -> str:
    problem = ErrorBody(error=Fault(code=fault.code, message=fault.message, hint=fault.hint))
    return _event("error", problem.model_dump())
