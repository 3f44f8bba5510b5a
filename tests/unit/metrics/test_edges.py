"""Metrics at their edges, worked out by hand: what no real answer shows every day."""

from __future__ import annotations

import numpy as np
import pytest
from sacrebleu import corpus_bleu

from core.errors import AppError
from core.metrics import METRICS, MetricRow, aggregate, bleu, bootstrap, measure, metric, resolve_language
from core.metrics.evaluate import references_of
from core.metrics.metric import streams
from core.metrics.numbers import last_number
from core.metrics.rouge import rouge_lsum
from core.metrics.text import language_of


def row(answer: str, *targets: str) -> MetricRow:
    return MetricRow("r", answer, *targets[:1]) if len(targets) < 2 else MetricRow("r", answer, targets)


def test_the_last_number_is_the_first_behind_a_mark_and_the_last_within_a_box() -> None:
    text = "so 3 #### 18 of 20"
    marked = last_number(text)
    assert marked is not None and marked.marked and text[marked.start : marked.stop] == "18"
    boxed = "then \\boxed{4 + 14 = 18} and 7"
    found = last_number(boxed)
    assert found is not None and found.marked and boxed[found.start : found.stop] == "18"
    plain = last_number("3 then 18")
    assert plain is not None and not plain.marked and plain.value == 18


def test_digits_of_every_script_are_read() -> None:
    found = last_number("٣٤")
    assert found is not None and found.value == 34


def test_a_nought_to_a_power_is_nought_and_its_inverse_none() -> None:
    found = last_number("0e0")
    assert found is not None and found.value == 0


def test_a_word_of_the_answer_counts_once_however_often_the_target_has_it() -> None:
    # Lines "a b" and "a c" both need the answer's only "a": 3 hits of 3 and 4 words, as in ROUGE 1.5.5.
    assert rouge_lsum("a b c", "a b\na c") == pytest.approx(2 * (3 / 3) * (3 / 4) / (3 / 3 + 3 / 4))
    # The target's one "a" is met once, though two lines of the answer hold it.
    assert rouge_lsum("a\na", "a") == pytest.approx(2 * (1 / 2) * 1 / (1 / 2 + 1))
    assert rouge_lsum("", "a") == rouge_lsum("a", "") == 0


@pytest.mark.parametrize(
    ("language", "with_it", "module"), [("ja", "ja-mecab", "MeCab"), ("ko", "ko-mecab", "mecab_ko")]
)
def test_mecab_cuts_where_it_is_there(
    language: str, with_it: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.metrics.bleu.find_spec", lambda name: name == module or None)
    assert bleu.tokenizer_for(language) == with_it
    monkeypatch.setattr("core.metrics.bleu.find_spec", lambda name: None)
    assert bleu.tokenizer_for(language) == "char"
    assert [bleu.tokenizer_for(one) for one in ("zh", "th", "other")] == ["zh", "char", "13a"]


def test_bleu_of_an_answer_of_no_words_and_of_one() -> None:
    for answer, target in (("", "a b c"), ("a", "a b c"), ("a b", "a c")):
        found = aggregate(measure([row(answer, target)], metric("bleu"), "other")).value
        assert found == pytest.approx(
            corpus_bleu([answer], [[target]], use_effective_order=True).score, abs=1e-9
        )


def test_the_language_of_many_short_texts_is_that_of_all_and_of_no_letters_is_other() -> None:
    assert language_of(["abcdef", "字"]) == "other"
    assert language_of(["字字", "abc"]) == "other"
    assert language_of(["字字字", "ab"]) == "zh"
    assert language_of(["한", "a"]) == "other"  # half is not most
    assert language_of(["字", "a"]) == "other"
    assert language_of(["字" * 49 + "か"]) == "zh"  # one in fifty is not more than that
    assert language_of(["字" * 48 + "か"]) == "ja"
    assert language_of(["1 2 3"]) == language_of([]) == "other"


def test_only_the_beginning_of_very_long_texts_is_looked_at() -> None:
    assert language_of(["a" * 99_999, "字" * 200_000]) == "zh"
    assert language_of(["a" * 100_000, "字" * 200_000]) == "other"


def test_the_language_is_the_targets_unless_it_is_named() -> None:
    rows = [row("hello", "字字字")]
    assert resolve_language(rows, "auto") == "zh"
    assert resolve_language(rows, "th") == "th"


def test_rows_with_fewer_targets_than_others_have_empty_ones() -> None:
    rows = [row("x", "a", "b"), row("x", "c")]
    assert streams(rows) == [["a", "c"], ["b", ""]]
    assert streams([]) == [[]]


def test_how_many_targets_rows_have_is_said() -> None:
    assert references_of([row("x", "a", "b"), row("x", "c", "d")]) == "2"
    assert references_of([row("x", "a", "b"), row("x", "c")]) == "var"
    assert references_of([]) == "1"


def test_draws_of_no_rows_are_no_figures_and_of_figures_that_are_none_no_interval() -> None:
    empty = bootstrap.resampled(np.zeros((0, 3)), 5)
    assert empty.shape == (5, 3) and np.isnan(empty).all()
    assert np.isnan(bootstrap.interval(np.array([np.nan, np.inf]))).all()


def test_draws_of_few_cells_at_a_time_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = np.concatenate(list(bootstrap.draws(3, 5)))
    monkeypatch.setattr(bootstrap, "_CHUNK_CELLS", 1)
    single = list(bootstrap.draws(3, 5))
    assert [len(chunk) for chunk in single] == [1] * 5
    np.testing.assert_array_equal(np.concatenate(single), together)
    assert together.dtype == np.float64 and (together.sum(1) == 3).all()


def test_the_seed_and_the_number_of_draws_are_those_that_were_asked_for() -> None:
    said = "one two three four five six seven eight nine ten"
    rows = [row(" ".join(said.split()[:count]), said) for count in range(1, 11)]
    measured = measure(rows, metric("token_f1"))
    one, other = (aggregate(measured, resamples=50, seed=seed) for seed in (1, 2))
    assert (one.low, one.high) == (aggregate(measured, resamples=50, seed=1).low, one.high)
    stats = measured.statistics[measured.kept]
    low, high = bootstrap.interval(metric("token_f1").score(bootstrap.resampled(stats, 50, 1)))
    assert (one.low, one.high) == pytest.approx((low, high))
    assert (one.low, one.high) != (other.low, other.high)


def test_what_is_no_metric_is_said_by_its_kind() -> None:
    with pytest.raises(AppError, match="There is no metric called 'none'"):
        metric("none")
    assert metric(METRICS[0].name) is METRICS[0]
