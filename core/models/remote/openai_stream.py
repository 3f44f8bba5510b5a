"""An answer as it arrives over OpenAI's wire: text, thinking, tokens with their probabilities, and how it ended.

Servers differ: content comes as text or as parts, thinking under one of several names, tokens as strings or as
bytes (a character may be cut over several), an end with `finish_reason` or only with `[DONE]`, and events about
usage stand between. What is no answer is passed over; what says that something failed is an error.
Wire: OpenAI API reference, "Chat completions streaming", "Completions".
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import AppError
from core.models.remote.remote_tokens import align
from core.models.remote.server_words import server_words
from core.records import StopReason

OPEN, CLOSE = "<think>\n", "\n</think>\n\n"
"""How thinking that a server tells apart stands before the answer (`core.thinking` reads it back)."""
_THINKING = ("reasoning_content", "reasoning", "thinking")
_ENDS: dict[str, StopReason] = {
    "stop": "eos",
    "eos": "eos",
    "eos_token": "eos",
    "end_turn": "eos",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "filtered",
}
_BYTES = re.compile(r"bytes:((?:\\x[0-9a-fA-F]{2})+)")
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
REPLACEMENT = "\ufffd"
_ROUNDING = 1e-3
_LEAST_ALIKE = 0.5
"""Share of the answer that the told tokens have to be found in, else they are those of something else."""


@dataclass(frozen=True, slots=True)
class Told:
    """A token as a server tells it: its text, its bytes where told, log p in nats (NaN where it says none)."""

    text: str
    nats: float
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """A place of an answer: the token that was written there, and those that a server tells beside it."""

    token: Told
    others: tuple[Told, ...]


@dataclass(slots=True)
class Heard:
    """What a stream told so far."""

    answer: str = ""
    thinking: str = ""
    tokens: list[Told] = field(default_factory=list)
    finish: str = ""
    choices: int = 0
    """Events that were part of an answer."""
    said: Any = None
    """The last event that was no part of an answer and said something; None once an answer goes on."""
    half: str = ""
    """The first half of a character whose other half comes with the next event."""

    @property
    def head(self) -> str:
        """The thinking as it stands before the answer; not closed while nothing follows it."""
        if not self.thinking:
            return ""
        return f"{OPEN}{self.thinking}{CLOSE}" if self.answer or self.finish else f"{OPEN}{self.thinking}"

    @property
    def text(self) -> str:
        return self.head + self.answer

    @property
    def reason(self) -> StopReason:
        """Why it ended; a server says "stop" of a stop text and of the model's own end alike."""
        return _ENDS.get(self.finish, "eos")

    def add(self, event: Any, address: str) -> None:
        """Adds one event (or one whole answer). Raises: AppError for one that ends in an error."""
        if not isinstance(event, dict):
            return
        choices = event.get("choices")
        if not isinstance(choices, list):
            self.said = event if server_words(event) else self.said
            return
        self.choices += 1
        self.said = None if choices else self.said
        for choice in [one for one in choices if isinstance(one, dict) and not one.get("index")][:1]:
            part = choice.get("delta") or choice.get("message") or {}
            part = part if isinstance(part, dict) else {}
            named = next((text for name in _THINKING if (text := written(part.get(name)))), "")
            self.thinking += _whole_characters(named or _apart(part.get("reasoning_details"))[0])
            thought, said = _apart(choice["text"] if "text" in choice else part.get("content"))
            self.thinking += _whole_characters(thought)
            said = self.half + (said or written(part.get("refusal")))
            self.half = said[-1:] if "\ud800" <= said[-1:] <= "\udbff" else ""
            self.answer += _whole_characters(said[: len(said) - len(self.half)])
            self.tokens += told(choice.get("logprobs"))
            if isinstance(choice.get("finish_reason"), str):
                self.finish = choice["finish_reason"] or self.finish
            if self.finish == "error":
                raise AppError(
                    f"The server at {address} broke off its answer and gives no reason.", code="remote"
                )

    def placed(self, text: str) -> tuple[list[tuple[int, int]], list[float]] | None:
        """The server's tokens over `text` (the answer, or its beginning): half-open spans and log p of each.

        None where it told none, or those of something else. Tokens of one character share its span; what the
        told tokens leave out at the end is a last piece of unknown probability. A character of which a server
        told some pieces and held others back (llama.cpp, streaming) is of unknown probability.
        """
        if not self.tokens or not text:
            return None
        spans = _by_bytes(text, self.tokens)
        if spans is None:
            found, special = align(text, [one.text for one in self.tokens])
            alike = sum(
                b - a for (a, b), one in zip(found, self.tokens) if text[a:b] == one.text.replace("▁", " ")
            )
            if alike < _LEAST_ALIKE * len(text):
                return None
            kept = [(span, one) for span, one, skip in zip(found, self.tokens, special) if not skip]
            whole = _whole(text, kept)
            return [span for span, _ in kept], [one.nats if span in whole else math.nan for span, one in kept]
        nats = [one.nats for one in self.tokens[: len(spans)]]
        reached = max((stop for _, stop in spans), default=0)
        if reached < len(text):
            spans, nats = [*spans, (reached, len(text))], [*nats, math.nan]
        return spans, nats


