"""Examples and their names, repairs of each kind, their trials, and the grouping of causes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.checks import as_checked
from core.improve.carriers import RowCause, carriers
from core.improve.causes_of_rows import aligned, conclusion_chars
from core.improve.few_shot import agreeing_answers, called, conclusion, examples_of
from core.improve.prompt_parts import prompt_parts
from core.improve.repairs import propose
from core.improve.rows import RowsAsked, RowToAsk
from core.improve.trials import cost, try_repairs

PROMPT = """Judge the dish.

Likes: ham
Analysis: It has ham. So it suits.
Advice: Take it.

Diet: no ham
Analysis: It has ham. So it does not suit.
Advice: Leave it.

Likes: figs
Analysis: It has figs. So it suits.
Advice: Leave it.

{case}"""
PARTS = prompt_parts(PROMPT, "line", ["case"])
PLANTED = next(i for i in PARTS.free if PARTS.spans[i][0] == PROMPT.rindex("Advice"))


def test_examples_are_found_by_the_label_that_they_end_with() -> None:
    examples = examples_of(PROMPT)
    assert [one.number for one in examples] == [1, 2, 3]
    assert [PROMPT[slice(*one.answer.text)] for one in examples] == ["Take it.", "Leave it.", "Leave it."]
    assert conclusion(PROMPT, examples[1]) == "So it does not suit."
    assert agreeing_answers(PROMPT, examples[2], examples) == ["Take it."]
    assert called(PROMPT, PARTS.spans[PLANTED]) == "example 3's Advice"
    assert called(PROMPT, PARTS.spans[0]) == "“Judge the dish.”"
    assert examples_of("No examples here.\nAt all.") == ()


def test_every_kind_of_repair_of_a_contradicting_example() -> None:
    found = {
        (one.kind, one.said): one.text for one in propose(PARTS, [PLANTED], lambda line, n: f"{line} ({n})")
    }
    mended = PROMPT.replace("figs. So it suits.\nAdvice: Leave it.", "figs. So it suits.\nAdvice: Take it.")
    said = "example 3's Advice says “Take it.”, as the examples that agree with its reasons"
    assert found["make consistent", said] == mended
    assert found["take out", "without example 3"] == PROMPT.replace(
        PROMPT[PROMPT.index("Likes: figs") :], "{case}"
    )
    assert found["take out", "without example 3's Advice"].count("Advice:") == 2
    rules = [text for (kind, _), text in found.items() if kind == "rule first"]
    assert rules == [f"Rule: where the Analysis says “So it suits”, the Advice is “Take it.”.\n\n{PROMPT}"]
    assert sum(kind == "rewrite" for kind, _ in found) == 3
    first = found["move", "example 3 is the first example"]
    assert first.index("figs") < first.index("Likes: ham") and sorted(first) == sorted(PROMPT)
    assert all("{case}" in text for text in found.values())


def test_a_line_outside_of_examples_moves_to_both_ends() -> None:
    text = "Be brief.\nWrite French.\nBe kind.\n\nText: {case}"
    parts = prompt_parts(text, "line", ["case"])
    found = {one.said: one.text for one in propose(parts, [1])}
    assert found["“Write French.” stands first"].startswith("Write French.\n\nBe brief.")
    assert (
        "Be kind.\n\nWrite French.\nText: {case}" in found["“Write French.” stands right before the question"]
    )
    assert found["without “Write French.”"] == "Be brief.\nBe kind.\n\nText: {case}"


def last_like_it(asked: Sequence[tuple[int, str]]) -> list[str]:
    """Copies the advice of the last example whose analysis concludes the same."""
    out = []
    for _row, prompt in asked:
        ends = "So it does not suit." if "rotten" in prompt else "So it suits."
        same = [one for one in prompt.split("\n\n") if ends in one and "Advice: " in one]
        out.append(same[-1].split("Advice: ")[1] if same else "?")
    return out


def rows() -> RowsAsked:
    made = [
        RowToAsk(
            str(at),
            {"case": "a rotten egg" if at % 2 else "a fresh egg"},
            ("Leave it." if at % 2 else "Take it.",),
        )
        for at in range(12)
    ]
    return RowsAsked(made, last_like_it, [as_checked("equals", {})])


def test_the_winner_mends_and_says_what_it_did_to_unseen_rows() -> None:
    repairs = propose(PARTS, [PLANTED])
    ask = rows()
    found = try_repairs(PROMPT, repairs, ask, len)
    assert (found.right, found.rows) == (6, 12)
    winner = found.winner
    assert winner is not None and winner.repair.kind == "make consistent"
    assert (winner.all.better, winner.all.worse, winner.all.right) == (6, 0, 12)
    assert winner.all.p == pytest.approx(2 * 0.5**6)
    assert winner.held is not None and (winner.held.better, winner.held.worse) == (3, 0)
    assert not winner.overfits and ask.asked <= cost(len(repairs), 12)


def test_no_winner_where_nothing_helps() -> None:
    found = try_repairs(PROMPT, propose(PARTS, [0]), rows(), len)
    assert found.winner is None


def test_causes_are_grouped_and_means_are_of_what_was_measured() -> None:
    nan = np.nan
    told = [
        RowCause("a", np.array([0.5, 0.5]), np.array([2.0, nan]), (0,)),
        RowCause("b", np.array([0.1, 0.9]), np.array([nan, 3.0]), (1,)),
        RowCause("c", np.array([0.3, 0.7]), np.array([nan, 5.0]), (1,)),
        RowCause("d", np.array([nan, nan]), np.array([nan, nan]), ()),
    ]
    found = carriers(2, told)
    assert [(one.part, one.caused, one.measured) for one in found.parts] == [(1, 2, 2), (0, 1, 1)]
    assert found.parts[0].effect_nats == 4.0 and found.parts[0].share == pytest.approx(0.7)
    assert (found.rows, found.uncaused) == (4, 1)
    assert (
        found.sentence(["the heading", "example 1's Advice"])
        == "In 2 of 4 wrong rows that were read: example 1's Advice."
    )
    assert "none of 0" in carriers(2, []).sentence(["a", "b"])


def test_parts_are_found_in_a_row_even_where_its_text_repeats_them() -> None:
    parts = prompt_parts("A\n{x}\nB\nC {y}\nA\n", "line", ["x", "y"])
    prompt = "A\nA\nB\nB\nC A\nA\n"
    places = aligned(parts, prompt)
    assert places is not None
    assert [None if p is None else prompt[slice(*p)] for p in places] == ["A\n", None, "B\n", None, "A\n"]
    assert places[-1] == (12, 14)
    assert aligned(parts, "something else") is None


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("Thinking.\nAdvice: Take it.\n", "Advice: Take it."),
        ("Yes.\n\nLikes: more\nAdvice: x", "Yes."),
        (" \n", None),
    ],
)
def test_the_conclusion_ends_where_the_next_example_begins(response: str, said: str | None) -> None:
    chars = conclusion_chars(response, PROMPT)
    assert (None if chars is None else response[slice(*chars)]) == said
