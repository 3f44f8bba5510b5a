"""Does it still say so, on answers written by hand."""

import pytest

from core.errors import AppError
from core.still_says import judge, without


def test_gone_words_come_first_and_ties_go_by_how_unlike_the_answer_is() -> None:
    found = judge(
        "old clocks",
        "He repairs old  clocks.",
        {
            0: ["He repairs old clocks."],
            1: ["He bakes bread."],
            2: ["He repairs clocks."],
            3: ["he repairs OLD clocks"],
        },
        parts=5,
    )
    assert [one.part for one in found.asked][:2] == [1, 2] and found.changing == (1, 2)
    assert found.sentence() == "2 of 4 lines change the answer when taken out. 1 more were not asked about."
    assert found.asked[0].interval[1] == 1.0


def test_several_samples_decide_by_more_than_half() -> None:
    found = judge("yes", "yes", {0: ["yes", "no", "no"], 1: ["yes", "yes", "no"]}, parts=2)
    assert found.changing == (0,) and found.asked[0].gone == 2
    low, high = found.asked[1].interval
    assert low < 1 / 3 < high
    assert found.sentence() == "1 of 2 lines changes the answer when taken out."


def test_what_cannot_be_asked() -> None:
    assert without("a\nb\nc", (2, 4)) == "a\nc"
    with pytest.raises(AppError, match="within the prompt's 5 characters"):
        without("a\nb\nc", (4, 9))
    with pytest.raises(AppError, match="should stand in the answer"):
        judge("maybe", "yes", {}, parts=1)
