"""What an OpenAI-compatible server offers for a model, found out by asking for one token in each way.

Servers differ in what they implement of the wire, and say nothing of it: some ignore the question for
log-probabilities, some refuse a field they do not know, some echo a prompt only together with a new token.
Wire: OpenAI API reference, "Completions" and "Chat completions".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from core.errors import AppError, Stopped
from core.models.remote.http import Remote

PROBE = "One two three"


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


def told(found: Any) -> tuple[list[str], list[float]]:
    """Token strings and log p of a choice's `logprobs`, in the form of either endpoint."""
    if not isinstance(found, dict):
        return [], []
    if isinstance(found.get("content"), list):
        pairs = [(item.get("token"), item.get("logprob")) for item in found["content"]]
    else:
        pairs = list(zip(found.get("tokens") or [], found.get("token_logprobs") or []))
    strings = [token for token, _ in pairs if isinstance(token, str)]
    nats = [float(value) if isinstance(value, int | float) else 0.0 for _, value in pairs]
    return (strings, nats) if len(strings) == len(nats) else ([], [])


def ask_echo(
    remote: Remote, model: str, text: str, least: int, stop: threading.Event | None = None
) -> tuple[list[str], list[float]] | None:
    """The server's tokens of `text` and log p of each; None where it does not tell."""
    body = {"prompt": text, "max_tokens": least, "echo": True, "logprobs": 1, "temperature": 0}
    answer = remote.post("/completions", {"model": model, **body} if model else body, stop=stop)
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    strings, nats = told(choices[0].get("logprobs"))
    kept, length = 0, 0
    while kept < len(strings) and length < len(text):
        length += len(strings[kept])
        kept += 1
    return (strings[:kept], nats[:kept]) if "".join(strings[:kept]) == text and kept else None


def probe(remote: Remote, model: str, stop: threading.Event | None = None) -> Offer:
    """Asks the server for its models, and for one token in each way.

    Raises: AppError where it can neither complete nor chat.
    """
    if not model:
        model = _only_model(remote, stop)
    named = {"model": model} if model else {}

    def ask(path: str, body: dict[str, Any]) -> tuple[Any, AppError | None]:
        try:
            return remote.post(path, {**named, "max_tokens": 1, "temperature": 0, **body}, stop=stop), None
        except Stopped:
            raise
        except AppError as error:
            return None, error

    answer, fault = ask("/completions", {"prompt": PROBE, "logprobs": 1})
    if fault is not None:
        answer, fault = ask("/completions", {"prompt": PROBE})
    completions = fault is None
    logprobs = bool(told(_choice(answer).get("logprobs"))[0])
    messages = [{"role": "user", "content": PROBE}]
    chatted, chat_fault = ask("/chat/completions", {"messages": messages, "logprobs": True})
    if chat_fault is not None:
        chatted, chat_fault = ask("/chat/completions", {"messages": messages})
    chat = chat_fault is None
    if not completions and not chat:
        raise fault or chat_fault or AppError("The server offers neither completions nor chat.")
    echo, least = False, 0
    if completions and logprobs:
        for least in (0, 1):
            try:
                echo = ask_echo(remote, model, PROBE, least, stop) is not None
            except Stopped:
                raise
            except AppError:
                continue
            if echo:
                break
    chat_logprobs = bool(told(_choice(chatted).get("logprobs"))[0])
    return Offer(model, completions, chat, logprobs, chat_logprobs, echo, least)


def _choice(answer: Any) -> dict[str, Any]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


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
