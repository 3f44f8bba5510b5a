"""The cookie by which a visitor's browser is known again: a random name and its signature, for pages only to read.

HttpOnly: no script sees it. Secure, and bound to this very host (`__Host-`), wherever the site is reached by https.
It says nothing about the visitor. Knows neither pages nor the database.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AppError
from core.settings import Settings
from core.store.faults import of_folder

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("__Host-whence", "whence")
"""Over https, and without."""
DAYS = 400
"""The longest that browsers keep a cookie; every visit begins it anew."""
_KEY_FILE = "cookie.key"


class Signer:
    """Makes names of browsers and knows its own again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, chosen: Settings) -> Signer:
        """With the operator's secret, or with a key that is made once in the data folder. Raises: AppError."""
        secret = chosen.cookie_secret.get_secret_value()
        return cls(secret.encode() if secret else _kept_key(chosen.data_dir))

    def make(self) -> str:
        """A cookie's value for a browser that has none: 256 random bits, signed."""
        name = secrets.token_urlsafe(32)
        return f"{name}.{self._sign(name)}"

    def name(self, cookies: Mapping[str, str]) -> str | None:
        """The browser's name in `cookies`; None where there is none, or one that was not made here."""
        for cookie in NAMES:
            name, _, signature = cookies.get(cookie, "").partition(".")
            if name and hmac.compare_digest(signature.encode(), self._sign(name).encode()):
                return name
        return None

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, b"browser " + name.encode(), "sha256").hexdigest()


def _kept_key(folder: Path) -> bytes:
    path = folder / _KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{_KEY_FILE}.{secrets.token_hex(4)}.part")
        if not path.exists():
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(32).encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(beside, path)  # whoever comes first; the others read what that one wrote
            except FileExistsError:
                pass
            finally:
                beside.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise of_folder(error, path) from error
    if len(key) < 32:
        raise AppError(
            f"The key in {path} has {len(key)} bytes; at least 32 are needed.",
            hint="Remove the file, and a new one is made; visitors' browsers are then no longer known.",
            code="storage",
        )
    return key


class KnownBrowsers:
    """Gives the cookie with every page (an answer of HTML), to a browser that has none a new one."""

    def __init__(self, app: ASGIApp, signer: Signer, framed: bool) -> None:
        self.app, self._signer, self._framed = app, signer, framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return

        async def known(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200 and _is_page(message):
                message = {
                    **message,
                    "headers": [*message["headers"], (b"set-cookie", self._cookie(scope).encode())],
                }
            await send(message)

        await self.app(scope, receive, known)

    def _cookie(self, scope: Scope) -> str:
        """The whole Set-Cookie header."""
        sent: SimpleCookie = SimpleCookie()
        for name, value in scope["headers"]:
            if name == b"cookie":
                sent.load(value.decode("latin-1"))
        cookies = {name: morsel.value for name, morsel in sent.items()}
        name = self._signer.name(cookies)
        value = f"{name}.{self._signer._sign(name)}" if name else self._signer.make()
        secure = _https(scope)
        parts = [
            f"{NAMES[0] if secure else NAMES[1]}={value}",
            "Path=/",
            f"Max-Age={DAYS * 86_400}",
            "HttpOnly",
        ]
        if secure:
            parts.append("Secure")
        # Inside another site's frame only such a cookie comes back, and only to this pair of sites (CHIPS).
        parts += ["SameSite=None", "Partitioned"] if self._framed and secure else ["SameSite=Lax"]
        return "; ".join(parts)


def _is_page(message: Message) -> bool:
    kind = next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
    return bool(kind.lower().startswith(b"text/html"))


def _https(scope: Scope) -> bool:
    """Whether the browser came by https, also where a proxy in front ended it."""
    if scope.get("scheme") == "https":
        return True
    told = next((value for name, value in scope["headers"] if name == b"x-forwarded-proto"), b"")
    return bool(told.split(b",")[0].strip().lower() == b"https")
