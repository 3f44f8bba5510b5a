"""Access tokens of remote models: kept in this process's memory, or read from the environment; never stored.

A token belongs to one address. A token from the environment is only ever sent to the address it was set
for: `WHENCE_REMOTE_TOKENS` holds `address=token` pairs parted by white space, and `OPENAI_API_KEY` and
`GEMINI_API_KEY` go to their own vendor's host alone. Knows no model, no page and no database; a
`ModelSpec` never holds a token.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.errors import AppError

VENDOR_KEYS = {
    "api.openai.com": ("OPENAI_API_KEY",),
    "generativelanguage.googleapis.com": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
}
"""Host -> environment variables whose token may go there (and nowhere else)."""


def base_address(url: str) -> str:
    """`url` in the form that tokens are kept under: scheme, host, port and path, without a fragment.

    Returns: the address without its last slash.
    Raises: AppError where it is no http address, or carries a user name, a password or a query.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise AppError("The model's address cannot be read.", hint="Check its host and port.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AppError(
            "The model's address should start with http:// or https:// and name a server.",
            hint="For example: http://localhost:8000/v1",
        )
    if parts.username or parts.password or parts.query:
        raise AppError(
            "The model's address should hold no user name, password or query: it is stored and shown.",
            hint="Put the access token into its own field.",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


class Secrets:
    """Tokens by address; its own text never shows one."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._tokens: dict[str, SecretStr] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Secrets({len(self._tokens)} tokens)"

    def __reduce__(self) -> str:
        raise TypeError("Access tokens stay in this process's memory.")

    def remember(self, url: str, token: str | SecretStr) -> None:
        """Keep `token` for `url` until the process ends; an empty one forgets what was kept."""
        value = token.get_secret_value() if isinstance(token, SecretStr) else token
        value = value.strip()
        if any(not 32 < ord(c) < 127 for c in value):
            raise AppError(
                "An access token holds only letters, digits and signs, without spaces or line breaks.",
                hint="Copy it again.",
            )
        with self._lock:
            if value:
                self._tokens[base_address(url)] = SecretStr(value)
            else:
                self._tokens.pop(base_address(url), None)

    def token(self, url: str) -> SecretStr:
        """The token to send to `url`; empty where there is none."""
        address = base_address(url)
        with self._lock:
            if address in self._tokens:
                return self._tokens[address]
        for pair in self._environment.get("WHENCE_REMOTE_TOKENS", "").split():
            place, _, value = pair.partition("=")
            if value and base_address(place) == address:
                return SecretStr(value)
        parts = urlsplit(address)
        for name in VENDOR_KEYS.get(parts.hostname or "", ()) if parts.scheme == "https" else ():
            if value := self._environment.get(name, ""):
                return SecretStr(value)
        return SecretStr("")

    def known(self, url: str) -> bool:
        """Whether a token would be sent to `url`."""
        return bool(self.token(url).get_secret_value())


SECRETS = Secrets()
"""The process's own registry."""
