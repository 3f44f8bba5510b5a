"""Values as files hold them: as text in a prompt, as JSON beside an example, and what they are called in sentences.

Knows no column and no row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from core.datasets.bounds import missing


def shown(value: Any) -> str:
    """`value` as it stands in a filled template: lists one entry a line, objects as JSON."""
    if missing(value) and not isinstance(value, str):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "\n".join(shown(one) for one in value)
    held = plain(value)
    if isinstance(held, Mapping):
        return json.dumps(held, ensure_ascii=False)
    return str(held)


def text_fault(text: str) -> str:
    """Why `text` cannot be kept, or ""."""
    if "\x00" in text:
        return "The line holds a NUL character."
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        return "The line holds a broken character (a byte that does not fit the encoding, or half of a pair)."
    return ""


def plain(value: Any) -> Any:
    """`value` as JSON would hold it: dates and decimals as text, bytes by their number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return f"({len(value):,} bytes)"
    return str(value) if isinstance(value, Decimal) else repr(value)


def texts_in(value: Any) -> Iterator[str]:
    """Every text within `value`, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


def kind_of(value: Any) -> str:
    """What `value` is, in a person's words."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, (list, tuple)) else f"of type {type(value).__name__}"
