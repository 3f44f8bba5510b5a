"""Which rows count, values by hand, intervals and the paired test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError, Stopped
from core.metrics import METRICS, MetricRow, aggregate, bootstrap, compare, lcs, measure, metric
from core.metrics import text as text_module
from core.metrics.normalised import normalised


def test_errors_and_stopped_rows_are_counted_and_never_scored_as_empty_text() -> None:
    data = [
        MetricRow("a", "yes", "yes"),
        MetricRow("b", "", "yes"),
        MetricRow("c", "", "yes", state="error"),
        MetricRow("d", "ye", "yes", state="stopped"),
        MetricRow("e", None, "yes", state="missing"),
        MetricRow("f", None, "yes"),
        MetricRow("g", "yes", None),
        MetricRow("h", "yes", " \n"),
    ]
    measured = measure(data, metric("exact_match"))
    whole = aggregate(measured)
    assert whole.rows == 2
    assert whole.value == 0.5
    assert dict(whole.left_out) == {"no target": 2, "missing": 2, "error": 1, "stopped": 1}
    assert whole.sentence == (
        "N = 2; left out: 2 without a target, 2 not run yet, 1 ended in an error, 1 stopped"
    )
    assert list(np.isnan(measured.values)) == [False, False] + [True] * 6


def test_a_mask_gives_the_value_of_a_slice() -> None:
    data = [MetricRow("a", "x", "x"), MetricRow("b", "x", "y"), MetricRow("c", "z", "z")]
    measured = measure(data, metric("exact_match"))
    assert aggregate(measured, np.array([True, False, True])).value == 1
    assert aggregate(measured, np.array([False, True, False])).rows == 1
    nothing = aggregate(measured, np.zeros(3, dtype=bool))
    assert nothing.rows == 0 and math.isnan(nothing.value) and nothing.metric.show(nothing.value) == "–"


def test_values_by_hand() -> None:
    def value(name: str, answer: str, target: str) -> float:
        return float(measure([MetricRow("1", answer, target)], metric(name)).values[0])

    assert value("token_f1", "the red, red car", "a red truck") == pytest.approx(2 * 1 / (3 + 2))
    assert value("exact_match", " Yes.\n", "Yes.") == 1
    assert value("exact_match", "yes.", "Yes.") == 0
    assert value("exact_match_normalised", "  the YES ", "Yes.") == 1
    assert value("exact_match_normalised", "!", "?") == 0
    assert value("contains", "That is a great thing to eat!", "Eat") == 1
    assert value("contains", "That is great", "eat") == 0
    assert value("contains", "The answer is A.", "A") == 1
    assert value("contains", "It is a dog.", "A") == 0
    assert value("length_ratio", " four ", "ei") == 2
    assert value("rouge1", "a b", "a c") == pytest.approx(0.5)


def test_log_probability_and_perplexity_are_in_natural_units() -> None:
    data = [
        MetricRow("a", None, "x y", target_logprob_nats=math.log(1 / 8), target_tokens=2),
        MetricRow("b", None, "z", target_logprob_nats=math.log(0.5), target_tokens=1),
        MetricRow("c", "kept apart", "z"),
    ]
    logprob = measure(data, metric("target_logprob_nats"))
    assert logprob.values[0] == pytest.approx(math.log(1 / 8))
    assert aggregate(logprob).value == pytest.approx((math.log(1 / 8) + math.log(1 / 2)) / 2)
    perplexity = aggregate(measure(data, metric("target_perplexity")))
    assert perplexity.value == pytest.approx(16 ** (1 / 3))
    assert perplexity.left_out == (("no logprob", 1),)


def test_no_rows_and_no_targets() -> None:
    with pytest.raises(AppError, match="no examples to score"):
        measure([], metric("bleu"))
    for member in METRICS:
        whole = aggregate(measure([MetricRow("a", "text", "", target_logprob_nats=-1.0)], member))
        assert whole.rows == 0 and math.isnan(whole.value)
        assert whole.sentence == "N = 0; left out: 1 without a target"


def test_stop_is_asked_between_chunks() -> None:
    data = [MetricRow(str(i), "a", "a") for i in range(450)]
    heard: list[int] = []
    with pytest.raises(Stopped):
        measure(data, metric("exact_match"), on_rows=heard.append, stop=lambda: len(heard) == 2)
    assert heard == [200, 400]


def test_an_unknown_metric_or_language_names_what_there_is() -> None:
    with pytest.raises(AppError, match="rougeLsum"):
        metric("blue")
    with pytest.raises(AppError, match="auto, other, zh"):
        measure([MetricRow("a", "b", "c")], metric("bleu"), "klingon")


def test_the_interval_is_that_of_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(3)
    stats = np.stack([rng.normal(size=57), np.ones(57)], axis=1)
    picked = np.random.default_rng(11).integers(0, 57, size=(400, 57))
    plain = stats[picked].sum(axis=1)
    ours = bootstrap.resampled(stats, 400, 11)
    assert ours == pytest.approx(plain)
    assert bootstrap.interval(ours[:, 0] / 57) == pytest.approx(
        tuple(np.percentile(stats[picked, 0].mean(axis=1), [2.5, 97.5]))
    )


def test_chunks_draw_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = np.arange(40.0).reshape(20, 2)
    at_once = bootstrap.resampled(stats, 50)
    monkeypatch.setattr(bootstrap, "_CHUNK_CELLS", 60)
    assert bootstrap.resampled(stats, 50) == pytest.approx(at_once)


def test_paired_bootstrap_sees_a_difference_and_none() -> None:
    data = [MetricRow(str(i), "yes" if i % 2 else "no", "yes") for i in range(100)]
    better = [MetricRow(str(i), "no" if i == 0 else "yes", "yes") for i in range(100)]
    a, b = (measure(rows, metric("exact_match")) for rows in (data, better))
    seen = compare(a, b)
    assert (seen.first, seen.second, seen.rows) == (0.5, 0.99, 100)
    assert seen.difference == pytest.approx(0.49)
    assert 0 < seen.low < 0.49 < seen.high
    # Of 50 rows that were wrong 49 became right and none the other way: a fair coin that fell 49 times alike.
    assert seen.p == pytest.approx(2 * 0.5**49)
    same = compare(a, a)
    assert (same.difference, same.p) == (0, 1)


def test_p_is_that_of_a_z_test_on_the_pairs() -> None:
    rng = np.random.default_rng(0)
    shifts = rng.normal(0.3, 1, size=200)
    stats = np.ones((200, 2))
    first, second = stats.copy(), stats.copy()
    first[:, 0] = rng.normal(size=200)
    second[:, 0] = first[:, 0] + shifts
    z = shifts.mean() / (shifts.std() / math.sqrt(200))
    expected = math.erfc(abs(z) / math.sqrt(2))
    _low, _high, p = bootstrap.paired(first, second, lambda s: s[..., 0] / s[..., 1], 20_000)
    assert p == pytest.approx(expected, rel=0.25, abs=2e-4)


def test_only_what_is_alike_is_compared() -> None:
    one = measure([MetricRow("a", "x", "x")], metric("exact_match"))
    with pytest.raises(AppError, match="first has 1 and the second 2"):
        compare(one, measure([MetricRow("a", "x", "x")] * 2, metric("exact_match")))
    with pytest.raises(AppError, match="Only one metric"):
        compare(one, measure([MetricRow("a", "x", "x")], metric("contains")))
    with pytest.raises(AppError, match="nothing to compare"):
        compare(one, measure([MetricRow("a", None, "x")], metric("exact_match")))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Good morning", "other"),
        ("בוקר טוב", "other"),
        ("早上好", "zh"),
        ("おはようございます。東京都", "ja"),
        ("좋은 아침입니다", "ko"),
        ("สวัสดี", "th"),
        ("12 + 3", "other"),
        ("", "other"),
    ],
)
def test_language_by_script(text: str, language: str) -> None:
    assert text_module.language_of([text]) == language


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_lcs_is_the_textbook_table(a: list[str], b: list[str]) -> None:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    assert lcs.length(a, b) == table[-1][-1]
    found = lcs.indices(a, b)
    assert len(found) == table[-1][-1] and found == sorted(set(found))
    rest = iter(b)
    assert all(a[i] in rest for i in found)


@given(st.text(max_size=40))
def test_words_hold_no_white_space(text: str) -> None:
    assert all(len(word.split()) == 1 for word in text_module.words(text))


@given(st.text(alphabet="aTthe .?!", min_size=1).filter(str.strip))
def test_no_text_is_normalised_to_nothing(text: str) -> None:
    assert normalised(text)


def test_two_systems_are_compared_on_the_rows_of_a_mask_that_count_for_both() -> None:
    first = [MetricRow(str(i), answer, "x") for i, answer in enumerate(("x", "y", None, "y"))]
    second = [MetricRow(str(i), "x", "x") for i in range(4)]
    one, other = measure(first, metric("exact_match")), measure(second, metric("exact_match"))
    seen = compare(one, other, [0, 1, 1, 0])  # type: ignore[arg-type]
    assert (seen.rows, seen.first, seen.second, seen.test) == (1, 0, 1, "McNemar, exact")
    assert seen.metric is metric("exact_match")
    assert compare(one, other).rows == 3


def test_what_is_no_share_is_compared_by_the_bootstrap_with_the_draws_that_were_asked_for() -> None:
    lengths, others = (3, 1, 4, 1, 5, 9), (2, 7, 1, 8, 2, 8)
    one, other = (
        measure([MetricRow(str(i), "a" * n, "bb") for i, n in enumerate(each)], metric("length_ratio"))
        for each in (lengths, others)
    )
    seen = compare(one, other, resamples=50, seed=1)
    assert seen.test == "paired bootstrap"
    wanted = bootstrap.paired(one.statistics, other.statistics, one.metric.score, 50, 1)
    assert (seen.low, seen.high, seen.p) == wanted
    assert wanted != bootstrap.paired(one.statistics, other.statistics, one.metric.score, 50, 2)
    assert seen.difference == pytest.approx((28 - 23) / 12)


def test_figures_are_shown_with_the_decimals_of_their_metric() -> None:
    assert metric("bleu").show(12.346) == "12.35"
    assert metric("token_f1").show(0.5) == "0.500"
    assert metric("target_perplexity").show(float("inf")) == "–"


def test_a_target_that_is_sure_and_one_that_is_out_of_the_question() -> None:
    def row(nats: float) -> MetricRow:
        return MetricRow("a", None, "x", target_logprob_nats=nats, target_tokens=1)

    assert measure([row(0.0)], metric("target_logprob_nats")).values[0] == 0
    assert measure([row(0.0)], metric("target_perplexity")).values[0] == 1
    assert measure([row(-1e6)], metric("target_perplexity")).values[0] == math.inf


def ratio_of_sums(stats: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return stats[..., 0] / stats[..., 1]


def test_the_paired_test_is_that_of_plain_draws() -> None:
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 30, 2))
    first[:, 1] = second[:, 1] = 1
    picked = np.random.default_rng(7).integers(0, 30, size=(99, 30))
    drawn = second[picked, 0].mean(axis=1) - first[picked, 0].mean(axis=1)
    seen = second[:, 0].mean() - first[:, 0].mean()
    as_far = int((np.abs(drawn - drawn.mean()) >= abs(seen)).sum())
    low, high, p = bootstrap.paired(first, second, ratio_of_sums, 99, 7)
    assert p == pytest.approx((as_far + 1) / 100)
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, [2.5, 97.5])))
    assert bootstrap.paired(first, first, ratio_of_sums, 99, 7) == (0, 0, 1)


def test_the_paired_test_says_nothing_where_there_is_no_figure() -> None:
    nothing, something = np.zeros((4, 2)), np.ones((4, 2))
    for pair in ((nothing, something), (something, nothing), (nothing, nothing)):
        assert np.isnan(bootstrap.paired(*pair, ratio_of_sums, 20)).all()
    # The first has a figure in some draws alone, and none over all rows.
    odd = np.array([[1.0, 1.0], [1.0, -1.0]])
    with np.errstate(divide="ignore"):
        assert np.isnan(bootstrap.paired(odd, something[:2], ratio_of_sums, 20)).all()
