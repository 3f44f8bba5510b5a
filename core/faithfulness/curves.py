"""Deletion and insertion curves: the target's log-probability as segments go, or come, strongest first.

Model-free in that no cause has to be known: an order is good when the first segments it names matter most to
the model itself. All orders take the same numbers of segments (equal budget); the figure is the mean distance
between a method's curve and that of random orders. Ids are cut, never made again from text.
Source: Petsiuk et al. 2018, "RISE", section 4.3 (there pixels and probabilities; here segments and nats).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError, Stopped
from core.faithfulness.planted import line_scores
from core.models.language_model import LanguageModel
from core.records import Segment, Tokens
from core.salience import Method
from core.salience.taking_out import without

Span = tuple[int, int]
Tick = Callable[[float, str], None]
"""Called with the share done and a few words; may raise `Stopped`."""


@dataclass(frozen=True, slots=True)
class Trace:
    """`logprob_nats[k]` of the target with the share `parts[k]` of the segments removed (or put in).

    `steps[k]` is the text of the last segment that went ("" at first). A control's figures are means over
    random orders, `low` and `high` the lowest and highest of them. `area_nats` is the mean distance from the
    control, positive where the order is better than chance (0 for the control itself).
    """

    name: str
    label: str
    parts: tuple[float, ...]
    logprob_nats: tuple[float, ...]
    steps: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    area_nats: float = 0.0
    control: bool = False


def strongest_first(values: Sequence[float] | NDArray[np.float32], signed: bool) -> list[int]:
    """Indices from the strongest support down; unsigned scores by size. Ties in reading order."""
    key = np.asarray(values, np.float64) if signed else np.abs(np.asarray(values, np.float64))
    return [int(i) for i in np.argsort(-key, kind="stable")]


def budget(count: int, steps: int) -> tuple[int, ...]:
    """How many segments are gone at each point: from 0 to `count` in at most `steps` even steps."""
    return tuple(int(k) for k in np.unique(np.linspace(0, count, min(steps, count) + 1).round()))


def area(parts: Sequence[float], upper: Sequence[float], lower: Sequence[float]) -> float:
    """Mean of `upper - lower` over `parts` (trapezoid rule), in their unit."""
    x, y = np.asarray(parts, np.float64), np.subtract(upper, lower)
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum() / (x[-1] - x[0]))


class _Meter:
    """log p(target | the kept segments), each set of segments measured once."""

    def __init__(
        self,
        model: LanguageModel,
        tokens: Tokens,
        target: Span,
        parts: Sequence[Segment],
        stop: threading.Event | None,
    ) -> None:
        self.model, self.tokens, self.parts, self.stop = model, tokens, parts, stop
        self.rows = slice(target[0] - tokens.prompt_len, target[1] - tokens.prompt_len)
        self.known: dict[frozenset[int], float] = {}

    def __call__(self, removed: frozenset[int]) -> float:
        if removed not in self.known:
            if self.stop is not None and self.stop.is_set():
                raise Stopped
            rest = self.tokens
            for index in sorted(removed, reverse=True):
                rest = without(rest, *self.parts[index].tokens)
            self.known[removed] = float(self.model.logprobs(rest)[self.rows].sum())
        return self.known[removed]


def curves(
    model: LanguageModel,
    tokens: Tokens,
    target: Span,
    parts: Sequence[Segment],
    methods: Sequence[Method],
    *,
    insertion: bool = False,
    steps: int = 10,
    repeats: int = 5,
    seed: int = 0,
    tick: Tick | None = None,
    stop: threading.Event | None = None,
) -> tuple[Trace, ...]:
    """The curve of each method, then that of `repeats` random orders, over the prompt's segments `parts`.

    Raises: AppError where there are fewer than two segments; Stopped.
    """
    if len(parts) < 2:
        raise AppError(
            f"The prompt has {len(parts)} part at this granularity, so there is no order to try.",
            hint="Choose a finer granularity.",
        )
    meter = _Meter(model, tokens, target, parts, stop)
    count = len(parts)
    # A prompt must keep a token to be continued, so without a special one the last segment always stays.
    least = int(sum(b - a for a, b in (p.tokens for p in parts)) >= tokens.prompt_len)
    cuts = tuple(cut + least * insertion for cut in budget(count - least, steps))
    share = tuple(cut / count for cut in cuts)
    total = len(methods) + repeats
    everything = frozenset(range(count))

    def walk(order: Sequence[int], number: int, what: str) -> list[float]:
        found = []
        for place, cut in enumerate(cuts):
            if tick is not None:
                tick((number + place / len(cuts)) / total, what)
            named = frozenset(order[:cut])
            found.append(meter(everything - named if insertion else named))
        return found

    made: list[tuple[Method, list[int], list[float]]] = []
    for number, method in enumerate(methods):
        values = line_scores(model, tokens, target, method, parts, stop=stop)
        order = strongest_first(values, method.signed)
        made.append((method, order, walk(order, number, method.label)))
    rng = random.Random(seed)  # noqa: S311 - no secret
    chance = np.array(
        [
            walk(rng.sample(range(count), count), len(methods) + turn, "Random order")
            for turn in range(repeats)
        ]
    )
    middle = chance.mean(axis=0)
    sign = 1 if insertion else -1
    traces = [
        Trace(
            name=method.name,
            label=method.label,
            parts=share,
            logprob_nats=tuple(nats),
            steps=tuple(parts[order[cut - 1]].text if cut else "" for cut in cuts),
            area_nats=sign * area(share, nats, middle),
        )
        for method, order, nats in made
    ]
    control = Trace(
        name="random",
        label=f"random order ({repeats} of them)",
        parts=share,
        logprob_nats=tuple(middle.tolist()),
        low=tuple(chance.min(axis=0).tolist()),
        high=tuple(chance.max(axis=0).tolist()),
        control=True,
    )
    return (*traces, control)


def countable_parts(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments that may be removed: the prompt's own, template and special tokens left out."""
    return tuple(part for part, keep in zip(parts, aggregate.countable(parts)) if keep)
