"""The search grammar as a table of cases, and that nothing typed breaks it."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import search
from core.datasets.query import All, Any_, Compares, Everything, Has, Matches, Not, parse
from core.errors import AppError

TABLE = pd.DataFrame(
    {
        "id": ["soup1", "soup2", "soup3", "soup4"],
        "prompt": ["A soup with eggs", "a SOUP (vegan)", "Bread; is it vegan?", "étude AND or 3/4"],
        "target": ["Recommendation: no", "", None, "say \"hi\" \\ 'bye'"],
        "source": ["menu", "menu", "bakery", "odd"],
        "starred": [True, False, False, True],
        "bleu": [0.25, np.nan, 1.0, -2.0],
        "my column": ["x", "y", "z", "x y"],
    }
)

CASES: list[tuple[str, list[int]]] = [
    ("", [0, 1, 2, 3]),
    ("   ", [0, 1, 2, 3]),
    ("soup", [0, 1]),
    ("SOUP", [0, 1]),
    ("soup vegan", [1]),
    ("soup AND vegan", [1]),
    ("soup OR vegan", [0, 1, 2]),
    ("soup vegan OR bread", [1, 2]),
    ("soup (vegan OR eggs)", [0, 1]),
    ("(soup OR bread) vegan", [1, 2]),
    ("NOT soup", [2, 3]),
    ("NOT NOT soup", [0, 1]),
    ("NOT soup vegan", [2]),
    ("NOT (soup OR bread)", [3]),
    ("soup NOT vegan", [0]),
    ('"a soup"', [0, 1]),
    ('"AND"', [3]),
    ("and", [3]),
    ("prompt:soup", [0, 1]),
    ("PROMPT:soup", [0, 1]),
    ("source:menu prompt:vegan", [1]),
    ("source:menu OR source:odd", [0, 1, 3]),
    ('target:""', [1, 2]),
    ('NOT target:""', [0, 3]),
    ('"Recommendation: no"', [0]),
    ('target:"say \\"hi\\" \\\\"', [3]),
    ('"my column":y', [1, 3]),
    ("3/4", [3]),
    ("(vegan)", [1, 2]),
    ('"(vegan)"', [1]),
    ("/s.up/", [0]),
    ("/s.up/i", [0, 1]),
    ("/^a /i", [0, 1]),
    ("prompt:/vegan\\)?$/", [1]),
    ("/3\\/4/", [3]),
    ("/étude/", [3]),
    ("ÉTUDE", [3]),
    ("target:/say/ AND NOT source:menu", [3]),
    ("source:/o/", [3]),
    ("NOT prompt:/soup/", [1, 2, 3]),
    ("prompt:/eggs/ OR prompt:/étude/", [0, 3]),
    ("target:/^$/", [1, 2]),
    ("starred:true", [0, 3]),
    ("bleu:>0.2", [0, 2]),
    ("bleu:>=1", [2]),
    ("bleu:<0", [3]),
    ("bleu:=-2", [3]),
    ("bleu:<=0.25 NOT bleu:<0", [0]),
    ("prompt:>3", []),
    ("soup1", []),
    ("id:soup1", [0]),
    ("nothing", []),
]


@pytest.mark.parametrize(("text", "rows"), CASES)
def test_a_search_finds_these_rows(text: str, rows: list[int]) -> None:
    found = search(TABLE, text)
    assert np.flatnonzero(found).tolist() == rows
    assert found.shape == (len(TABLE),) and found.dtype == bool


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("soup", [True, False, False]),
        ("NOT soup", [False, True, True]),
        ('prompt:""', [False, True, True]),
        ('""', [False, True, True]),
        ("n:>=1", [True, False, True]),
        ("NOT n:>=1", [False, True, False]),
        ("prompt:/p/", [True, False, False]),
    ],
)
def test_cells_that_are_missing_in_either_way_hold_nothing(text: str, want: list[bool]) -> None:
    """pandas knows two kinds of missing: NaN, and the NA of its own types."""
    table = pd.DataFrame(
        {"prompt": pd.array(["soup", None, ""], "string"), "n": pd.array([1, None, 3], "Int64")}
    )
    found = search(table, text)
    assert found.tolist() == want and found.dtype == bool


def test_words_are_in_no_column_where_there_is_no_text() -> None:
    numbers = pd.DataFrame({"bleu": [0.5, 1.0]})
    assert search(numbers, "soup").tolist() == search(numbers, "/soup/").tolist() == [False, False]
    assert search(numbers, "NOT soup bleu:>0.6").tolist() == [False, True]


def test_a_row_that_comes_after_the_time_is_up_gets_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    class Expression:
        def search(self, text: str, timeout: float) -> None:
            given.append(timeout)

    monkeypatch.setattr("core.datasets.query.compiled", lambda pattern: Expression())
    Matches("prompt", "x").mask(TABLE, time.monotonic() - 60)
    Matches("prompt", "x").mask(TABLE[:1], time.monotonic() + 60)
    assert given[:4] == [1e-3] * 4
    assert 50 < given[4] <= 60


def test_the_shape_of_an_expression() -> None:
    assert parse("a b OR NOT c:d") == Any_((All((Has(None, "a"), Has(None, "b"))), Not(Has("c", "d"))))
    assert parse("x:/a\\/b/") == Matches("x", "a/b")
    assert parse("x:/a/i") == Matches("x", "(?i)a")
    assert parse("x:<=2.5") == Compares("x", "<=", 2.5)
    assert parse("<=2.5") == Has(None, "<=2.5")
    assert parse("((((a))))") == Has(None, "a")
    assert parse("") == Everything()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"open', 'cannot be understood at character 1 (“"open”)'),
        ("(soup", "cannot be understood at its end"),
        ("soup)", "at character 5 (“)”)"),
        ("soup OR", "at its end"),
        ("OR soup", "at character 1"),
        ("NOT", "at its end"),
        ("a AND AND b", "at character 7"),
        ("colour:red", "There is no column “colour”. There are: prompt, target, source"),
        ("10:30", 'put them in quotes: "10:…"'),
        ("/(/", "regular expression is broken"),
        ("x" * 2001, "has 2,001 characters"),
    ],
)
def test_what_cannot_be_understood_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(AppError) as caught:
        search(TABLE, text)
    assert message in str(caught.value)


def test_an_expression_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.datasets.query.SECONDS", 0.1)
    endless = pd.DataFrame({"prompt": ["fine", "a" * 200 + "!"]})
    with pytest.raises(AppError, match="was stopped in row 2 of 2"):
        search(endless, r"/^(a|a|aa)+$/")


PIECES = (*'ab:"/\\() \n>=1', "AND ", "OR ", "NOT ", "prompt:")


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text())
def test_any_text_is_a_search_or_one_sentence(text: str) -> None:
    try:
        found = search(TABLE, text)
    except AppError as error:
        assert str(error)
    else:
        assert found.shape == (4,) and found.dtype == bool


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_quoted_text_finds_itself(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    table = pd.DataFrame({"prompt": pd.array([text, ""], "str")})
    assert search(table, f'prompt:"{quoted}"').tolist() == [True, False]


def test_deep_parentheses_and_an_empty_table() -> None:
    assert search(TABLE, "(" * 900 + "soup" + ")" * 900).sum() == 2
    assert search(TABLE, "NOT " * 450 + "soup").sum() == 2
    assert search(TABLE.iloc[:0], "soup OR prompt:/x/ OR bleu:>1").tolist() == []
