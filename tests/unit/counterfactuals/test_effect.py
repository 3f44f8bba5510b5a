"""Effects by hand, with callables in place of a model."""

from __future__ import annotations

import math

import pytest

from core.counterfactuals import Effect, effect, flipped, ranked, times
from core.errors import AppError
from core.metrics import metric
from core.records import Example

ORIGINAL = Example("o", "eat the soup\nnow", "yes")


def test_an_effect_holds_both_sides() -> None:
    changed = Example("c", "eat the stew\nnow", "yes", parent_id="o")
    seen = effect(
        ORIGINAL,
        changed,
        "yes please",
        score=lambda prompt, response: -1.0 if "soup" in prompt else -3.5,
        write=lambda prompt: "no thanks",
        metric=metric("contains"),
    )
    assert [(run.change, run.text) for run in seen.prompt_diff] == [
        ("kept", "eat the "),
        ("removed", "soup"),
        ("added", "stew"),
        ("kept", "\nnow"),
    ]
    assert seen.logprob_change_nats == pytest.approx(-2.5)
    assert seen.changed is True
    assert (seen.metric_before, seen.metric_after, seen.metric_change) == (1, 0, -1)
    assert seen.sentence == "the original answer became 12 times less likely; the answer changed"


def test_what_was_not_computed_is_none() -> None:
    changed = Example("c", "other", None)
    seen = effect(ORIGINAL, changed, None, score=lambda *_: 0.0, metric=metric("contains"))
    assert (seen.logprob_change_nats, seen.changed, seen.metric_change) == (None, None, None)
    assert seen.response_changed_share is None and seen.sentence == "not run yet"
    no_target = effect(ORIGINAL, changed, "a", write=lambda _: "a ", metric=metric("contains"))
    assert no_target.changed is False and no_target.metric_after is None
    with pytest.raises(AppError, match="needs the model's scores"):
        effect(ORIGINAL, changed, "a", metric=metric("target_perplexity"))


def test_ranked_puts_the_strongest_first_and_the_unknown_last() -> None:
    def make(name: str, change: float | None) -> Effect:
        after = None if change is None else change
        return Effect(Example(name, "p"), (), logprob_before_nats=0.0, logprob_after_nats=after)

    rows = [make("a", 0.1), make("b", None), make("c", -4.0), make("d", 2.0), make("e", math.nan)]
    assert [e.example.id for e in ranked(rows)] == ["c", "d", "a", "b", "e"]


def test_ranked_by_response_and_counts() -> None:
    rows = [
        effect(ORIGINAL, Example(n, "p"), "one two", write=lambda _, n=n: n) for n in ("one two", "x", "one")
    ]
    assert [e.example.id for e in ranked(rows, "response")] == ["x", "one", "one two"]
    assert flipped(rows) == (2, 3)


@pytest.mark.parametrize(
    ("nats", "words"),
    [
        (0.0, "neither more nor less likely"),
        (math.log(2), "2 times more likely"),
        (-math.log(1500), "1,500 times less likely"),
        (-80.0, "more than a million times less likely"),
    ],
)
def test_factors_in_words(nats: float, words: str) -> None:
    assert times(nats) == words
