"""Progress and cancelling while a model is fetched and read.

transformers and huggingface_hub report through progress bars; here the bars report to the person who waits
and end the work when they pressed Cancel. Knows no model.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as transformers_logging

from core.errors import Stopped
from core.models.language_model import Progress


class Steps:
    """Where loading stands: call it with the share done and a few words; it raises Stopped when told to."""

    def __init__(self, progress: Progress | None = None, stop: threading.Event | None = None) -> None:
        self._progress = progress
        self._stop = stop
        self._reached = 0.0

    def check(self) -> None:
        """Raises: Stopped when the person pressed Cancel."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped("Loading was cancelled.")

    def __call__(self, share: float, message: str) -> None:
        self.check()
        # Converting a file and reading what came of it each count from 0: what is shown never goes back.
        self._reached = max(self._reached, share)
        if self._progress is not None:
            self._progress(self._reached, message)

    @contextmanager
    def watching(self, start: float, end: float, message: str) -> Iterator[None]:
        """While it is open, every progress bar of transformers moves the share from `start` to `end`."""

        def hook(_factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bar:
            return Bar(self, start, end, message, *args, **kwargs)

        before = transformers_logging.set_tqdm_hook(hook)
        try:
            yield
        finally:
            transformers_logging.set_tqdm_hook(before)


class Bar:
    """As much of a tqdm bar as the libraries use."""

    def __init__(
        self,
        steps: Steps,
        start: float,
        end: float,
        message: str,
        iterable: Iterable[Any] | None = None,
        *_: Any,
        **kwargs: Any,
    ) -> None:
        self._steps, self._start, self._end, self._message = steps, start, end, message
        self._iterable = iterable
        # The libraries change `total` as they go; the share is of what was known at the start.
        self.whole = self.total = kwargs.get("total") or (len(iterable) if isinstance(iterable, Sized) else 0)
        self.n = kwargs.get("initial") or 0

    def __iter__(self) -> Iterator[Any]:
        for item in self._iterable or ():
            yield item
            self.update(1)

    def update(self, count: float = 1) -> None:
        self.n += count
        share = min(1.0, self.n / self.whole) if self.whole else 0.0
        if self._message:
            self._steps(self._start + (self._end - self._start) * share, self._message)
        else:
            self._steps.check()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None
