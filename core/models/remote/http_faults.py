"""What went wrong between here and a remote model, as a sentence for people: which server, what, what to do.

Knows HTTP's status codes and `httpx`'s faults; asks nothing. What a server said about its fault is shown in
one line, its pages and the token never.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
from pydantic import SecretStr

from core.errors import AppError
from core.models.remote.server_words import server_words, words_of_text

_MOST_SAID = 4_000
RETRIED = (429, 502, 503, 504)
"""Answers that another try may mend; a 500 usually repeats itself."""


class RefusalError(AppError):
    """An answer that is not 2xx, as the person reads it; `said` is what the server said, for programs."""

    def __init__(self, message: str, *, hint: str, status: int, said: str) -> None:
        super().__init__(message, hint=hint, code="remote")
        self.status, self.said = status, said


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status: int, kind: str, text: str, headers: httpx.Headers) -> None:
        super().__init__(status)
        self.status, self.kind, self.text = status, kind, text
        after = headers.get("retry-after", "")
        self.after = float(after) if after.isdigit() else None


class TooMuch(Exception):
    """An answer beyond the limit of bytes."""


class Again(Exception):
    """A fault that another try may mend; `error` is shown once no try is left."""

    def __init__(self, error: AppError, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error, self.after = error, after


class Faults:
    """Tells the faults of the server at `address`, which is called `what` ("The model server")."""

    def __init__(self, what: str, address: str, token: SecretStr, most_bytes: int) -> None:
        self._place = f"{what} at {address}"
        self._address, self._token, self._most_bytes = address, token, most_bytes

    def unreadable(self, text: str) -> AppError:
        """For an answer that is no JSON."""
        cut = text.lstrip()[:1] in ("{", "[")
        words = self._without_token(words_of_text(text)).rstrip(".")
        return AppError(
            f"{self._place} sent an answer that "
            + ("breaks off in the middle" if cut else "is not JSON")
            + f" ({len(text):,} characters){f': {words}' if words else ''}.",
            hint="Try again; if it happens again, look into that server's log.",
            code="remote",
        )

    def late(self, seconds: float) -> AppError:
        return AppError(
            f"{self._place} did not answer within {seconds:,.0f} seconds.",
            hint="It may be loading the model or be overloaded. Try again, or ask for a shorter answer.",
            code="remote",
        )

    def readable(self, error: Exception, silence_seconds: float) -> Exception:
        """`error` as what the person reads, wrapped in `Again` where another try may help."""
        if isinstance(error, Refused):
            phrase = httpx.codes.get_reason_phrase(error.status) or "unknown"
            told = RefusalError(
                f"{self._place} answered {error.status} ({phrase}){self._said(error)}.",
                hint=_advice(error.status),
                status=error.status,
                said=self._without_token(error.text[:_MOST_SAID]),
            )
            return Again(told, error.after) if error.status in RETRIED else told
        if isinstance(error, TooMuch):
            return AppError(
                f"{self._place} sent more than {self._most_bytes:,} bytes; reading was stopped.",
                code="remote",
            )
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            unreached = AppError(
                f"{self._place} cannot be reached.",
                hint="Check the address, and that the server is running.",
                code="remote",
            )
            return Again(unreached)
        if isinstance(error, httpx.TimeoutException):
            return self.late(silence_seconds)
        if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
            return AppError(
                f"{self._place} closed the connection before its answer was complete.",
                hint="It may have run out of memory or been restarted. Try again.",
                code="remote",
            )
        if isinstance(error, httpx.HTTPError):
            return AppError(
                f"The request to {self._address} failed ({type(error).__name__}).",
                hint="Check the address.",
                code="remote",
            )
        return error

    def _said(self, error: Refused) -> str:
        """What the server said about its fault, in one line, without the token; its pages are not shown."""
        if "html" in error.kind:
            return " with an error page"
        words = words_of_text(error.text)
        return f": {self._without_token(words).rstrip('.')}" if words else ""

    def inside(self, answer: Any) -> RefusalError | None:
        """The fault that an answer or event of status 200 tells: under `error`, or as an object that is an error."""
        if isinstance(answer, list) and len(answer) == 1:
            answer = answer[0]
        if not isinstance(answer, dict) or not (answer.get("error") or _is_error(answer)):
            return None
        return self.broke_off(answer)

    def broke_off(self, answer: Any) -> RefusalError:
        """`answer` as the fault that ends what is being written."""
        words = self._without_token(server_words(answer))
        outer = answer if isinstance(answer, dict) else {}
        inner = outer.get("error")
        told = inner if isinstance(inner, dict) else outer
        status = next((told[k] for k in ("code", "status", "status_code") if _is_status(told.get(k))), 400)
        return RefusalError(
            f"{self._place} broke off its answer"
            + (f": {words.rstrip('.')}." if words else " and gives no reason."),
            hint=_advice(status) if status != 400 else "",
            status=status,
            said=self._without_token(json.dumps(answer)[:_MOST_SAID]),
        )

    def _without_token(self, text: str) -> str:
        secret = self._token.get_secret_value()
        return text.replace(secret, "[token]") if secret else text


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600


def _is_error(answer: dict[str, Any]) -> bool:
    return "error" in (answer.get("object"), answer.get("type")) or (
        "choices" not in answer
        and any(_is_status(answer.get(key)) for key in ("code", "status", "status_code"))
    )


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
