"""What an OpenAI-compatible server offers for a model, found out by asking for one token in each way.

Servers differ in what they implement of the wire, and say nothing of it: some ignore the question for
log-probabilities, some refuse a field they do not know (`openai_fields`), some echo a prompt only together with a
new token. Wire: OpenAI API reference, "Completions" and "Chat completions".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.errors import AppError, Stopped
from core.models.remote.http import Remote
from core.models.remote.http_faults import RefusalError
from core.models.remote.openai_fields import AcceptedFields
from core.models.remote.openai_stream import REPLACEMENT, Told, ToldPlace, places, told, written
from core.models.remote.server_words import server_words

PROBE = "One two three"
_PROBE_PARAMS = {"max_tokens": 1, "temperature": 0, "top_p": 1, "seed": 0}
_MORE = 8
"""Tokens asked for where the one that came is no character: servers hold such a token back, with all told of it."""
_ROUNDING = 0.3
"""Nats by which a server may tell the same place otherwise: batches and caches round."""
_ABSENT = (404, 405, 501)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server was found to offer for a model."""

    model: str
    completions: bool
    chat: bool
    logprobs: bool
    """Log p of what it wrote, on /completions."""
    chat_logprobs: bool
    echo: bool
    """Log p of what it is given."""
    least: int = 0
    """The `max_tokens` with which it echoes: some servers refuse 0."""
    fields: AcceptedFields = field(default_factory=AcceptedFields)
    places: bool = False
    """The likeliest tokens at each place, on /completions: a given text can be asked token after token."""
    chat_places: bool = False
    """The same of a chat."""
    chat_goes_on: tuple[tuple[str, Any], ...] | None = None
    """Further fields with which a chat goes on from the beginning of its answer; None: it does not."""


def answered(
    remote: Remote, path: str, body: dict[str, Any], stop: threading.Event | None = None
) -> dict[str, Any]:
    """The answer to `body`: an object with `choices`.

    Raises: AppError for anything else, with what the server says in it.
    """
    answer = remote.post(path, body, stop=stop)
    if (fault := remote.fault_in(answer)) is not None:
        raise fault
    if isinstance(answer, dict) and isinstance(answer.get("choices"), list):
        return answer
    if server_words(answer):
        raise remote.broke_off(answer)
    raise AppError(
        f"The server at {remote.address} sent something that is no answer (expected `choices`).",
        hint="Check that it speaks OpenAI's wire.",
        code="remote",
    )


def ask_echo(
    remote: Remote,
    offer_fields: AcceptedFields,
    model: str,
    text: str,
    least: int,
    stop: threading.Event | None = None,
) -> tuple[list[str], list[float]] | None:
    """The server's tokens of `text` and log p of each (the first: 0, nothing stands before it); None where it does
    not tell."""
    body = {"prompt": text, "max_tokens": least, "echo": True, "logprobs": 1, "temperature": 0}
    if model:
        body["model"] = model
    path = "/completions"
    answer = offer_fields.ask(path, body, lambda shaped: answered(remote, path, shaped, stop))
    found: list[Told] = []
    length = 0
    for one in told(_choice(answer).get("logprobs")):
        if length >= len(text):
            break
        found.append(one)
        length += len(one.text)
    if not found or "".join(one.text for one in found) != text:
        return None
    return [one.text for one in found], [0.0 if math.isnan(one.nats) else one.nats for one in found]


