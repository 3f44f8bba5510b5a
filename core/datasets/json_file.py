"""`.jsonl`: one JSON object a line; and `.json`: objects in any of the arrangements that people have.

A list; an object that holds the list (`{"data": […]}`, `{"examples": […]}`); columns (`{"prompt": […], …}` and the
forms of pandas' `to_json`); a list of lists under a header; SQuAD's paragraphs; ChainForge's flows. Which of the
two a file is goes by what stands in it, not by its ending. Lines end at a line feed only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.datasets.bounds import Bounds
from core.datasets.encoding import decode
from core.datasets.rows import Reading, Row
from core.datasets.unwrap import unwrapped
from core.datasets.whole import WholeDocument, of_cells, rows_of
from core.errors import AppError

Numbered = Iterator[tuple[int, Row | str]]


def read_jsonl(data: bytes, bounds: Bounds) -> Reading:
    """As `read_json`; a single object is a row rather than columns."""
    return read_json(data, bounds, by_line=True)


def read_json(data: bytes, bounds: Bounds, *, by_line: bool = False) -> Reading:
    """Raises `AppError` when the whole is neither lines of objects nor an arrangement of them."""
    decoded = decode(data)
    notes = [decoded.note] if decoded.note else []
    text = decoded.text
    if _isas_row(_first_line(text), bounds) and "\n" in text.strip():
        return Reading(_lines(text, bounds), notes)
    if (cells := _lists_by_line(text, bounds)) is not None:
        return reading_of(of_cells(cells), notes)
    if not text.strip():
        return Reading((), notes)
    check_size(text, bounds)
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" or "\n" in text.strip() or text.lstrip()[:1] not in ("{", "["):
            return Reading(_lines(text, bounds), notes)
        raise AppError(f"The file is not JSON: {_where(error, True)}") from error
    except RecursionError as error:
        if "\n" in text.strip():
            return Reading(_lines(text, bounds), notes)
        raise AppError("The file is nested too deeply to be a list of examples.") from error
    except ValueError as error:
        raise AppError("The file holds a number with too many digits.") from error
    found = rows_of(whole, columns=not by_line)
    return reading_of(found, notes)


def reading_of(found: WholeDocument, notes: list[str]) -> Reading:
    """The rows of a document that was parsed, numbered from 1."""
    begin = 2 if found.first is not None and found.first.named else 1
    rows = ((number, as_row(entry)) for number, entry in enumerate(found.rows, begin))
    return Reading(rows, [*notes, *found.notes], template=found.template, first=found.first)


def _lists_by_line(text: str, bounds: Bounds) -> list[list[Any]] | None:
    """Lines that are lists of cells each (`["a", "1"]`); None for anything else."""
    first = _first_line(text).rstrip()
    if not (first.startswith("[") and first.endswith("]")) or "\n" not in text.strip():
        return None
    try:
        check_size(text, bounds)
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(one, list) and not any(isinstance(c, dict | list) for c in one) for one in found):
        return None
    return found if any(found) else None


def check_size(text: str, bounds: Bounds) -> None:
    """Raises `AppError` for JSON of more values than are read: they are counted before any is made."""
    values = text.count(",") + text.count("[") + text.count("{")
    if values > 2 * bounds.max_cells:
        raise AppError(
            f"The JSON holds about {values:,} values; at most {2 * bounds.max_cells:,} are read.",
            hint="Load a smaller part of it.",
            code="too_large",
        )


def _first_line(text: str) -> str:
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]


def _isas_row(line: str, bounds: Bounds) -> bool:
    if not line.startswith("{") or not line.rstrip().endswith("}"):
        return False
    try:
        check_size(line, bounds)
        return isinstance(json.loads(line), Mapping)
    except (ValueError, RecursionError, AppError):
        return False


def _lines(text: str, bounds: Bounds) -> Numbered:
    start, number = 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line, start, number = text[start:end], end + 1, number + 1
        if not line.strip():
            continue
        try:
            check_size(line, bounds)
            value = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"The line is not JSON: {_where(error)}"
        except RecursionError:
            yield number, "The line is nested too deeply."
        except ValueError:
            yield number, "The line holds a number with too many digits."
        except AppError as error:
            yield number, error.message
        else:
            yield number, as_row(value)


def as_row(value: Any) -> Row | str:
    """`value` as a row out of its wrapping, or why it is none."""
    if isinstance(value, Mapping):
        return unwrapped(value)
    if isinstance(value, str) and value.startswith("The row has "):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "The line should be a JSON object such as {“prompt”: “…”}, but it is a list."
    return "The line should be a JSON object with a “prompt”, such as {“prompt”: “…”}."


def _where(error: json.JSONDecodeError, line: bool = False) -> str:
    place = f"line {error.lineno}, character {error.colno}" if line else f"character {error.colno}"
    return f"{error.msg[:1].lower()}{error.msg[1:]} at {place}."