def _whole_characters(text: str) -> str:
    """`text` with two halves of a character made one, and a lone half replaced: it could be neither kept nor shown."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def written(content: Any) -> str:
    """The text of a `content`: a string, or the text of its parts, thinking left out."""
    return _apart(content)[1]


def _apart(content: Any) -> tuple[str, str]:
    """(thinking, text) of a `content`, which may be a list of parts. Raises: AppError for what is neither."""
    if isinstance(content, str):
        return "", content
    if content is not None and not isinstance(content, (list, dict)):
        raise AppError(
            f"The server's answer should be text, but it is {type(content).__name__} ({content!r:.40}).",
            code="remote",
        )
    if isinstance(content, dict):
        content = [content]
    thought, said = "", ""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            said += part
        elif isinstance(part, dict):
            kind = str(part.get("type", "text"))
            inner = part.get("text", part.get("content", part.get("thinking", "")))
            text = inner if isinstance(inner, str) else _apart(inner)[1]
            if "think" in kind or "reason" in kind:
                thought += text or written(part.get("thinking"))
            else:
                said += text
    return thought, said


def told(found: Any) -> list[Told]:
    """The tokens of a choice's `logprobs`, in the form of either endpoint; those that are no tokens are left out."""
    if not isinstance(found, dict):
        return []
    if isinstance(found.get("content"), list):
        items = [item for item in found["content"] if isinstance(item, dict)]
        parts = [(item.get("token"), item.get("logprob"), item.get("bytes")) for item in items]
    else:
        parts = [(a, b, None) for a, b in zip(found.get("tokens") or [], found.get("token_logprobs") or [])]
    return [_token(text, value, raw) for text, value, raw in parts if isinstance(text, str)]


def places(found: Any) -> list[ToldPlace]:
    """The tokens of a choice's `logprobs` with the likeliest at each place, in the form of either endpoint.

    Of a greedy answer; up to the first place that is not told as one.
    """
    if not isinstance(found, dict):
        return []
    if isinstance(found.get("content"), list):
        items = [item for item in found["content"] if isinstance(item, dict)]
        listed = [item.get("top_logprobs") for item in items]
    else:
        listed = list(found.get("top_logprobs") or [])
    made = []
    for token, others in zip(told(found), listed):
        if isinstance(others, dict):  # the older form: token -> log p
            others = [{"token": text, "logprob": value} for text, value in others.items()]
        beside = told({"content": others}) if isinstance(others, list) else []
        if beside and all(token.text != one.text for one in beside):
            break  # the likeliest is always told: this is two tokens in one (half a character held back)
        made.append(ToldPlace(token, tuple(beside)))
    return made


def _token(text: str, value: Any, raw: Any) -> Told:
    nats = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if nats > 0.0:
        nats = 0.0 if nats < _ROUNDING else math.nan  # no log-probability is above 0
    if isinstance(raw, list) and all(isinstance(b, int) and 0 <= b < 256 for b in raw):
        return Told(text, nats, bytes(raw))
    if found := _BYTES.fullmatch(text):
        return Told(text, nats, bytes.fromhex(found[1].replace("\\x", "")))
    return Told(text, nats)


def _whole(text: str, placed: Sequence[tuple[tuple[int, int], Told]]) -> set[tuple[int, int]]:
    """The spans of `text` that their tokens make whole: all of their bytes were told."""
    parts: dict[tuple[int, int], bytes] = {}
    for span, one in placed:
        parts[span] = parts.get(span, b"") + _bytes_of(one)
    return {
        (a, b)
        for (a, b), part in parts.items()
        if text[a:b].encode("utf-8", "surrogatepass").strip() == part.strip()
    }


def _bytes_of(one: Told) -> bytes:
    if one.raw is not None:
        return one.raw
    if found := _BYTE_TOKEN.fullmatch(one.text):
        return bytes.fromhex(found[1])
    return one.text.replace("\u2581", " ").encode("utf-8", "surrogatepass")


def _by_bytes(text: str, tokens: Sequence[Told]) -> list[tuple[int, int]] | None:
    """Spans of `tokens` whose bytes, one after the other, are `text` or begin with it; None where they are not."""
    parts = [one.raw if one.raw is not None else one.text.encode("utf-8", "surrogatepass") for one in tokens]
    of_byte = _characters(b"".join(parts), text)
    if of_byte is None:
        return None
    spans, at = [], 0
    for part in parts:
        if at >= len(of_byte):
            break
        stop = min(at + len(part), len(of_byte))
        start_char = of_byte[at]
        spans.append((start_char, of_byte[stop - 1] + 1 if stop > at else start_char))
        at += len(part)
    return spans


def _characters(data: bytes, text: str) -> list[int] | None:
    """For each byte of `data` that `text` reaches, the character of `text` that it is part of; None: another text.

    Bytes that make no character stand in `text` as one or more replacement characters, as the server chose.
    """
    found: list[int] = []
    at, chars = 0, data.decode("utf-8", "surrogateescape")
    place = 0
    while place < len(chars) and at < len(text):
        if "\udc80" <= chars[place] <= "\udcff":  # a byte of no character
            broken = place
            while place < len(chars) and "\udc80" <= chars[place] <= "\udcff":
                place += 1
            marks = at
            while at < len(text) and text[at] == REPLACEMENT and at - marks < place - broken:
                at += 1
            if at == marks:
                return None
            found += [min(marks + i, at - 1) for i in range(place - broken)]
        elif chars[place] == text[at]:
            found += [at] * len(text[at].encode("utf-8", "surrogatepass"))
            place, at = place + 1, at + 1
        else:
            return None
    return found
