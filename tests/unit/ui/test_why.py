"""The sentences of the page that answers why, by hand: what is shown at all, what changed, what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from core.cause import Cause, CauseRequest, Removal
from core.records import Example, ModelSpec, Role, Segment, Tokens
from core.ui.asking.conversation import Message, without
from core.ui.asking.versions import LEAST_ALIKE, likeness
from core.ui.salience_page import changes, measuring, reasons, tour
from tests.unit.fake_model import tokens_of

NAMES = ("line 1", "line 2", "line 3")
SHARES = (0.2, 0.5, 0.3)


@dataclass
class Done:
    """As a trial that ended."""

    nats: float
    turns: bool = False
    done: bool = True
    error: None = None


def said(trials: dict[int, Done]) -> tuple[str, str]:
    found = reasons.verdict(trials, SHARES, NAMES)  # type: ignore[arg-type]
    return "".join(text for _, text in found.sentence), found.tag


def test_nothing_is_said_before_anything_is_measured() -> None:
    assert said({}) == ("", "")


def test_the_strongest_line_that_matters_agrees() -> None:
    words, tag = said({1: Done(-3.0, turns=True), 0: Done(-0.1)})
    assert words == "Mostly because of line 2 (50\u00a0% of the influence). Without it the answer turns."
    assert tag == "map and measurement agree"


def test_the_effect_is_believed_where_the_map_pointed_elsewhere() -> None:
    words, tag = said({1: Done(0.0), 0: Done(-5.0)})
    assert words.startswith("Because of line 1. Without it these words are 148 times less likely.")
    assert "The map pointed to line 2 first" in words and tag == "map and measurement disagree"


def test_a_line_that_changes_nothing_is_no_cause() -> None:
    words, tag = said({1: Done(-0.2)})
    assert words == "No single part decides: taking out line 2 changed next to nothing."
    assert tag == "map and measurement disagree"


def cause(verdict: str, parts: tuple[int, ...], removals: tuple[Removal, ...]) -> Cause:
    request = CauseRequest(ModelSpec("m", "m"), (1, 2, 3, 4), 3, ((3, 4),), ((0, 1), (1, 2), (2, 3)))
    return Cause(request, verdict, parts, (0, 1), removals[0], removals)  # type: ignore[arg-type]


def test_a_cause_is_named_with_its_share_and_its_effect_apart() -> None:
    one = cause("one", (1,), (Removal((0, 1), 6.0), Removal((1,), 5.0, True)))
    found = reasons.of_cause(one, SHARES, (0, 1, 2), "line 2", "the search's words", None)
    assert "".join(text for _, text in found.sentence) == (
        "Mostly because of line 2 (50\u00a0% of the influence). Without it the answer turns."
    )
    assert found.kind == "agree"
    several = cause("several", (0, 2), (Removal((0, 2), 6.0),))
    found = reasons.of_cause(several, SHARES, (0, 1, 2), "lines 1 and 3", "They say the same.", None)
    assert found.sentence == [("", "They say the same.")] and found.kind == "disagree"


@pytest.mark.parametrize(
    ("nats", "turns", "kind", "text"),
    [
        (-5.0, True, "turns", "answer turns"),
        (-5.0, False, "less", "148 times less likely"),
        (0.01, False, "none", "no effect"),
        (float("nan"), None, "failed", "cannot be left out"),
    ],
)
def test_an_effect_in_words(nats: float, turns: bool | None, kind: str, text: str) -> None:
    found = measuring.effect_in_words(nats, turns)
    assert (found.kind, found.text) == (kind, text)


def test_what_is_not_shown_is_told_in_percent() -> None:
    tokens = Tokens(
        ids=np.arange(6),
        text="abcdef",
        char_spans=np.array([[i, i + 1] for i in range(6)]),
        special=np.array([True, *[False] * 5]),
        role=np.array([Role.TEMPLATE, Role.PROMPT, Role.PROMPT, *[Role.RESPONSE] * 3]),
        prompt_len=3,
    )
    words = reasons.whole(np.array([10.0, 20, -20, 30, 20, 0]), tokens, [1])
    assert words == (
        "Shown: 40\u00a0% of all influence. Not shown: its own earlier words 30\u00a0%, "
        "the chosen words themselves 20\u00a0%, template and special tokens 10\u00a0%."
    )
    assert reasons.whole(np.zeros(6), tokens, [1]) == ""


def lines(text: str) -> tuple[Segment, ...]:
    made, at = [], 0
    for i, line in enumerate(text.splitlines(keepends=True)):
        made.append(Segment(i, line, (at, at + len(line)), (i, i + 1)))
        at += len(line)
    return tuple(made)


def test_shares_before_and_after_by_line() -> None:
    old, new = lines("same\nwrong words here\n"), lines("same\nright words here\nadded\n")
    found = changes.moves(old, np.array([0.2, 0.8]), new, np.array([0.3, 0.1, 0.6]), "line")
    assert [(name, before, after) for name, before, after, _ in found] == [
        ("line 2", "80\u00a0%", "10\u00a0%"),
        ("line 3", "new", "60\u00a0%"),
        ("line 1", "20\u00a0%", "30\u00a0%"),
    ]


def test_kept_words_are_shortened_and_changed_ones_never() -> None:
    long = "word " * 60
    runs = changes.diff(f"{long}end old", f"{long}end {'new ' * 60}")
    assert ("del", "old") in [(tag, text.strip()) for tag, text in runs]
    assert max(len(text) for tag, text in runs if not tag) < 200
    assert any(tag == "ins" and len(text) > 200 for tag, text in runs)


def test_parts_are_taken_out_of_the_turns_that_they_stand_in() -> None:
    tokens = tokens_of("one two three")
    assert without("one two three", tokens, [(0, 4), (8, 13)]) == "two "
    turns = (Message("system", "one "), Message("user", "two three"))
    assert without(turns, tokens, [(0, 4), (4, 8)]) == (Message("user", "three"),)


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        ("one line\nabc", "one line\ndef", True),
        ("Likes: a\nAvoids: b\nDish: c", "Likes: a\nAvoids: b\nDish: quite another dish", True),
        ("Analyze a dish for a guest.", "Nora has 34 stamps and gives away 5.", False),
    ],
)
def test_another_text_is_told_from_a_version(old: str, new: str, alike: bool) -> None:
    assert (likeness(old, new) >= LEAST_ALIKE) is alike


def test_the_tour_names_the_line_that_the_map_names() -> None:
    example = Example("e", "p", "right", "made")
    found = tour.tour_steps("wrong", example, NAMES, SHARES, ["a", "the guilty line", "c"])
    assert len(found) == 4
    assert "not what was hoped for" in found[0][1]
    assert "line 2, “the guilty line”" in found[1][1]
    assert tour.tour_steps("wrong", example, NAMES, (0.0, 0.0, 0.0), ["", "", ""]) == []
    assert "hoped" not in tour.tour_steps("right", example, NAMES, SHARES, ["a", "b", "c"])[0][1]


def test_the_answer_s_own_earlier_parts_stand_on_the_prompt_s_scale() -> None:
    parts = tuple(Segment(i, "w", (i, i + 1), (3 + i, 4 + i), Role.RESPONSE) for i in range(4))
    scores = np.array([0, 5, 5, 2, 4, 8, 1.0], np.float32)
    assert reasons.own_shares(scores, parts, [2], 10.0) == pytest.approx([0.2, 0.4, 0, 0])
    assert reasons.own_shares(scores, parts, [0, 3], 10.0) == pytest.approx([0, 0.4, 0.8, 0])
    assert reasons.own_shares(scores, parts, [2], 0.0) == [0, 0, 0, 0]
