"""BLEU, chrF and ROUGE against their own libraries and the sacrebleu command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

from core.metrics import METRICS, MetricRow, aggregate, measure, metric
from core.metrics import bleu as bleu_module
from core.metrics import chrf as chrf_module

ANSWERS = [
    "The soup has no nuts in it, so you can have it.",
    "It was raining -- hard! -- when the 14:30 train left.",
    "ok",
    "",
    "The quick brown fox\njumped over the lazy dog\nand then slept",
    "a a a b b c",
]
TARGETS = [
    "The soup has no nuts, so you can order it.",
    "It rained hard when the 14.30 train was leaving.",
    "OK",
    "something that was never said",
    "The brown fox jumped\nover a lazy dog\nand slept well",
    "a b a b a c",
]


def rows(answers: list[str], targets: list[str]) -> list[MetricRow]:
    return [MetricRow(str(i), a, t) for i, (a, t) in enumerate(zip(answers, targets))]


def command_line(folder: Path, which: str, *options: str, answers: list[str], targets: list[str]) -> dict:
    (folder / "answers").write_text("\n".join(answers) + "\n", encoding="utf-8")
    (folder / "targets").write_text("\n".join(targets) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sacrebleu", "targets", "-i", "answers", "-m", which, "-w", "8", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "options", "language"),
    [
        ("bleu", [], "other"),
        ("bleu", ["--tokenize", "zh"], "zh"),
        ("bleu", ["--tokenize", "char"], "th"),
        ("chrf", [], "other"),
    ],
)
def test_the_corpus_value_is_that_of_the_sacrebleu_command(
    tmp_path: Path, name: str, options: list[str], language: str
) -> None:
    answers = [a.replace("\n", " ") for a in ANSWERS]
    targets = [t.replace("\n", " ") for t in TARGETS]
    if language == "zh":
        answers, targets = (
            ["这道汤里没有坚果。", "他昨天去了北京的大学。"],
            ["汤里没有坚果。", "昨天他去北京大学了。"],
        )
    told = command_line(tmp_path, name, *options, answers=answers, targets=targets)
    ours = aggregate(measure(rows(answers, targets), metric(name), language), resamples=10)
    assert f"{ours.value:.8f}" == f"{told['score']:.8f}"
    assert ours.signature.replace("eff:yes", "") == told["signature"].replace("eff:no", "").replace(
        "eff:yes", ""
    )


def test_a_row_has_the_value_of_sentence_level_bleu_with_effective_order() -> None:
    scorer = BLEU(effective_order=True)
    ours = measure(rows(ANSWERS, TARGETS), metric("bleu"), "other").values
    for got, answer, target in zip(ours, ANSWERS, TARGETS):
        assert got == pytest.approx(scorer.sentence_score(answer, [target]).score, abs=1e-9)


MORE = ["", None, "Okay then", "What?", "A brown fox jumped over dogs", "a b c"]


def test_several_targets_count_as_the_libraries_say() -> None:
    several = [tuple(one for one in (t, m) if one) for t, m in zip(TARGETS, MORE)]
    data = [MetricRow(str(i), a, t) for i, (a, t) in enumerate(zip(ANSWERS, several))]
    for name, scorer in (("bleu", BLEU(effective_order=True)), ("chrf", CHRF())):
        theirs = scorer.corpus_score(ANSWERS, [TARGETS, [m or None for m in MORE]])
        assert aggregate(measure(data, metric(name), "other"), resamples=5).value == pytest.approx(
            theirs.score
        )
        assert "nrefs:var" in aggregate(measure(data, metric(name), "other"), resamples=5).signature
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    theirs_of = rouge_scorer.RougeScorer(names)
    for name in names:
        ours = measure(data, metric(name)).values
        for got, answer, wanted in zip(ours, ANSWERS, several):
            assert got == theirs_of.score_multi(list(wanted), answer)[name].fmeasure
    assert measure([MetricRow("a", "blue", ("red", "blue"))], metric("exact_match")).values[0] == 1
    assert (
        measure([MetricRow("a", "abcd", ("a", "abc", "abcdefgh"))], metric("length_ratio")).values[0] == 4 / 3
    )
    assert measure([MetricRow("a", "x", ("", " "))], metric("bleu")).reasons == ("no target",)


def test_identical_short_texts_score_100_and_not_0() -> None:
    assert aggregate(measure(rows(["Yes"], ["Yes"]), metric("bleu"))).value == pytest.approx(100)


sentences = st.lists(
    st.tuples(*[st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)] * 2), min_size=1, max_size=4
)


@given(sentences)
def test_the_array_form_of_bleu_equals_the_library(pairs: list[tuple[str, str]]) -> None:
    scorer = BLEU(effective_order=True)
    answers, targets = [a for a, _ in pairs], [t for _, t in pairs]
    stats = np.array(scorer._extract_corpus_statistics(answers, [targets]), dtype=float)
    theirs = scorer.corpus_score(answers, [targets]).score
    assert bleu_module.score(stats.sum(axis=0)) == pytest.approx(theirs, abs=1e-9)
    each = [scorer.sentence_score(a, [t]).score for a, t in pairs]
    assert bleu_module.score(stats) == pytest.approx(each, abs=1e-9)


@given(st.lists(st.integers(0, 40), min_size=18, max_size=18))
def test_the_array_form_of_chrf_equals_the_library(numbers: list[int]) -> None:
    theirs = CHRF()._compute_f_score(numbers)
    assert float(chrf_module.score(np.array(numbers))) == pytest.approx(theirs, abs=1e-9)


ascii_text = st.text(alphabet="abAB1_ .,\n'-", max_size=60)


@settings(max_examples=300)
@given(ascii_text, ascii_text)
def test_rouge_equals_rouge_score_to_the_last_digit(answer: str, target: str) -> None:
    names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    theirs = rouge_scorer.RougeScorer(names).score(target, answer)
    if not target.strip():
        return
    for name in names:
        assert measure(rows([answer], [target]), metric(name)).values[0] == theirs[name].fmeasure


@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL", "rougeLsum", "token_f1", "exact_match"])
@pytest.mark.parametrize(
    "text",
    [
        "오늘 저녁은 무엇을 먹을까요?",
        "מה נאכל הערב בבית?",
        "今天晚上我们吃什么？",
        "晩ごはんは何にしますか",
        "กินอะไรดี",
        "é e\u0301 🙂 👍🏽",
    ],
)
def test_identical_text_scores_1_in_every_script(name: str, text: str) -> None:
    assert measure(rows([text], [text]), metric(name)).values[0] == 1


@pytest.mark.parametrize("member", METRICS, ids=lambda m: m.name)
def test_every_member_keeps_to_its_own_declaration(member) -> None:  # type: ignore[no-untyped-def]
    data = [
        MetricRow(str(i), a, t, target_logprob_nats=-1.5 - i, target_tokens=2)
        for i, (a, t) in enumerate(zip(ANSWERS, TARGETS))
    ]
    measured = measure(data, member)
    whole = aggregate(measured, resamples=50)
    low, high = member.range
    assert member.label and member.description.endswith(".") and member.units
    assert ((measured.values >= low - 1e-9) & (measured.values <= high + 1e-9)).all()
    assert whole.low <= whole.value + 1e-9 and whole.value - 1e-9 <= whole.high
    assert whole.rows == len(data)
    one = aggregate(measure(data[:1], member), resamples=50)
    assert one.value == pytest.approx(measured.values[0])
    assert (one.low < one.high) if member.share else (np.isnan(one.low) and one.note)


def test_names_are_unique() -> None:
    assert len({m.name for m in METRICS}) == len(METRICS)


def test_chrf_of_little_and_of_short_texts_by_hand() -> None:
    # One of a hundred in every order: precision, recall and so F are a hundredth.
    assert chrf_module.score(np.array([100, 100, 1] * 6)) == pytest.approx(1)
    # A single character has one order only, and is right.
    assert chrf_module.score(np.array([1, 1, 1] + [0] * 15)) == pytest.approx(100)
    assert chrf_module.score(np.zeros(18)) == 0
