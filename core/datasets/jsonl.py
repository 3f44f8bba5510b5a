"""`.jsonl`: one JSON object a line; and `.json`: a list of such objects. Lines end at a line feed only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.datasets.encoding import decode
from core.datasets.reading import Reading
from core.errors import AppError


def read_jsonl(data: bytes) -> Reading:
    decoded = decode(data)
    return Reading(_lines(decoded.text), [decoded.note] if decoded.note else [])


def read_json(data: bytes) -> Reading:
    """Raises `AppError` when the whole is not one list of JSON values; the number counted is the entry's."""
    decoded = decode(data)
    try:
        whole = json.loads(decoded.text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # a .jsonl under another name
            return Reading(_lines(decoded.text), [decoded.note] if decoded.note else [])
        raise AppError(f"The file is not JSON: {_where(error, True)}") from error
    except RecursionError as error:
        raise AppError("The file is nested too deeply to be a list of examples.") from error
    if isinstance(whole, Mapping):
        whole = [whole]
    if not isinstance(whole, list):
        raise AppError("The JSON file should hold a list of objects, each with a “prompt”.")
    rows = ((number, _object(entry)) for number, entry in enumerate(whole, 1))
    return Reading(rows, [decoded.note] if decoded.note else [])


def _lines(text: str) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"The line is not JSON: {_where(error)}"
        except RecursionError:
            yield number, "The line is nested too deeply."
        except ValueError:
            yield number, "The line holds a number with too many digits."
        else:
            yield number, _object(value)


def _object(value: Any) -> Mapping[str, Any] | str:
    if isinstance(value, Mapping):
        return value
    return "The line should be a JSON object with a “prompt”, such as {“prompt”: “…”}."


def _where(error: json.JSONDecodeError, line: bool = False) -> str:
    place = f"line {error.lineno}, character {error.colno}" if line else f"character {error.colno}"
    return f"{error.msg[:1].lower()}{error.msg[1:]} at {place}."
