"""Under which names an app or a server may be asked, and the headers that go with every answer.

A page of another site can make a browser ask this machine under that site's own name (DNS rebinding); the name is
then in the request's Host header, so a name that nobody configured is refused. An address of digits is nobody's
name and cannot be rebound. Plain ASGI; knows neither pages nor models.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "*.localhost")
REFUSED = (
    "This is not a name of this site. Its operator lists the names under which it may be opened in "
    "WHENCE_ALLOWED_HOSTS."
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""On every answer. A link to another site never carries the address, which may hold a share's token."""


def host_name(header: str) -> str | None:
    """The name in a Host header, lower case, without port and final dot; None when it is malformed."""
    name, rest = header.strip(), ""
    if name.startswith("["):
        name, bracket, rest = name[1:].partition("]")
        if not bracket:
            return None
    elif name.count(":") <= 1:
        name, colon, rest = name.partition(":")
        rest = colon + rest
    if rest and not (rest[:1] == ":" and rest[1:].isdecimal()):
        return None
    name = name.lower().rstrip(".")
    return name if name and not set(name) & set("/@?#\\ \t,;") else None


def is_allowed(name: str | None, allowed: Iterable[str]) -> bool:
    """Whether `name` (see `host_name`) is an address of digits or one of `allowed` (`a.example`, `*.example`, `*`)."""
    if name is None:
        return False
    try:
        ipaddress.ip_address(name.partition("%")[0])
        return True
    except ValueError:
        pass
    for pattern in (one.strip().lower().rstrip(".") for one in allowed):
        if pattern in ("*", name) or (
            pattern.startswith("*.") and name.endswith(pattern[1:]) and name != pattern[2:]
        ):
            return True
    return False


def listed(names: str) -> tuple[str, ...]:
    """The names in a setting: `a.example, *.b.example`."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


class Names:
    """Refuses requests and websockets under a name that is not allowed, and adds headers to every answer."""

    def __init__(
        self,
        app: ASGIApp,
        allowed: Iterable[str],
        headers: dict[str, str] | None = None,
        refusal: tuple[str, str] = ("text/plain; charset=utf-8", f"{REFUSED}\n"),
    ) -> None:
        self.app, self.allowed, self._refusal = app, tuple(allowed), refusal
        added = HEADERS | (headers or {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in added.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not is_allowed(host_name(hosts[0]), self.allowed):
            await self._refuse(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.get("headers", [])}
                more = [pair for pair in self._headers if pair[0] not in there]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        await self.app(scope, receive, headed)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        kind, words = (part.encode() for part in self._refusal)
        headers = [
            (b"content-type", kind),
            (b"content-length", str(len(words)).encode()),
            *self._headers,
        ]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": words})
