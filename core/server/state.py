"""What one server holds: the service, settings, figures, and which ids belong to which written answer."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from core.errors import AppError
from core.jobs import Job, JobQueue
from core.records import Generation, ModelSpec, Tokens
from core.server.config import ServerSettings
from core.service import Service
from core.settings import Settings

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

RETRY_LOAD_SECONDS = 30.0
SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)


class Written:
    """The tokens of the newest answers by their text: made once, never again from the text."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Tokens] = OrderedDict()

    def remember(self, prompt: str, generation: Generation) -> None:
        with self._lock:
            self._held[prompt, generation.text] = generation.tokens
            self._held.move_to_end((prompt, generation.text))
            while len(self._held) > self._limit:
                self._held.popitem(last=False)

    def tokens(self, prompt: str, target: str) -> Tokens | None:
        """The ids that were written for `prompt`, when they were `target`."""
        with self._lock:
            return self._held.get((prompt, target))


class Figures:
    """What Prometheus reads at `/metrics`; of a registry of its own, so that two servers do not mix."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "whence_requests_total", "Answered requests.", ("endpoint", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "whence_request_seconds",
            "Time from request to answer.",
            ("endpoint",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge("whence_requests_in_flight", "Open requests.", registry=self.registry)
        self.tokens = Counter(
            "whence_written_tokens_total", "Tokens that the model wrote.", registry=self.registry
        )
        depth = Gauge("whence_jobs", "Jobs that run or wait.", registry=self.registry)
        depth.set_function(lambda: service.depth)
        ProcessCollector(registry=self.registry)


class State:
    """Hangs on the application as `app.state.whence`."""

    def __init__(self, settings: Settings, limits: ServerSettings, service: Service | None = None) -> None:
        self.settings, self.limits = settings, limits
        self.service = service or Service(
            settings, jobs=JobQueue(limits.max_queued), memory_bytes=limits.memory_bytes
        )
        self.spec: ModelSpec = self.service.spec()
        self.written = Written(limits.remembered_answers)
        self.figures = Figures(self.service)
        self.stopping = False
        self.paths: frozenset[str] = frozenset()
        self.loading: Job[Any] | None = None
        self._tried = 0.0
        self._owners = itertools.count()

    def owner(self) -> str:
        """A name for one request: no two requests replace each other's work."""
        return f"request-{next(self._owners)}"

    def start(self) -> None:
        """Load the model in the background; requests that come before wait in its queue."""
        self._tried = time.monotonic()
        self.loading = self.service.with_model(
            lambda model, context: model.parameters, self.spec, kind="load", asks=(), owner="server"
        )

    def start_again(self) -> None:
        """Try once more to load a model that did not load, when the last try is some time ago."""
        if time.monotonic() - self._tried > RETRY_LOAD_SECONDS:
            self.start()

    def close(self) -> None:
        """Answer what is in flight: with its result within the grace, else 503."""
        self.stopping = True
        self.service.close(self.limits.drain_seconds)

    def check_text(self, *texts: str) -> None:
        """Raises: AppError for a text beyond the operator's limit."""
        limit = self.settings.max_prompt_chars
        for text in texts:
            if len(text) > limit:
                raise AppError(
                    f"A text has {len(text):,} characters, but this server takes at most {limit:,}.",
                    hint="Shorten it.",
                    code="too_long",
                )

    def tokens(self, model: LanguageModel, prompt: str, target: str | None) -> Tokens:
        """Tokens of prompt and target: those the model wrote, where it wrote that target."""
        return self.written.tokens(prompt, target or "") or self.service.fitting(
            model.tokenize(prompt, target)
        )
