"""The target survives a change of granularity by place and a new answer by text."""

from core.records import Role, Segment
from core.target_choice import Target, carried_over, default_choice, first, of_link, target_of

PROMPT = 10


def lines(text: str) -> tuple[Segment, ...]:
    made, at = [], 0
    for i, line in enumerate(text.splitlines(keepends=True)):
        made.append(Segment(i, line, (PROMPT + at, PROMPT + at + len(line)), (i, i + 1), Role.RESPONSE))
        at += len(line)
    return tuple(made)


OLD = "it has eggs in it.\nRecommendation: You have to try it.\n"
NEW = "it has eggs in it.\nGuest: vegan\nRecommendation: Avoid.\n"


def test_of_covers_the_chosen_segments() -> None:
    target = target_of([1], lines(OLD), OLD, PROMPT)
    assert target is not None
    assert target.text == "Recommendation: You have to try it."
    assert target_of([], lines(OLD), OLD, PROMPT) is None
    assert target_of([7], lines(OLD), OLD, PROMPT) is None


def test_the_same_response_keeps_the_place_in_another_granularity() -> None:
    words = (
        Segment(0, "it has eggs in it.\n", (PROMPT, PROMPT + 19), (0, 1), Role.RESPONSE),
        Segment(1, "Recommendation: ", (PROMPT + 19, PROMPT + 35), (1, 2), Role.RESPONSE),
        Segment(2, "You have to try it.\n", (PROMPT + 35, PROMPT + 55), (2, 3), Role.RESPONSE),
    )
    target = target_of([1], lines(OLD), OLD, PROMPT)
    assert carried_over(target, words, OLD, PROMPT) == (1, 2)


def test_a_new_answer_is_searched_by_text_then_by_label_then_at_the_end() -> None:
    target = target_of([0], lines(OLD), OLD, PROMPT)
    assert carried_over(target, lines(NEW), NEW, PROMPT) == (0,)
    target = target_of([1], lines(OLD), OLD, PROMPT)
    assert carried_over(target, lines(NEW), NEW, PROMPT) == (2,)
    unknown = Target(((0, 3),), "xyz")
    assert carried_over(unknown, lines(NEW), NEW, PROMPT) == (2,)


def test_the_default_is_the_last_segment_with_words_in_it() -> None:
    text = "one\ntwo\n\n"
    assert default_choice(lines(text)) == (1,)
    assert carried_over(None, lines(text), text, PROMPT) == (1,)
    assert default_choice(()) == ()


def characters(text: str) -> tuple[Segment, ...]:
    return tuple(
        Segment(i, c, (PROMPT + i, PROMPT + i + 1), (i, i + 1), Role.RESPONSE) for i, c in enumerate(text)
    )


def test_a_target_that_nobody_chose_is_kept_when_the_parts_get_finer() -> None:
    chosen = carried_over(None, characters(OLD), OLD, PROMPT, lines(OLD))
    assert "".join(OLD[i] for i in chosen) == "Recommendation:Youhavetotryit."
    words = lines("fine.\n.\n")
    assert first(words, "fine.\n.\n", PROMPT).text == "fine."  # type: ignore[union-attr]


def test_separate_parts_stay_separate() -> None:
    target = target_of([0, 2], lines(NEW), NEW, PROMPT)
    assert target is not None
    assert target.text == "it has eggs in it. … Recommendation: Avoid."
    assert carried_over(target, lines(NEW), NEW, PROMPT) == (0, 2)
    assert of_link(target.link, NEW) == target
    assert carried_over(target, lines(OLD), OLD, PROMPT) == (0, 1)  # by text, and by label


def test_parts_that_touch_are_one() -> None:
    target = target_of([1, 0], lines(NEW), NEW, PROMPT)
    assert target is not None and len(target.chars) == 1


def test_a_link_to_another_answer_names_nothing() -> None:
    assert of_link("0-4000", OLD) is None
    assert of_link("", OLD) is None
    assert of_link("4-2", OLD) is None
    assert of_link("²-3", OLD) is None


def test_a_tail_is_never_the_target() -> None:
    text = "Avoid.\n\nLikes: cheese\n"
    assert carried_over(None, lines(text), text, PROMPT, ends=7) == (0,)
    old = target_of([0], lines(OLD), OLD, PROMPT)
    assert carried_over(old, lines(text), text, PROMPT, ends=7) == (0,)
