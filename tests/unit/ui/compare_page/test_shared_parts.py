"""What several sides reacted to: matched by text, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.records import Role, Segment
from core.ui.compare_page.answers import changed
from core.ui.compare_page.likely import likelihood_lines, said_chance
from core.ui.compare_page.shared_parts import SideShares, models_verdict, moved, together, versions_verdict


def side(name: str, *parts: tuple[str, float], bos: bool = False) -> SideShares:
    texts = [("<bos>", 0.0, Role.TEMPLATE)] * bos + [(text, share, Role.PROMPT) for text, share in parts]
    segments = tuple(
        Segment(i, text, (i, i + 1), (i, i + 1), role) for i, (text, _, role) in enumerate(texts)
    )
    names = tuple(f"line {i + 1 - bos}" for i in range(len(texts)))
    return SideShares(name, segments, names, np.array([share for _, share, _ in texts], np.float32))


ROW = Segment(0, "yes", (9, 10), (9, 10), Role.RESPONSE)


def test_a_model_with_a_mark_before_the_text_shares_the_list_with_one_without() -> None:
    plain = side("one", ("a\n", 0.1), ("b\n", 0.6), ("c", 0.3))
    marked = side("two", ("a\n", 0.2), ("b\n", 0.5), ("c", 0.3), bos=True)
    for first, second in ((plain, marked), (marked, plain)):
        found, left = together([first, second])
        assert [line.label for line in found] == ["b", "c", "a"] and not left
        assert [line.note for line in found] == ["line 2", "line 3", "line 1"]
        shares = {bar.series: bar.text for bar in found[0].bars}
        assert shares == {0: "60 %" if first is plain else "50 %", 1: "50 %" if first is plain else "60 %"}


def test_a_part_that_a_model_has_not_says_so_and_bars_share_one_scale() -> None:
    found, left = together([side("one", ("a", 0.8), ("b", 0.2)), side("two", ("a", 1.0))], limit=1)
    # Two parts: a full bar is 1, the floor of every map.
    assert [bar.value for bar in found[0].bars] == [pytest.approx(0.8), pytest.approx(1.0)]
    assert left == "1 more, at most 20 % each."
    rest, _ = together([side("one", ("a", 0.8), ("b", 0.2)), side("two", ("a", 1.0))])
    assert (rest[1].bars[1].text, rest[1].bars[1].value) == ("not there", None)


def test_what_gained_and_lost_is_told_before_and_after() -> None:
    old = side("v1", ("keep\n", 0.5), ("You must try it.\n", 0.4), ("gone", 0.1))
    new = side("v2", ("keep\n", 0.25), ("You must not try it.\n", 0.05), ("a new rule", 0.7))
    found, left = moved(old, new)
    assert [(line.note, line.bars[0].text, line.bars[0].series) for line in found] == [
        ("line 3, new", "0 % → 70 %", 0),
        ("line 2, reworded", "40 % → 5 %", 1),
        ("line 1", "50 % → 25 %", 1),
        ("line 3, gone", "10 % → 0 %", 1),
    ]
    assert found[0].bars[0].value == pytest.approx(1) and found[1].bars[0].value == pytest.approx(-0.5)
    assert [(run.change, run.text) for run in found[1].changes] == [
        ("kept", "You must "), ("added", "not "), ("kept", "try it."),
    ]  # fmt: skip
    assert not left


def test_a_small_change_is_not_blown_up() -> None:
    found, _ = moved(side("v1", ("a", 0.5), ("b", 0.5)), side("v2", ("a", 0.51), ("b", 0.49)))
    assert found[0].bars[0].value == pytest.approx(0.1, abs=1e-5)


LIKE = side("one", ("a", 0.6), ("b", 0.3), ("c", 0.1))


@pytest.mark.parametrize(
    ("answers", "other", "said"),
    [
        (["yes", " yes\n"], LIKE, "Same answer, same reason (agreement 1.00)."),
        (["yes", "no"], LIKE, "Different answers, yet for the same reason (agreement 1.00)."),
        (["yes", "yes"], side("two", ("a", 0.5), ("b", 0.2), ("c", 0.3)),
         "Same answer, partly for the same reason (agreement 0.50)."),
        (["yes", "yes"], side("two", ("a", 0.1), ("b", 0.2), ("c", 0.7)),
         "Same answer, for different reasons (agreement -1.00): one reacts most to line 1, two reacts most to line 3."),
        (["yes", "yes"], side("two", ("a", 1.0)), "Same answer."),
    ],
)  # fmt: skip
def test_the_verdict_on_models(answers: list[str], other: SideShares, said: str) -> None:
    assert models_verdict(answers, [LIKE, other], [ROW, ROW]) == said


def test_the_verdict_on_versions() -> None:
    old, new = side("v1", ("a", 0.9), ("b", 0.1)), side("v2", ("a", 0.2), ("rule", 0.7), ("b", 0.1))
    assert versions_verdict("yes", "no", old, new) == (
        "The answer changes. Most influence lost: line 1 (90 % → 20 %). Most influence gained: line 2 (0 % → 70 %)."
    )
    assert versions_verdict("yes", "yes ", old, old) == "The answer stays the same."


def test_only_words_that_differ_stand_out() -> None:
    assert changed(["You must try it.", "You must not try it."]) == [[], [(9, 13, "new")]]
    assert changed(["a red fox", "a grey fox"]) == [[(2, 6, "gone")], [(2, 7, "new")]]
    assert changed(["x z", None, "x y"]) == [[], [], [(2, 3, "new")]]
    assert changed([None, None]) == [[], []]


def test_likelihoods_are_told_as_chances_and_never_as_certainty() -> None:
    found = likelihood_lines(["one", "two"], np.log([[0.5, 0.25], [0.2, np.nan]]))
    assert [[bar.text for bar in line.bars] for line in found] == [["50 %", "25 %"], ["20 %", "not known"]]
    assert found[1].bars[1].value is None
    assert [said_chance(part) for part in (1, 0.999, 0.99, 0.001, 0)] == [
        "100 %",
        "over 99 %",
        "99 %",
        "under 1 %",
        "0 %",
    ]
