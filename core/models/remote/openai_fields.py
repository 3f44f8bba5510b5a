"""Optional fields of a request that a server refuses: left out after one refusal, remembered, and told.

A refusal counts where the server's own words say that a field is not taken (unknown, unsupported, not permitted),
not where they say that its value is too large. A server that names no field is asked once more with the fewest.
Wire: OpenAI API reference; the words are those of OpenAI, vLLM, TGI, Mistral, FastAPI and llama.cpp.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from core.models.remote.http_faults import RefusalError

T = TypeVar("T")

LENGTH, NEW_LENGTH = "max_tokens", "max_completion_tokens"
_OPTIONAL = (
    *(
        LENGTH,
        NEW_LENGTH,
        "temperature",
        "top_p",
        "seed",
        "stop",
        "stream_options",
        "top_logprobs",
        "logprobs",
    ),
    "echo",
)
_WHAT_FOLLOWS = {
    LENGTH: "so the length of an answer is the server's own",
    NEW_LENGTH: "so the length of an answer is the server's own",
    "temperature": "so answers are drawn at the server's own temperature, and may differ from time to time",
    "top_p": "so answers are drawn from what the server takes",
    "seed": "so a drawn answer cannot be drawn again",
    "stop": "so answers are cut here, once a stop text has come",
    "logprobs": "so it is not known how likely it found its own answers",
}
_REFUSING = re.compile(
    r"unsupported|not (?:be )?support|n.t support|unknown|unrecogni[sz]ed|unexpected|extra (?:input|field|param)|"
    r"not (?:be )?(?:permitted|allowed|accepted|available|implemented|valid)|extra_forbidden|additional propert|"
    r"cannot (?:both )?be|can.?t (?:both )?be|both|mutually|only (?:the default|one)|deprecated|no longer|invalid|"
    r"forbidden|instead|does ?n.t (?:exist|accept|take)|not a valid",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"too (?:large|long|high|many)|context (?:length|window|size)|exceed|at most|less than or equal|maximum|greater",
    re.IGNORECASE,
)
_STATUSES = (400, 404, 405, 409, 415, 422, 500, 501)


class AcceptedFields:
    """What one server takes, as far as it has said; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dropped: dict[str, set[str]] = {}
        self._renamed: set[str] = set()

    def shaped(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`body` without the fields that the server refuses on `path`."""
        with self._lock:
            dropped, renamed = set(self._dropped.get(path, ())), path in self._renamed
        out = dict(body)
        if renamed and LENGTH in out:
            out[NEW_LENGTH] = out.pop(LENGTH)
        return {name: value for name, value in out.items() if name not in dropped}

    def ask(self, path: str, body: Mapping[str, Any], send: Callable[[dict[str, Any]], T]) -> T:
        """What `send` gives for `body`, tried again without what is refused.

        Raises: what `send` raises, the server's first words where no change helps.
        """
        first: RefusalError | None = None
        for _ in range(len(_OPTIONAL) + 1):
            shaped = self.shaped(path, body)
            try:
                return send(shaped)
            except RefusalError as refusal:
                first = first or refusal
                if not self.learn(path, shaped, refusal):
                    break
        assert first is not None
        return self._plainest(path, body, send, first)

    def learn(self, path: str, sent: Mapping[str, Any], refusal: RefusalError) -> bool:
        """Notes which field of what was `sent` is refused. Returns whether anything is to be tried anew."""
        if refusal.status not in _STATUSES:
            return False
        named = [name for name in _OPTIONAL if name in sent and _names(refusal.said, name)]
        if not named or not _REFUSING.search(refusal.said) or _TOO_MUCH.search(refusal.said):
            return False
        with self._lock:
            dropped = self._dropped.setdefault(path, set())
            if LENGTH in named and NEW_LENGTH not in dropped and _names(refusal.said, NEW_LENGTH):
                self._renamed.add(path)
                return True
            if len(named) > 1:  # one of several: the one that says least
                named = sorted(named, key=lambda name: (not _neutral(name, sent), -_OPTIONAL.index(name)))[:1]
            if NEW_LENGTH in named and path in self._renamed:
                dropped |= {NEW_LENGTH}
            dropped |= set(named)
        return True

    def told(self) -> tuple[str, ...]:
        """A sentence for each field that is left out."""
        with self._lock:
            dropped = set().union(*self._dropped.values()) if self._dropped else set()
        return tuple(
            f"The server refuses `{name}`: it is left out, {_WHAT_FOLLOWS[name]}."
            for name in _OPTIONAL
            if name in dropped and name in _WHAT_FOLLOWS
        )

    def _plainest(
        self, path: str, body: Mapping[str, Any], send: Callable[[dict[str, Any]], T], first: RefusalError
    ) -> T:
        """The last try, for a server that refuses without a name: without what changes nothing anyway."""
        sent = self.shaped(path, body)
        spare = [name for name in _OPTIONAL if name in sent and _neutral(name, body)]
        vague = (
            first.status in (400, 422)
            and not _TOO_MUCH.search(first.said)
            and not _named_any(first.said, sent)
        )
        if not spare or not vague:
            raise first
        try:
            found = send({name: value for name, value in sent.items() if name not in spare})
        except RefusalError:
            raise first from None
        with self._lock:
            self._dropped.setdefault(path, set()).update(spare)
        return found


def _names(said: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", said) is not None


def _named_any(said: str, sent: Mapping[str, Any]) -> bool:
    return any(_names(said, name) for name in sent)


def _neutral(name: str, body: Mapping[str, Any]) -> bool:
    """Whether leaving `name` out changes no answer: its value is what servers do by themselves."""
    if name in ("top_p",):
        return body.get(name) == 1
    if name == "seed":
        return body.get("temperature", 1) == 0
    return name in ("stream_options", "top_logprobs", "logprobs")
