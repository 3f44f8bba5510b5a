"""Where an answer may end: read from the prompt's own examples."""

from core.ui.asking.stop_texts import BLANK, label, opening, proposals, tail

FEW_SHOT = (
    "Analyze a dish.\n\nLikes: a\nDish: b\nAnswer: c\n\n"
    "Likes: d\nDish: e\nAnswer: f\n\nLikes: g\nDish: h\nAnswer:"
)


def test_the_label_that_begins_each_example_is_proposed_first() -> None:
    assert opening(FEW_SHOT) == "Likes:"
    assert proposals(FEW_SHOT) == ["\nLikes:", BLANK]
    assert label("\nLikes:") == "a line that begins with “Likes:”"
    assert label(BLANK) == "a blank line"


def test_a_question_alone_proposes_the_end_of_its_line() -> None:
    assert opening("How many are left?") == ""
    assert proposals("How many are left?") == ["\n"]


def test_the_tail_is_where_the_next_example_begins() -> None:
    answer = " It suits.\nRecommendation: Try it.\n\nLikes: soup\nDish: x"
    assert answer[: tail(answer, FEW_SHOT)] == " It suits.\nRecommendation: Try it."
    assert tail(" It suits. Likes: are fine", FEW_SHOT) is None
    assert tail("\nLikes: soup", FEW_SHOT) is None  # nothing would be left
    assert tail("anything\nLikes: x", "No examples here") is None