def probe(remote: Remote, model: str, stop: threading.Event | None = None) -> Offer:
    """Asks the server for its models, and for one token in each way (a few where the one is no character).

    Raises: AppError where it can neither complete nor chat: the refusal that matters, in the server's words.
    """
    if not model:
        model = _only_model(remote, stop)
    named = {"model": model} if model else {}
    fields = AcceptedFields()

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _choice(fields.ask(path, body, lambda shaped: answered(remote, path, shaped, stop)))

    def ask(path: str, question: dict[str, Any]) -> tuple[dict[str, Any], AppError | None]:
        for extra in ({"logprobs": 1 if "prompt" in question else True}, {}):
            body = {**named, **_PROBE_PARAMS, **question, **extra}
            try:
                found = post(path, body)
                if extra and _says_nothing(found):
                    try:
                        found = post(path, {**body, "max_tokens": _MORE}) or found
                    except Stopped:
                        raise
                    except AppError:
                        return found, None  # it answered one token: what it offers is read from that
                return found, None
            except Stopped:
                raise
            except AppError as error:
                fault = error
                if not isinstance(error, RefusalError) or error.status in _ABSENT:
                    break
        return {}, fault

    written, fault = ask("/completions", {"prompt": PROBE})
    chatted, chat_fault = ask("/chat/completions", {"messages": [{"role": "user", "content": PROBE}]})
    completions, chat = fault is None, chat_fault is None
    if fault is not None and chat_fault is not None:
        raise next((one for one in (chat_fault, fault) if getattr(one, "status", 0) not in _ABSENT), fault)
    logprobs = bool(told(written.get("logprobs")))
    echo, least = False, 0
    if completions and logprobs:
        for least in (0, 1):
            try:
                echo = ask_echo(remote, fields, model, PROBE, least, stop) is not None
            except Stopped:
                raise
            except AppError:
                continue
            if echo:
                break
    chat_logprobs = bool(told(chatted.get("logprobs")))
    chat_places, goes_on = False, None
    if chat_logprobs:
        chat_places, goes_on = _chat_places(named, post)
    return Offer(
        model, completions, chat, logprobs, chat_logprobs, echo, least, fields,
        _places(written), chat_places, goes_on,
    )  # fmt: skip


def _places(choice: dict[str, Any]) -> bool:
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        return False
    items = found.get("content")
    listed = items if isinstance(items, list) else found.get("top_logprobs")
    return any(
        bool(item.get("top_logprobs") if listed is items else item)
        for item in listed or ()
        if isinstance(item, dict)
    )


def _chat_places(
    named: dict[str, Any], post: Callable[[str, dict[str, Any]], dict[str, Any]]
) -> tuple[bool, tuple[tuple[str, Any], ...] | None]:
    """Whether a chat tells the likeliest tokens, and how it goes on from a beginning of its answer.

    It does where the place behind the beginning of its own answer is told as it was within the whole.
    """
    body = {**named, **_PROBE_PARAMS, "max_tokens": _MORE, "logprobs": True, "top_logprobs": 5}
    turn = {"role": "user", "content": PROBE}
    try:
        choice = post("/chat/completions", {**body, "messages": [turn]})
        if not _places(choice):
            return False, None
        free = places(choice.get("logprobs"))
        cut = max(1, len(free) // 2)
        begun = "".join(place.token.text for place in free[:cut])
        if len(free) < 2 or REPLACEMENT in begun:
            return True, None
        for more in ((), (("continue_final_message", True), ("add_generation_prompt", False))):
            asked = {
                **body,
                "max_tokens": 1,
                "messages": [turn, {"role": "assistant", "content": begun}],
                **dict(more),
            }
            found = places(post("/chat/completions", asked).get("logprobs"))
            if found and _alike(found[0], free[cut]):
                return True, more
    except Stopped:
        raise
    except AppError:
        pass
    return True, None


def _alike(one: ToldPlace, other: ToldPlace) -> bool:
    """The same token, and its alternatives as likely as far as both tell them, but for rounding."""
    nats = {told.text: told.nats for told in one.others}
    both = [(told.nats, nats[told.text]) for told in other.others if told.text in nats]
    return (
        one.token.text == other.token.text
        and len(both) * 2 > len(other.others)
        and all(abs(a - b) < _ROUNDING for a, b in both)
    )


def _choice(answer: Any) -> dict[str, Any]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _says_nothing(choice: dict[str, Any]) -> bool:
    """Whether an answer of one token leaves open if the server tells probabilities: its token is no character."""
    if not choice or told(choice.get("logprobs")):
        return False
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    text = written(choice.get("text", content))
    return not text or REPLACEMENT in text


def _only_model(remote: Remote, stop: threading.Event | None) -> str:
    """The server's model where it has just one, else empty: then the server decides or complains."""
    try:
        answer = remote.get("/models", stop=stop)
    except Stopped:
        raise
    except AppError:
        return ""
    listed = answer.get("data") if isinstance(answer, dict) else None
    names = [m.get("id") for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
    return names[0] if len(names) == 1 and isinstance(names[0], str) else ""
