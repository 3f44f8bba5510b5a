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
from core.models.remote.http_faults import Again, Faults, Refused, TooMuch
from core.models.remote.identity import GOOGLE, GoogleIdentity
from core.models.remote.patience import Late, patiently


@dataclass(frozen=True, slots=True)
class HttpLimits:
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
        limits: HttpLimits | None = None,
        always_bearer: bool = False,
    ) -> None:
        self.address = address.rstrip("/")
        self._token = token or SecretStr("")
        self._limits = limits = limits or HttpLimits()
        self._faults = Faults(what, self.address, self._token, limits.bytes)
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

    def events(
        self,
        path: str,
        body: Any,
        *,
        stop: threading.Event | None = None,
        whole: threading.Event | None = None,
    ) -> Iterator[Any]:
        """The `data:` of each server-sent event of `POST path`, parsed; ends at `[DONE]` or with the stream.

        A server that answers plain JSON instead yields that once. `whole` is set where the end was told: by
        `[DONE]`, or by the one JSON. Raises: as `post`.
        """
        whole = whole or threading.Event()
        for kind, text in self._asked("POST", path, body, stop, events=True):
            if kind == "body":
                whole.set()
                yield self._parse(text)
            elif text.strip() == "[DONE]":
                whole.set()
                return
            else:
                yield self._parse(text)

    def fault_in(self, answer: Any) -> AppError | None:
        """The fault that an answer of status 200 tells in place of one, in the server's words; None: it tells none."""
        return self._faults.inside(answer)

    def broke_off(self, answer: Any) -> AppError:
        """The fault of an answer that ended with the words `answer`."""
        return self._faults.broke_off(answer)

    def _json(self, method: str, path: str, body: Any, stop: threading.Event | None) -> Any:
        parts = [text for _, text in self._asked(method, path, body, stop, events=False)]
        return self._parse("".join(parts))

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise self._faults.unreadable(text) from error

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
            except Again as again:
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
            raise self._faults.late(
                limits.silence_seconds if error.seconds else limits.total_seconds
            ) from error
        except (httpx.HTTPError, Refused, TooMuch) as error:
            raise self._faults.readable(error, limits.silence_seconds) from error

    def _read(
        self, method: str, path: str, body: Any, gone: threading.Event, *, events: bool
    ) -> Iterator[tuple[str, str]]:
        """Ask, and yield the pieces of the answer; blocks."""
        with self._client.stream(method, f"{self.address}{path}", json=body) as response:
            kind = response.headers.get("content-type", "")
            if not response.is_success:
                raise Refused(response.status_code, kind, _start(response), response.headers)
            if not (events and "text/event-stream" in kind):
                taken = bytearray()
                for chunk in response.iter_bytes():
                    taken += chunk
                    if len(taken) > self._limits.bytes:
                        raise TooMuch
                    if gone.is_set():
                        return
                yield "body", taken.decode("utf-8", "replace")
                return
            data: list[str] = []
            size = 0
            for line in response.iter_lines():
                size += len(line)
                if size > self._limits.bytes:
                    raise TooMuch
                if gone.is_set():
                    return
                if line.startswith(("data:", "error:")):  # llama.cpp's servers told faults as `error: {…}`
                    data.append(line.partition(":")[2].removeprefix(" "))
                elif not line and data:
                    yield "event", "\n".join(data)
                    data = []
            if data:
                yield "event", "\n".join(data)


def _start(response: httpx.Response, most: int = 65_536) -> str:
    """The first `most` bytes of the answer, as text."""
    taken = b""
    for chunk in response.iter_bytes():
        taken += chunk
        if len(taken) >= most:
            break
    return taken[:most].decode("utf-8", "replace")
