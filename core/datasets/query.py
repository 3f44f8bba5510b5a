"""The search box of the dataset's table: what a person typed, parsed into an expression over its columns.

    soup vegan                 both words, anywhere, upper or lower case
    prompt:"must not"          these words in that column
    /rec\\w+:/i                 a regular expression (i: upper and lower case alike), also column:/…/
    source:menu OR source:""   either; "" is an empty or missing cell
    NOT (a OR b)               parentheses; AND, OR, NOT in capitals, AND may be left out
    bleu:>=0.5                 numbers: > >= < <= =

NOT binds closest, then AND, then OR. Knows no page; columns are those of the frame it is asked about.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import lark
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import AppError
from core.expressions import compiled

LONGEST = 2_000
SECONDS = 5.0
"""A regular expression may take this long over all rows."""
UNSEARCHED = ("id", "parent_id")
"""Columns that a word without a column does not look into."""

Mask = NDArray[np.bool_]

_GRAMMAR = r"""
?start: either
?either: both ("OR" both)*
?both: negated ("AND"? negated)*
?negated: "NOT" negated -> negation
        | "(" either ")"
        | [COLUMN] value -> term
value: STRING | REGEX | COMPARISON | WORD
COLUMN.3: /("(\\.|[^"\\])*"|[^\s():"\/]+):(?=\S)/
REGEX.2: /\/(\\.|[^\/\\\n])+\/i?(?=[\s()]|$)/
STRING.2: /"(\\.|[^"\\])*"/
COMPARISON.2: /(>=|<=|>|<|=)-?\d+(\.\d+)?(?=[\s()]|$)/
WORD: /(?!(AND|OR|NOT)([\s()]|$))[^\s():"]+/
%ignore /\s+/
"""
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty search."""

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        return np.ones(len(frame), bool)


@dataclass(frozen=True, slots=True)
class Has:
    """A text within a column (None: any), upper and lower case alike; "" finds empty cells."""

    column: str | None
    text: str

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        if not self.text:
            cells = _column(frame, self.column) if self.column else frame["prompt"]
            return (cells.isna() | (_as_text(cells) == "")).to_numpy(bool)
        found = (
            _as_text(cells).str.contains(self.text, case=False, regex=False).to_numpy(bool, na_value=False)
            for cells in _searched(frame, self.column)
        )
        return _any(found, len(frame))


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression found in a column (None: any)."""

    column: str | None
    pattern: str

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        found = (self._column(cells, deadline) for cells in _searched(frame, self.column))
        return _any(found, len(frame))

    def _column(self, cells: pd.Series, deadline: float) -> Mask:
        search, found = compiled(self.pattern).search, np.zeros(len(cells), bool)
        try:
            for row, text in enumerate(_as_text(cells).fillna("").tolist()):
                left = max(1e-3, deadline - time.monotonic())
                found[row] = search(text, timeout=left) is not None
        except TimeoutError as error:
            raise AppError(
                f"The regular expression /{self.pattern}/ was stopped in row {row + 1:,} of {len(cells):,}: "
                f"the search had taken {SECONDS:g} s.",
                hint="Repeats inside repeats, such as (a+)+, are the usual cause.",
                code="bad_expression",
            ) from error
        return found


@dataclass(frozen=True, slots=True)
class Compares:
    """A number in a column against a figure; a cell without a number fits none."""

    column: str
    sign: str
    figure: float

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        numbers = pd.to_numeric(_column(frame, self.column), errors="coerce").to_numpy(float, na_value=np.nan)
        return np.asarray(_COMPARE[self.sign](numbers, self.figure), bool)


@dataclass(frozen=True, slots=True)
class Not:
    inner: Query

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        return ~self.inner.mask(frame, deadline)


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Query, ...]

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        return reduce(np.logical_and, (part.mask(frame, deadline) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Any_:
    parts: tuple[Query, ...]

    def mask(self, frame: pd.DataFrame, deadline: float) -> Mask:
        return reduce(np.logical_or, (part.mask(frame, deadline) for part in self.parts))


Query = Everything | Has | Matches | Compares | Not | All | Any_


class _Build(lark.Transformer[lark.Token, Query]):
    """Nodes from the bottom up, so that no depth of parentheses is too deep."""

    def value(self, parts: list[lark.Token]) -> lark.Token:
        return parts[0]

    def term(self, parts: list[lark.Token | None]) -> Query:
        prefix, value = parts
        assert value is not None
        column = _unquoted(prefix[:-1]) if prefix else None
        if value.type == "REGEX":
            body, _, flags = value[1:].rpartition("/")
            pattern = ("(?i)" if flags else "") + body.replace("\\/", "/")
            compiled(pattern)  # a broken one is told now
            return Matches(column, pattern)
        if value.type == "COMPARISON" and column is not None:
            sign = value[: 2 if value[1] == "=" else 1]
            return Compares(column, sign, float(value[len(sign) :]))
        return Has(column, _unquoted(value))

    def negation(self, parts: list[Query]) -> Query:
        (inner,) = parts
        return inner.inner if isinstance(inner, Not) else Not(inner)

    def both(self, parts: list[Query]) -> Query:
        return All(tuple(parts))

    def either(self, parts: list[Query]) -> Query:
        return Any_(tuple(parts))


@lru_cache(maxsize=1)
def _parser() -> lark.Lark:
    return lark.Lark(_GRAMMAR, parser="lalr", transformer=_Build(), maybe_placeholders=True)


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """The expression that `text` says. Raises `AppError` with the place where it stops making sense."""
    if not text.strip():
        return Everything()
    if len(text) > LONGEST:
        raise AppError(f"The search has {len(text):,} characters; at most {LONGEST:,} are read.")
    try:
        built: Any = _parser().parse(text)
        return built
    except lark.exceptions.VisitError as error:
        if isinstance(error.orig_exc, AppError):
            raise error.orig_exc from error
        raise
    except lark.UnexpectedInput as error:
        over = isinstance(error, lark.UnexpectedToken) and error.token.type == "$END"
        at = (error.pos_in_stream or 0) + 1
        where = "at its end" if over else f"at character {at} (“{text[at - 1 : at + 19]}”)"
        raise AppError(
            f"The search cannot be understood {where}.",
            hint='Close quotes, slashes and parentheses, or put the words in quotes: "…".',
            code="bad_query",
        ) from error


def search(frame: pd.DataFrame, text: str) -> Mask:
    """Which rows of `frame` fit the search `text`, (rows,) bool.

    Raises `AppError` for a search that cannot be understood, an unknown column, or an endless expression.
    """
    return parse(text).mask(frame, time.monotonic() + SECONDS)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return str(text)
    return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    by_name = {str(column).casefold(): column for column in reversed(frame.columns)}
    if name.casefold() not in by_name:
        listed = ", ".join(str(column) for column in frame.columns if column not in UNSEARCHED)
        raise AppError(
            f"There is no column “{name}”.",
            hint=f'There are: {listed}. To find the words themselves, put them in quotes: "{name}:…".',
            code="bad_query",
        )
    return frame[by_name[name.casefold()]]


def _searched(frame: pd.DataFrame, name: str | None) -> Iterable[pd.Series]:
    if name is not None:
        return (_column(frame, name),)
    texts = (column for column in frame.columns if column not in UNSEARCHED)
    return (frame[c] for c in texts if pd.api.types.is_string_dtype(frame[c].dtype))


def _as_text(cells: pd.Series) -> pd.Series:
    return cells if isinstance(cells.dtype, pd.StringDtype) else cells.astype("str")


def _any(masks: Iterable[Mask], rows: int) -> Mask:
    return reduce(np.logical_or, masks, np.zeros(rows, bool))
