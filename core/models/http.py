"""One way to ask a remote model: time-outs, bounded retries with back-off, Stop, and errors for people.

Stop and the time limits hold even where a server accepts the connection and then says nothing. Knows HTTP,
JSON and server-sent events; knows no model. Redirects are not followed: a token must not wander to another
host. The token and the body of a request are never logged or put into an error.
Wire of the events: WHATWG HTML, section 9.2 "Server-sent events".
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from core.errors import AppError, Stopped
from core.models.identity import GOOGLE, GoogleIdentity
from core.models.patience import Late, patiently

RETRIED = (429, 502, 503, 504)
"""Answers that another try may mend; a 500 usually repeats itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait and how much to take, in seconds and bytes."""

    connect_seconds: float = 5.0
    silence_seconds: float = 300.0
    """Longest wait for the next event of a stream, or for a whole answer that is none."""
    total_seconds: float = 900.0
    retries: int = 2
    backoff_seconds: float = 0.5
    """Doubles with each try; a `Retry-After` of at most `longest_backoff_seconds` takes its place."""
    longest_backoff_seconds: float = 8.0
    bytes: int = 64 * 1024 * 1024


class Remote:
    """A server at `address`, asked with `token` as its bearer."""

    def __init__(
        self,
        address: str,
        token: SecretStr | None = None,
        *,
        what: str = "The model server",
        limits: Limits | None = None,
        always_bearer: bool = False,
    ) -> None:
        self.address = address.rstrip("/")
        self._token = token or SecretStr("")
        self._what = what
        self._limits = limits = limits or Limits()
        bearer = self._token.get_secret_value()
        auth = GoogleIdentity(self.address) if bearer == GOOGLE else None
        told = auth is None and (bearer or always_bearer)
        headers = {"Authorization": f"Bearer {bearer}".strip()} if told else {}
        wait = httpx.Timeout(limits.silence_seconds, connect=limits.connect_seconds)
        self._client = httpx.Client(
            auth=auth, headers=headers, timeout=wait, follow_redirects=False, trust_env=False, verify=True
        )

    def __repr__(self) -> str:
        return f"Remote({self.address!r})"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, *, stop: threading.Event | None = None) -> Any:
        """The JSON that `GET path` answers."""
        return self._json("GET", path, None, stop)

    def post(self, path: str, body: Any, *, stop: threading.Event | None = None) -> Any:
        """The JSON that `POST path` answers to the JSON `body`.

        Raises: AppError with the status code, the time waited or what was wrong with the answer; Stopped.
        """
        return self._json("POST", path, body, stop)

    def events(self, path: str, body: Any, *, stop: threading.Event | None = None) -> Iterator[Any]:
        """The `data:` of each server-sent event of `POST path`, parsed; ends at `[DONE]` or with the stream.

        A server that answers plain JSON instead yields that once. Raises: as `post`.
        """
        for kind, text in self._asked("POST", path, body, stop, events=True):
            if kind == "body":
                yield self._parse(text)
            elif text.strip() == "[DONE]":
                return
            else:
                yield self._parse(text)

    def _json(self, method: str, path: str, body: Any, stop: threading.Event | None) -> Any:
        parts = [text for _, text in self._asked(method, path, body, stop, events=False)]
        return self._parse("".join(parts))

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            cut = text.lstrip()[:1] in ("{", "[")
            raise AppError(
                f"{self._what} at {self.address} sent an answer that "
                + ("breaks off in the middle" if cut else "is not JSON")
                + f" ({len(text):,} characters).",
                hint="Try again; if it happens again, look into that server's log.",
                code="remote",
            ) from error

    def _asked(
        self, method: str, path: str, body: Any, stop: threading.Event | None, *, events: bool
    ) -> Iterator[tuple[str, str]]:
        """The pieces of the answer, tried again while nothing has arrived."""
        limits, tries, started = self._limits, 0, time.monotonic()
        while True:
            arrived = False
            try:
                for item in self._once(method, path, body, stop, started, events=events):
                    arrived = True
                    yield item
                return
            except _Again as again:
                if arrived or tries >= limits.retries:
                    raise again.error from again.__cause__
                delay = again.after if again.after is not None else limits.backoff_seconds * 2**tries
                tries += 1
                if delay > limits.longest_backoff_seconds:
                    raise again.error from again.__cause__
                if (stop or threading.Event()).wait(delay):
                    raise Stopped() from None

    def _once(
        self, method: str, path: str, body: Any, stop: threading.Event | None, started: float, *, events: bool
    ) -> Iterator[tuple[str, str]]:
        limits = self._limits
        try:
            yield from patiently(
                lambda gone: self._read(method, path, body, gone, events=events),
                stop=stop,
                # The client's own time-out comes first; this one is for servers that drip.
                silence_seconds=limits.silence_seconds + limits.connect_seconds,
                total_seconds=max(limits.total_seconds - (time.monotonic() - started), 0.0),
            )
        except Late as error:
            raise self._late(limits.silence_seconds if error.seconds else limits.total_seconds) from error
        except (httpx.HTTPError, _Refused, _TooMuch) as error:
            raise self._readable(error) from error

    def _read(
        self, method: str, path: str, body: Any, gone: threading.Event, *, events: bool
    ) -> Iterator[tuple[str, str]]:
        """Ask, and yield the pieces of the answer; blocks."""
        with self._client.stream(method, f"{self.address}{path}", json=body) as response:
            kind = response.headers.get("content-type", "")
            if not response.is_success:
                raise _Refused(response.status_code, kind, _start(response), response.headers)
            if not (events and "text/event-stream" in kind):
                taken = bytearray()
                for chunk in response.iter_bytes():
                    taken += chunk
                    if len(taken) > self._limits.bytes:
                        raise _TooMuch
                    if gone.is_set():
                        return
                yield "body", taken.decode("utf-8", "replace")
                return
            data: list[str] = []
            size = 0
            for line in response.iter_lines():
                size += len(line)
                if size > self._limits.bytes:
                    raise _TooMuch
                if gone.is_set():
                    return
                if line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif not line and data:
                    yield "event", "\n".join(data)
                    data = []
            if data:
                yield "event", "\n".join(data)

    def _late(self, seconds: float) -> AppError:
        return AppError(
            f"{self._what} at {self.address} did not answer within {seconds:,.0f} seconds.",
            hint="It may be loading the model or be overloaded. Try again, or ask for a shorter answer.",
            code="remote",
        )

    def _readable(self, error: Exception) -> Exception:
        """`error` as what the person reads, wrapped in `_Again` where another try may help."""
        place = f"{self._what} at {self.address}"
        if isinstance(error, _Refused):
            phrase = httpx.codes.get_reason_phrase(error.status) or "unknown"
            told = AppError(
                f"{place} answered {error.status} ({phrase}){self._said(error)}.",
                hint=_advice(error.status),
                code="remote",
            )
            return _Again(told, error.after) if error.status in RETRIED else told
        if isinstance(error, _TooMuch):
            return AppError(
                f"{place} sent more than {self._limits.bytes:,} bytes; reading was stopped.",
                code="remote",
            )
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            told = AppError(
                f"{place} cannot be reached.",
                hint="Check the address, and that the server is running.",
                code="remote",
            )
            return _Again(told)
        if isinstance(error, httpx.TimeoutException):
            return self._late(self._limits.silence_seconds)
        if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
            return AppError(
                f"{place} closed the connection before its answer was complete.",
                hint="It may have run out of memory or been restarted. Try again.",
                code="remote",
            )
        if isinstance(error, httpx.HTTPError):
            return AppError(
                f"The request to {self.address} failed ({type(error).__name__}).",
                hint="Check the address.",
                code="remote",
            )
        return error

    def _said(self, error: _Refused) -> str:
        """What the server said about its fault, where that is JSON: one line, without the token."""
        if "json" not in error.kind:
            return " with an error page" if "html" in error.kind else ""
        try:
            found = json.loads(error.text)
        except ValueError:
            return ""
        for key in ("error", "detail", "message"):
            while isinstance(found, dict) and key in found:
                found = found[key]
        if isinstance(found, dict):
            found = found.get("message", "")
        if not isinstance(found, str) or not found.strip():
            return ""
        line = " ".join(found.split())[:300]
        if secret := self._token.get_secret_value():
            line = line.replace(secret, "[token]")
        return f": {line.rstrip('.')}"


class _Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, kind: str, text: str, headers: httpx.Headers) -> None:
        super().__init__(status)
        self.status, self.kind, self.text = status, kind, text
        after = headers.get("retry-after", "")
        self.after = float(after) if after.isdigit() else None


class _TooMuch(Exception):
    """An answer beyond the limit of bytes."""


class _Again(Exception):
    """A fault that another try may mend; `error` is shown once no try is left."""

    def __init__(self, error: AppError, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error, self.after = error, after


def _start(response: httpx.Response, most: int = 65_536) -> str:
    """The first `most` bytes of the answer, as text."""
    taken = b""
    for chunk in response.iter_bytes():
        taken += chunk
        if len(taken) >= most:
            break
    return taken[:most].decode("utf-8", "replace")


def _advice(status: int) -> str:
    if status in (401, 403):
        return "Check the access token."
    if status == 404:
        return "Check the address (many servers expect it to end in /v1) and the model's name."
    if status == 413:
        return "The prompt is too long for that server: shorten it."
    if status == 429:
        return "The server has too much to do: wait a little and try again."
    if 300 <= status < 400:
        return "The address leads elsewhere: enter the final address."
    if status >= 500:
        return "The fault is on the server's side: look into its log."
    return "Check the model's name and the settings."
