"""Needless parts, pairs that hide each other and the shortest prompt, with answers that are known by construction."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.checks import as_checked
from core.errors import AppError
from core.improve.needless import cost, needless, shortest
from core.improve.prompt_parts import prompt_parts
from core.improve.rows import RowsAsked, RowToAsk, change, halves

PROMPT = (
    "Be kind.\nAnswer in capitals.\nWrite CAPITALS only.\nPrices are of no concern.\nText: {text}\nAnswer:"
)


Asked = Sequence[tuple[int, str]]


def shouting(asked: Asked) -> list[str]:
    """Capitals where one of both lines says so."""
    out = []
    for _row, prompt in asked:
        text = prompt.split("Text: ")[1].split("\n")[0]
        out.append(text.upper() if "capitals" in prompt.casefold() else text)
    return out


def rows(count: int = 10, answer: object = shouting) -> RowsAsked:
    made = [RowToAsk(str(at), {"text": f"word {at}"}, (f"WORD {at}",)) for at in range(count)]
    return RowsAsked(made, answer, [as_checked("equals", {"exactly": True})])  # type: ignore[arg-type]


def test_lines_with_a_column_and_the_cue_stay() -> None:
    parts = prompt_parts(PROMPT, "line", ["text"])
    assert parts.free == (0, 1, 2, 3)
    assert parts.without([0, 3]).startswith("Answer in capitals.\nWrite CAPITALS only.\nText: {text}")
    assert "".join(parts.of(i) for i in range(len(parts.spans))) == PROMPT


def test_needless_parts_and_the_pair_that_hides_itself() -> None:
    parts, ask = prompt_parts(PROMPT, "line", ["text"]), rows()
    found = needless(parts, ask)
    assert found.needless == (0, 1, 2, 3)
    assert [one.parts for one in found.pairs] == [(1, 2)]
    assert (found.pairs[0].changed, found.pairs[0].change.worse, found.pairs[0].rows) == (10, 10, 10)
    low, high = found.singles[0].interval
    assert low == 0 and high == pytest.approx(0.2775, abs=1e-4)  # Wilson, 0 of 10
    assert ask.asked <= cost(parts, 10)


def test_the_shortest_prompt_keeps_one_of_both_and_holds_on_unseen_rows() -> None:
    parts, ask = prompt_parts(PROMPT, "line", ["text"]), rows()
    found = shortest(parts, ask, lambda text: len(text.split()))
    assert found.text in (
        "Answer in capitals.\nText: {text}\nAnswer:",
        "Write CAPITALS only.\nText: {text}\nAnswer:",
    )
    assert found.tokens_before - found.tokens == 10
    assert found.keeps and found.held is not None
    assert (found.work.rows, found.held.rows, found.held.worse) == (5, 5, 0)


def test_what_only_unseen_rows_need_is_told() -> None:
    special = {str(at) for at in halves(10)[1]}

    def answer(asked: Asked) -> list[str]:
        loud = [str(row) not in special or "kind" in prompt for row, prompt in asked]
        return [
            text.upper() if yes else text.lower() for yes, text in zip(loud, shouting(asked), strict=True)
        ]

    ask = rows(answer=answer)
    found = shortest(prompt_parts(PROMPT, "line", ["text"]), ask, len)
    assert not found.keeps and found.held is not None and found.held.worse == 5


def test_halves_hold_out_half_of_the_right_and_of_the_wrong() -> None:
    import numpy as np

    outcomes = np.array([1.0] * 6 + [0.0] * 4)
    work, held = halves(10, outcomes)
    assert sorted(work + held) == list(range(10))
    assert outcomes[work].sum() == 3 and outcomes[held].sum() == 3
    assert halves(1) == ([0], [])


def test_a_change_counts_rows_that_are_decided_under_both() -> None:
    import numpy as np

    nan = np.nan
    found = change(np.array([1, 0, 0, nan, 1.0]), np.array([1, 1, 1, 1, 0.0]))
    assert (found.better, found.worse, found.same, found.right) == (2, 1, 1, 3)
    assert found.difference == 0.25 and found.p == 1.0


def test_a_prompt_is_asked_once() -> None:
    asked: list[tuple[int, str]] = []

    def answer(pairs: Asked) -> list[str]:
        asked.extend(pairs)
        return shouting(pairs)

    ask = rows(3, answer)
    ask([PROMPT, PROMPT])
    ask([PROMPT], [1])
    assert len(asked) == len(set(asked)) == ask.asked == 3
    with pytest.raises(AppError, match="No rows"):
        RowsAsked([], answer)
