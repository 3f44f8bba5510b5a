"""Reading from somebody who may never answer: Stop and time limits around a blocking iterator.

The iterator runs in a thread of its own; when the reader loses patience the thread is told (`gone`) and left
to its own time-out. Knows no network.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from core.errors import Stopped

T = TypeVar("T")
POLL_SECONDS = 0.05


class Late(Exception):
    """Nothing came within `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self.seconds = seconds


def patiently(
    items: Callable[[threading.Event], Iterator[T]],
    *,
    stop: threading.Event | None,
    silence_seconds: float,
    total_seconds: float,
) -> Iterator[T]:
    """What `items(gone)` yields.

    Raises: Stopped as soon as `stop` is set; Late after `silence_seconds` without an item or `total_seconds`
    in all; whatever `items` raises.
    """
    gone = threading.Event()
    inbox: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=1024)

    def put(kind: str, value: Any) -> None:
        while not gone.is_set():
            with contextlib.suppress(queue.Full):
                inbox.put((kind, value), timeout=POLL_SECONDS)
                return

    def read() -> None:
        try:
            for item in items(gone):
                put("item", item)
                if gone.is_set():
                    return
            put("end", None)
        except Exception as error:
            put("error", error)

    if stop is not None and stop.is_set():
        raise Stopped()
    threading.Thread(target=read, name="remote-answer", daemon=True).start()
    started = heard = time.monotonic()
    try:
        while True:
            kind: str | None
            try:
                kind, value = inbox.get(timeout=POLL_SECONDS)
            except queue.Empty:
                kind, value = None, None
            now = time.monotonic()
            if stop is not None and stop.is_set():
                raise Stopped()
            if now - started > total_seconds:
                raise Late(total_seconds)
            if kind is None:
                if now - heard > silence_seconds:
                    raise Late(silence_seconds)
                continue
            heard = now
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        gone.set()
