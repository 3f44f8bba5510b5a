"""Diffs rebuild both texts, alignments keep order and lose nothing, ranks agree with pandas."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.compare import ALIKE, Pair, agreement, align, difference, spearman, word_diff
from core.records import Role, Segment, SegmentSalience

texts = st.lists(
    st.sampled_from(
        ("You ", "must ", "not ", "try ", "it.", "\n", "\r\n", " ", "한국어", "👨\u200d👩", "é ", "good ")
    ),
    max_size=25,
).map("".join)


def made(*lines: str, roles: dict[int, Role] | None = None) -> tuple[Segment, ...]:
    return tuple(
        Segment(i, t, (i, i + 1), (i, i + 1), (roles or {}).get(i, Role.PROMPT)) for i, t in enumerate(lines)
    )


def texts_of(pairs: tuple[Pair, ...]) -> list[tuple[str | None, str | None, str]]:
    return [(p.old and p.old.text, p.new and p.new.text, p.state) for p in pairs]


@given(texts, texts)
def test_a_diff_rebuilds_both_texts(old: str, new: str) -> None:
    runs = word_diff(old, new)
    assert "".join(r.text for r in runs if r.change != "added") == old
    assert "".join(r.text for r in runs if r.change != "removed") == new
    assert all(r.text for r in runs)
    assert not any(a.change == b.change for a, b in pairwise(runs))


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("", "", []),
        ("same\n", "same\n", [("kept", "same\n")]),
        ("You must try it.", "You must not try it.",
         [("kept", "You must "), ("added", "not "), ("kept", "try it.")]),
        ("a red fox\nb", "a grey cat\nb", [
            ("kept", "a "), ("removed", "red fox"), ("added", "grey cat"), ("kept", "\nb"),
        ]),
        ("one\ntwo\nthree", "one\nthree", [("kept", "one\n"), ("removed", "two\n"), ("kept", "three")]),
        ("", "new", [("added", "new")]),
        ("a\rb", "a\nb", [("kept", "a"), ("removed", "\r"), ("added", "\n"), ("kept", "b")]),
    ],
)  # fmt: skip
def test_diffs_by_hand(old: str, new: str, runs: list[tuple[str, str]]) -> None:
    assert [(r.change, r.text) for r in word_diff(old, new)] == runs


def test_alignment_marks_what_is_new_gone_and_changed() -> None:
    old = made("Judge the dish.", "Analysis: it has onions in it.", "Recommendation: You must try it.", "Bye")
    new = made(
        "Judge the dish.\n",
        "Be kind.",
        "Analysis: it has onions in it.",
        "Recommendation: You must not try it.",
    )
    assert texts_of(align(old, new)) == [
        ("Judge the dish.", "Judge the dish.\n", "kept"),
        (None, "Be kind.", "added"),
        ("Analysis: it has onions in it.", "Analysis: it has onions in it.", "kept"),
        ("Recommendation: You must try it.", "Recommendation: You must not try it.", "changed"),
        ("Bye", None, "removed"),
    ]


def test_template_segments_are_left_out_of_an_alignment() -> None:
    assert texts_of(align(made("<s>", "a", roles={0: Role.TEMPLATE}), made("a"))) == [("a", "a", "kept")]


@given(st.lists(texts, max_size=8), st.lists(texts, max_size=8))
def test_an_alignment_holds_every_segment_once_and_in_order(old: list[str], new: list[str]) -> None:
    a, b = made(*old), made(*new)
    pairs = align(a, b)
    assert tuple(p.old for p in pairs if p.old) == a
    assert tuple(p.new for p in pairs if p.new) == b


def test_the_difference_is_one_of_shares() -> None:
    target = made("answer")
    old = SegmentSalience(target, made("one", "two"), [[1, 3]], "sum")
    new = SegmentSalience(made("reply"), made("one", "rule", "two"), [[10, 20, 10]], "sum")
    got = difference(old, new)
    assert texts_of(got.columns) == [("one", "one", "kept"), (None, "rule", "added"), ("two", "two", "kept")]
    assert got.values.tolist() == [[0, 0.5, -0.5]]
    assert got.rows[0].state == "changed"


def test_what_a_removed_part_lost_is_all_that_it_had() -> None:
    old = SegmentSalience(made("answer"), made("one", "rule", "two"), [[1, 2, 1]], "sum")
    new = SegmentSalience(made("reply"), made("one", "two"), [[3, 1]], "sum")
    got = difference(old, new)
    assert texts_of(got.columns) == [
        ("one", "one", "kept"),
        ("rule", None, "removed"),
        ("two", "two", "kept"),
    ]
    assert got.values.tolist() == [[0.5, -0.5, 0]]


SOUP = ("Dish: Soup with beans.", "Dish: Soup with beans, eggs and mushrooms.")


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        # The first is like the new one, the second liker still: order of reading must not decide.
        (SOUP, ("Dish: Soup with beans, eggs and mushroom.",), [(0, None), (1, 0)]),
        (SOUP[::-1], ("Dish: Soup with beans, eggs and mushroom.",), [(0, 0), (1, None)]),
        (("Dish: Soup with beans, eggs and mushroom.",), SOUP, [(None, 0), (0, 1)]),
        (("Dish: Soup with beans, eggs and mushroom.",), SOUP[::-1], [(0, 0), (None, 1)]),
        # Two weak pairs together outweigh one strong one that would cross them.
        (("aaaabbbb", "ccccdddd"), ("ccccxxxx", "aaaabbbx"), [(None, 0), (0, 1), (1, None)]),
        (("aaaabb--", "ccccdd--"), ("aaaabbxx", "ccccddxx"), [(0, 0), (1, 1)]),
        (("zzzz", "aaaabb--", "ccccdd--"), ("aaaabbxx", "ccccddxx", "yyyy"),
         [(0, None), (1, 0), (2, 1), (None, 2)]),
        (("aaaaaaa1", "bbbbbbb1", "ccccccc1"), ("bbbbbbb2", "ccccccc2"), [(0, None), (1, 0), (2, 1)]),
    ],
)  # fmt: skip
def test_the_alignment_is_the_one_with_the_most_likeness(
    old: tuple[str, ...], new: tuple[str, ...], want: list[tuple[int | None, int | None]]
) -> None:
    pairs = align(made(*old), made(*new))
    assert [(p.old and p.old.index, p.new and p.new.index) for p in pairs] == want


pieces = st.lists(st.sampled_from(("aaaa", "aaab", "aabb", "abbb", "bbbb")), max_size=4)


@given(pieces, pieces)
def test_no_other_alignment_is_better(old: list[str], new: list[str]) -> None:
    def likeness(a: str, b: str) -> float:
        ratio = SequenceMatcher(None, a, b, False).ratio()
        return ratio if ratio >= ALIKE else 0

    def best(left: list[str], right: list[str]) -> float:
        """Every way to pair in order, tried one by one."""
        return max(
            (
                sum(likeness(left[i], right[j]) for i, j in zip(here, there))
                for size in range(min(len(left), len(right)) + 1)
                for here in combinations(range(len(left)), size)
                for there in combinations(range(len(right)), size)
            ),
            default=0,
        )

    # Without equal texts nothing is paired beforehand.
    left, right = [f"{text}-" for text in old], [f"{text}+" for text in new]
    pairs = align(made(*left), made(*right))
    got = sum(likeness(p.old.text, p.new.text) for p in pairs if p.old and p.new)
    assert got == pytest.approx(best(left, right))


def test_rows_that_only_one_version_has_are_left_out() -> None:
    old = SegmentSalience(made("yes", "no"), made("a", "b"), [[1, 0], [0, 1]], "sum")
    new = SegmentSalience(made("no"), made("a", "b"), [[1, 1]], "sum")
    got = difference(old, new)
    assert texts_of(got.rows) == [("no", "no", "kept")]
    assert got.values.tolist() == [[0.5, -0.5]]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_spearman_is_the_correlation_of_ranks_as_pandas_ranks(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, float).T
    ranks = pd.DataFrame({"a": a, "b": b}).rank()
    got = spearman(a, b)
    if ranks.nunique().min() == 1:
        assert got is None
    else:
        assert got == pytest.approx(ranks["a"].corr(ranks["b"]))


def test_agreement_of_maps() -> None:
    columns = made("a", "b", "c", "d")
    old = SegmentSalience(made("x"), columns, [[1, 2, 3, 4]], "sum")
    assert agreement(old, SegmentSalience(made("y"), columns, [[10, 20, 30, 31]], "sum")) == (
        pytest.approx(1),
    )
    assert agreement(old, SegmentSalience(made("y"), columns, [[4, 3, 2, 1]], "sum")) == (pytest.approx(-1),)
    assert agreement(old, SegmentSalience(made("y"), columns, [[1, 1, 1, 1]], "sum")) == (None,)


def test_maps_that_hold_only_some_segments_of_their_text() -> None:
    lines = made("skipped\n", "one\n", "two\n", "three\n")
    answer = made("answer")
    old = SegmentSalience(answer, lines[1:], np.array([[1.0, 2.0, 5.0]], np.float32), "sum")
    new = SegmentSalience(answer, lines[1:], np.array([[5.0, 2.0, 1.0]], np.float32), "sum")
    assert agreement(old, new) == (-1.0,)
    np.testing.assert_allclose(difference(old, new).values, [[0.5, 0.0, -0.5]])


def test_texts_of_too_many_words_are_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.compare._MOST_WORDS", 3)
    assert [(r.change, r.text) for r in word_diff("a b c", "a x c")] == [
        ("kept", "a "), ("removed", "b "), ("added", "x "), ("kept", "c"),
    ]  # fmt: skip
    assert [(r.change, r.text) for r in word_diff("a b c d", "a x c")] == [
        ("removed", "a b c d"), ("added", "a x c"),
    ]  # fmt: skip
    assert [(r.change, r.text) for r in word_diff("a b c d\n", "a b c d\n")] == [("kept", "a b c d\n")]


def test_a_long_text_of_much_the_same_lines_and_words_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "yes " * 300
    assert [(r.change, r.text) for r in word_diff(words, words + "no")] == [("kept", words), ("added", "no")]
    monkeypatch.setattr("core.compare._MOST_WORDS", 10)  # so only whole lines can be told to be the same
    lines = "the same\n" * 300
    assert [(r.change, r.text) for r in word_diff(lines, lines + "no")] == [("kept", lines), ("added", "no")]


def test_how_like_two_segments_must_be_and_how_many_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert texts_of(align(made("ab"), made("ax"))) == [("ab", "ax", "changed")]  # one of two letters: 0.5
    assert texts_of(align(made("abc"), made("axy"))) == [("abc", None, "removed"), (None, "axy", "added")]
    long = "ab" * 150
    assert texts_of(align(made(long + "c"), made(long + "d"))) == [(long + "c", long + "d", "changed")]
    monkeypatch.setattr("core.compare._MOST_PAIRS", 4)
    old, new = made("first 1", "second 1"), made("first 2", "second 2", "third 2")
    assert [p.state for p in align(old, new[:2])] == ["changed", "changed"]
    assert {p.state for p in align(old, new)} == {"removed", "added"}


def test_a_pair_is_named_by_its_new_segment_where_there_is_one() -> None:
    (old,), (new,) = made("old"), made("new")
    assert Pair(old, new).segment is new
    assert Pair(None, new).segment is new
    assert Pair(old, None).segment is old


def test_the_template_takes_no_share_in_a_difference() -> None:
    roles = {0: Role.TEMPLATE}
    old = SegmentSalience(made("x"), made("<s>", "one", "two", roles=roles), [[96, 1, 3]], "sum")
    new = SegmentSalience(made("y"), made("<s>", "one", "two", roles=roles), [[16, 3, 1]], "sum")
    got = difference(old, new)
    assert [p.segment.text for p in got.columns] == ["one", "two"]
    assert got.values.tolist() == [[0.5, -0.5]]
    assert got.values.dtype == np.float32


def test_agreement_looks_at_the_segments_that_both_have() -> None:
    old = SegmentSalience(made("x"), made("gone", "a", "b", "c"), [[9, 1, 2, 3]], "sum")
    new = SegmentSalience(made("y"), made("a", "b", "c", "fresh"), [[10, 20, 30, 0]], "sum")
    assert agreement(old, new) == (pytest.approx(1),)
