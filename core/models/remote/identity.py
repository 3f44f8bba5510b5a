"""Identity tokens of a service account on Google Cloud, for a model server that only that account may call.

Where an address' token is `@google`, each request carries a token that the machine's metadata service makes
for that address; it is fetched anew before it runs out (after an hour), and is sent nowhere else. Source:
Google Cloud, "Authenticating service-to-service" (Cloud Run) and "Get an ID token from the metadata server".
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Generator
from urllib.parse import urlsplit

import httpx

from core.errors import AppError

GOOGLE = "@google"
"""Stands in `WHENCE_REMOTE_TOKENS` in a token's place: `https://server…run.app=@google`."""
METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity"
EARLY_SECONDS = 60.0
"""A token is replaced so long before it ends."""
UNTOLD_SECONDS = 300.0
"""How long a token is used that does not tell its end."""


class GoogleIdentity(httpx.Auth):
    """Puts the token on each request; `address` is the server's, `clock` tells seconds since 1970."""

    requires_response_body = True

    def __init__(
        self, address: str, *, source: str = METADATA, clock: Callable[[], float] = time.time
    ) -> None:
        place = urlsplit(address)
        self._audience = f"{place.scheme}://{place.netloc}"
        self._source, self._clock = source, clock
        self._token, self._ends = "", 0.0
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See `httpx.Auth`. Raises: AppError when the metadata service gives no token."""
        with self._lock:
            token = self._token if self._clock() < self._ends - EARLY_SECONDS else ""
        if not token:
            answer = yield httpx.Request(
                "GET",
                self._source,
                params={"audience": self._audience, "format": "full"},
                headers={"Metadata-Flavor": "Google"},
            )
            token = answer.text.strip()
            if answer.status_code != 200 or token.count(".") != 2:
                raise AppError(
                    f"Google's metadata service gave no identity token (status {answer.status_code}).",
                    hint="This works on Google Cloud only, in a service that has a service account.",
                    code="remote",
                )
            with self._lock:
                self._token, self._ends = token, _end(token) or self._clock() + UNTOLD_SECONDS
        request.headers["Authorization"] = f"Bearer {token}"
        yield request


def _end(token: str) -> float:
    """When a JSON web token ends, in seconds since 1970; 0 where it does not tell."""
    part = token.split(".")[1]
    try:
        return float(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"])
    except (ValueError, KeyError, TypeError):
        return 0.0
