"""What every source and format of datasets agrees on: bounds, numbered rows, how rows become examples.

A row is a mapping of columns. `prompt` is needed, `target` and `source` are known, every other column is kept
in `Example.fields`. Text is taken as it stands: no stripping, an empty target stays empty. A row that cannot
be used becomes a `RowProblem` with its line and the reason, and the next row is read.

Knows no file format, no network and no database.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from core.errors import AppError
from core.records import Example, digest
from core.settings import Settings

PROMPT_NAMES = ("prompt", "question", "instruction", "input", "text", "article", "document")
TARGET_NAMES = ("target", "answer", "output", "response", "completion", "summary", "highlights")
SOURCE_NAMES = ("source",)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is read, and from where."""

    max_examples: int = 100_000
    max_prompt_chars: int = 200_000
    max_bytes: int = 200_000_000
    timeout_seconds: float = 60.0
    hosted: bool = False
    """Strangers ask: no files of this machine, no private addresses."""
    token: str = ""
    """Of the Hugging Face hub; never shown, and never there where strangers ask."""
    visitor_datasets: tuple[str, ...] = ()
    """The hub's datasets that strangers may load: `owner/name` or `owner/*`."""

    @classmethod
    def of(cls, chosen: Settings) -> Bounds:
        return cls(
            max_examples=chosen.max_examples,
            max_prompt_chars=chosen.max_prompt_chars,
            max_bytes=chosen.max_download_bytes,
            hosted=chosen.mode == "hosted",
            token="" if chosen.mode == "hosted" else chosen.hf_token.get_secret_value(),
            visitor_datasets=tuple(
                name.strip() for name in chosen.visitor_datasets.split(",") if name.strip()
            ),
        )


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A line that could not be used, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoadedDataset:
    """What was read: examples, lines that could not be used, and remarks for the person."""

    name: str
    origin: str
    examples: tuple[Example, ...]
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """Rows of a file as they come, `(line, row or reason)`, and what the reader noticed on the way."""

    rows: Iterable[tuple[int, Mapping[str, Any] | str]]
    notes: list[str] = field(default_factory=list)


def to_examples(reading: Reading, name: str, origin: str, bounds: Bounds) -> LoadedDataset:
    """The examples of `reading`; their ids depend on `name`, the line and the prompt only."""
    examples: list[Example] = []
    problems: list[RowProblem] = []
    left_out = 0
    layouts: dict[tuple[str, ...], tuple[str, str, str]] = {}
    for line, row in reading.rows:
        if isinstance(row, str):
            problems.append(RowProblem(line, row))
            continue
        if len(examples) >= bounds.max_examples:
            left_out += 1
            continue
        layout = tuple(row)
        if layout not in layouts:
            layouts[layout] = column_names(row)
        names = layouts[layout]
        made = _example(row, line, names, name, bounds)
        if isinstance(made, str):
            problems.append(RowProblem(line, made))
        else:
            examples.append(made)
    notes = list(reading.notes)
    for place, word in enumerate(("prompt", "target")):
        for other in sorted({names[place] for names in layouts.values() if names[0]} - {word, ""}):
            notes.append(f"There is no column “{word}”; “{other}” was read as the {word}.")
    if left_out:
        notes.append(
            f"The first {bounds.max_examples:,} of {len(examples) + left_out:,} rows were loaded "
            "(MAX_EXAMPLES is the limit)."
        )
    return LoadedDataset(name, origin, tuple(examples), tuple(problems), tuple(notes))


def column_names(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Which columns are prompt, target and source: by their name, upper or lower case; "" for none.

    When there is no `prompt`, the first usual name for it is taken, and only then a usual name of the target.
    """
    by_name = {key.strip().casefold(): key for key in reversed(list(row)) if isinstance(key, str)}

    def first(usual: tuple[str, ...]) -> str:
        return next((by_name[word] for word in usual if word in by_name), "")

    targets = TARGET_NAMES[:1] if "prompt" in by_name else TARGET_NAMES
    return first(PROMPT_NAMES), first(targets), first(SOURCE_NAMES)


def _example(
    row: Mapping[str, Any], line: int, names: tuple[str, str, str], dataset: str, bounds: Bounds
) -> Example | str:
    if not names[0]:
        listed = ", ".join(str(key) for key in list(row)[:8]) or "nothing"
        return f"There is no “prompt”; the line has: {listed}."
    prompt = row.get(names[0])
    if not isinstance(prompt, str):
        return f"The prompt should be text, but it is {_kind(prompt)}."
    if not prompt.strip():
        return "The prompt is empty."
    if len(prompt) > bounds.max_prompt_chars:
        return f"The prompt has {len(prompt):,} characters; at most {bounds.max_prompt_chars:,} are read."
    texts: list[str | None] = []
    for label, column in (("target", names[1]), ("source", names[2])):
        value = row.get(column) if column else None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            return f"The {label} should be text, but it is {_kind(value)}."
        texts.append(value)
    fields = {str(key): plain(value) for key, value in row.items() if key not in names}
    for text in _texts([prompt, *texts, fields]):
        fault = text_fault(text)
        if fault:
            return fault
    return Example(
        id=digest(dataset, line, prompt)[:20],
        prompt=prompt,
        target=texts[0],
        source=texts[1] or "",
        fields=fields,
    )


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


def too_large(what: str, got: int | None, bounds: Bounds) -> AppError:
    """The error for a file past the limit; `got` None: larger than the limit, by an unknown amount."""
    size = f"{got:,} bytes" if got is not None else f"more than {bounds.max_bytes:,} bytes"
    return AppError(
        f"{what} has {size}; at most {bounds.max_bytes:,} are read.",
        hint="Load a smaller part of it, or raise WHENCE_MAX_DOWNLOAD_BYTES.",
        code="too_large",
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, (list, tuple)) else f"of type {type(value).__name__}"
