"""How much a counterfactual changed: the original response's log-probability, the response, a metric.

The model is behind two callables, so everything here runs without one: `score(prompt, response)` gives the
log-probability of a response after a prompt (nats, summed over its tokens), `write(prompt)` what the model
answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.compare import Run, word_diff
from core.errors import AppError
from core.metrics import Metric, MetricRow
from core.records import Example
from core.thinking import answer_of

Order = Literal["logprob", "response", "metric"]
ORDERS: tuple[tuple[Order, str], ...] = (
    ("logprob", "Change of the answer's probability"),
    ("response", "How much of the answer changed"),
    ("metric", "Change of the metric"),
)


@dataclass(frozen=True, slots=True)
class Effect:
    """One counterfactual beside its original; what nobody computed is None."""

    example: Example
    prompt_diff: tuple[Run, ...]
    logprob_before_nats: float | None = None
    """Of the original response after the original prompt."""
    logprob_after_nats: float | None = None
    """Of the same response after the changed prompt."""
    response_before: str | None = None
    response_after: str | None = None
    response_diff: tuple[Run, ...] = ()
    metric_before: float | None = None
    metric_after: float | None = None

    @property
    def logprob_change_nats(self) -> float | None:
        """After minus before: below 0, the original response became less likely."""
        if self.logprob_before_nats is None or self.logprob_after_nats is None:
            return None
        return self.logprob_after_nats - self.logprob_before_nats

    @property
    def changed(self) -> bool | None:
        """Whether the model now answers something else (its thinking and white space around it aside)."""
        if self.response_before is None or self.response_after is None:
            return None
        return answer_of(self.response_before).strip() != answer_of(self.response_after).strip()

    @property
    def response_changed_share(self) -> float | None:
        """Share of characters of both responses that are only in one, 0 to 1."""
        if self.changed is None:
            return None
        total = sum(len(run.text) * (2 if run.change == "kept" else 1) for run in self.response_diff)
        return sum(len(run.text) for run in self.response_diff if run.change != "kept") / max(total, 1)

    @property
    def metric_change(self) -> float | None:
        if self.metric_before is None or self.metric_after is None:
            return None
        return self.metric_after - self.metric_before

    @property
    def sentence(self) -> str:
        """The effect in words: "the original answer became 12 times less likely; the answer changed"."""
        said = []
        if self.logprob_change_nats is not None:
            said.append(f"the original answer became {times(self.logprob_change_nats)}")
        if self.changed is not None:
            said.append("the answer changed" if self.changed else "the answer stayed the same")
        return "; ".join(said) or "not run yet"


def times(change_nats: float) -> str:
    """A change of log-probability as a factor in words."""
    factor = math.exp(min(abs(change_nats), 50.0))
    if factor < 1.05:
        return "neither more nor less likely"
    size = "more than a million" if factor > 1e6 else f"{factor:,.2g}" if factor < 10 else f"{factor:,.0f}"
    return f"{size} times {'more' if change_nats > 0 else 'less'} likely"


def value_of(metric: Metric, response: str, targets: Sequence[str]) -> float | None:
    """The metric of one response by the rule for several targets, None without one."""
    if metric.needs != "text":
        raise AppError(f"{metric.label} needs the model's scores; choose a metric of the text.")
    row = MetricRow("", response, targets)
    if not row.targets:
        return None
    value = float(metric.score(metric.statistics([row], "other"))[0])
    return value if np.isfinite(value) else None


def effect(
    original: Example,
    changed: Example,
    response: str | None,
    *,
    score: Callable[[str, str], float] | None = None,
    write: Callable[[str], str] | None = None,
    metric: Metric | None = None,
) -> Effect:
    """What `changed` does to the `response` that the model gave to `original`."""
    before = after = None
    if score is not None and response:
        before, after = score(original.prompt, response), score(changed.prompt, response)
    new = write(changed.prompt) if write is not None else None
    return Effect(
        example=changed,
        prompt_diff=word_diff(original.prompt, changed.prompt),
        logprob_before_nats=before,
        logprob_after_nats=after,
        response_before=response,
        response_after=new,
        response_diff=answers_diff(response, new) if response is not None and new is not None else (),
        metric_before=value_of(metric, response, original.targets)
        if metric and response is not None
        else None,
        metric_after=value_of(metric, new, changed.targets) if metric and new is not None else None,
    )


def answers_diff(before: str, after: str) -> tuple[Run, ...]:
    """The words that differ between two answers, without what was thought."""
    return word_diff(answer_of(before), answer_of(after))


def ranked(effects: Iterable[Effect], by: Order = "logprob") -> tuple[Effect, ...]:
    """The strongest first, whichever way it went; those without a figure last, otherwise in their order."""

    def strength(one: Effect) -> float:
        figure = {
            "logprob": one.logprob_change_nats,
            "response": one.response_changed_share,
            "metric": one.metric_change,
        }[by]
        return -math.inf if figure is None or math.isnan(figure) else abs(figure)

    return tuple(sorted(effects, key=strength, reverse=True))


def flipped(effects: Sequence[Effect]) -> tuple[int, int]:
    """(changed answers, answers): the counts that stand above the table."""
    known = [one.changed for one in effects if one.changed is not None]
    return sum(known), len(known)
