"""A whole JSON or YAML document, whatever its arrangement, as a list of rows; what stands beside them is told.

Knows no text: it is given values that were parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.datasets import expectations
from core.datasets.first_row import FirstRow, guess, places
from core.datasets.names import PROMPTS, plain_name
from core.datasets.turns import looks_like_turns
from core.errors import AppError

_LISTS = (
    "data",
    "examples",
    "rows",
    "instances",
    "items",
    "records",
    "questions",
    "tests",
    "entries",
    "prompts",
    "conversations",
)
_MUSTACHE = re.compile(r"\{\{-?\s*([^{}|]+?)\s*(?:\|[^{}]*)?-?\}\}")


@dataclass(frozen=True, slots=True)
class WholeDocument:
    """FileRows (or what stands where a row should), notes, and a prompt template where the document holds one."""

    rows: Sequence[Any]
    notes: tuple[str, ...] = ()
    template: str = ""
    first: FirstRow | None = None
    """Of a list of lists: its first one, which names the columns or does not."""


def rows_of(whole: Any, *, columns: bool = True) -> WholeDocument:
    """The rows in `whole`; `columns`: an object of lists may be a table by columns.

    Raises: AppError naming what is read.
    """
    if isinstance(whole, list):
        return _listed(whole)
    if not isinstance(whole, Mapping):
        raise AppError(
            f"The file should hold a list of objects, each with a “prompt”, but it holds {_name(whole)}."
        )
    for rule in (_promptfoo, _chainforge, _split, _squad, _columns, _keyed, _holder):
        if (columns or rule is not _columns) and (found := rule(whole)) is not None:
            return found
    return WholeDocument([whole])


def _listed(whole: list[Any]) -> WholeDocument:
    if whole and all(isinstance(one, str) for one in whole):
        return WholeDocument([{"prompt": one} for one in whole])
    if whole and all(isinstance(one, list) for one in whole) and any(_cells(one) for one in whole):
        return of_cells(whole)
    if whole and all(isinstance(one, Mapping) and isinstance(one.get("vars"), Mapping) for one in whole):
        return _promptfoo({"tests": whole}) or WholeDocument(whole)
    return WholeDocument(whole)


def of_cells(lists: Sequence[list[Any]]) -> WholeDocument:
    """Rows of cells; the first names the columns where it says names (`first_row.guess`)."""
    cells = lists[0]
    named, sure = guess(cells, lists[1:])
    if len(lists) == 1 or not _cells(cells):
        named = False
    width = max(len(one) for one in lists) if not named else len(cells)
    called = tuple(map(str, cells)) if named else places(width)
    rows: list[Any] = []
    for one in lists[1:] if named else lists:
        if len(one) == width or not named:
            rows.append(dict(zip(called, one)))
        else:
            rows.append(f"The row has {len(one):,} cells, but the first row names {width:,} columns.")
    if len(set(map(str, cells))) < len(cells) or not _cells(cells) or len(cells) != width:
        return WholeDocument(rows)  # no names in any reading
    return WholeDocument(rows, first=FirstRow(1, tuple(cells), tuple(map(str, cells)), named, sure))


def _cells(row: list[Any]) -> bool:
    """Whether a list is a row of texts, rather than a chat or a list of objects."""
    return len(row) > 0 and all(isinstance(cell, str) and cell.strip() for cell in row)


def _holder(whole: Mapping[str, Any]) -> WholeDocument | None:
    """An object that holds the list: by a usual name, else the longest list of objects."""
    if any(plain_name(key) in PROMPTS and isinstance(value, str) for key, value in whole.items()):
        return None
    lists = {key: value for key, value in whole.items() if isinstance(value, list) and _rows_like(key, value)}
    if not lists:
        return _deeper(whole)
    known = [name for name in _LISTS if name in lists]
    name = known[0] if known else max(lists, key=lambda key: len(lists[key]))
    beside = [str(key) for key in whole if key != name]
    notes = (
        (f"The rows are the list “{name}”; beside it stands, not read: {', '.join(beside[:8])}.",)
        if beside
        else ()
    )
    inner = _listed(lists[name])
    return WholeDocument(inner.rows, notes, inner.template, inner.first)


def _deeper(whole: Mapping[str, Any]) -> WholeDocument | None:
    """The list within the only object that holds one: `{"results": {"items": […]}}`."""
    found = [
        (key, inner)
        for key, value in whole.items()
        if isinstance(value, Mapping)
        and plain_name(key) not in PROMPTS
        and any(name in _LISTS for name in value)
        and (inner := _holder(value)) is not None
        and all(
            isinstance(row, Mapping) and any(plain_name(str(n)) in PROMPTS for n in row) for row in inner.rows
        )
    ]
    if len(found) != 1:
        return None
    key, inner = found[0]
    note = f"The rows were found within “{key}”."
    return WholeDocument(inner.rows, (note, *inner.notes), inner.template, inner.first)


def _rows_like(key: str, value: list[Any]) -> bool:
    """Whether a list holds rows, rather than being a row's own: its turns, its answers."""
    if not value or looks_like_turns(value):
        return False
    if all(isinstance(one, Mapping) for one in value[:50]):
        return True
    return key in _LISTS and all(isinstance(one, (str, list)) for one in value[:50])


def _columns(whole: Mapping[str, Any]) -> WholeDocument | None:
    """One list a column, all of one length; or pandas' `{column: {index: value}}`."""
    values = list(whole.values())
    lists = len(values) > 1 and all(isinstance(value, list) and value for value in values)
    if lists and len({len(value) for value in values}) == 1 and not _turns_like(whole):
        return WholeDocument([dict(zip(whole, row)) for row in zip(*values)])
    if values and all(isinstance(value, Mapping) and value for value in values):
        keys = [tuple(value) for value in values]
        if len(set(keys)) == 1 and all(str(key).isdecimal() for key in keys[0]):
            return WholeDocument([{name: column[key] for name, column in whole.items()} for key in keys[0]])
    return None


def _keyed(whole: Mapping[str, Any]) -> WholeDocument | None:
    """Rows by their ids: `{"q1": {"question": …}, "q2": {…}}`, or pandas' `orient="index"`."""
    values = list(whole.values())
    if len(values) < 2 or not all(isinstance(value, Mapping) for value in values):
        return None
    if not all(any(plain_name(str(key)) in PROMPTS for key in value) for value in values):
        return None
    return WholeDocument(
        [{**({} if "id" in value else {"id": str(key)}), **value} for key, value in whole.items()]
    )


def _turns_like(whole: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, list) and value and isinstance(value[0], Mapping) for value in whole.values()
    )


def _split(whole: Mapping[str, Any]) -> WholeDocument | None:
    """pandas' `orient="split"`: names, then rows of cells."""
    names, cells = whole.get("columns"), whole.get("data")
    if not (
        isinstance(names, list) and isinstance(cells, list) and all(isinstance(row, list) for row in cells)
    ):
        return None
    return WholeDocument(
        [dict(zip(map(str, names), row)) if len(row) == len(names) else row for row in cells]
    )


def _squad(whole: Mapping[str, Any]) -> WholeDocument | None:
    """SQuAD's own file: articles, their paragraphs, the questions of each."""
    articles = whole.get("data")
    if not isinstance(articles, list) or not articles:
        return None
    if not all(isinstance(one, Mapping) and isinstance(one.get("paragraphs"), list) for one in articles):
        return None
    return WholeDocument(list(_questions(articles)))


def _questions(articles: list[Any]) -> Iterator[Any]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph.get("qas", ()) if isinstance(paragraph, Mapping) else ():
                if not isinstance(asked, Mapping):
                    yield asked
                    continue
                yield {"title": article.get("title"), "context": paragraph.get("context"), **asked}


def _promptfoo(whole: Mapping[str, Any]) -> WholeDocument | None:
    """promptfoo's configuration: each of its prompts with each of its tests, `{{variables}}` filled in."""
    tests = whole.get("tests")
    if not isinstance(tests, list) or not any(isinstance(test, Mapping) and "vars" in test for test in tests):
        return None
    usual = whole.get("defaultTest")
    shared = (
        usual.get("vars") if isinstance(usual, Mapping) and isinstance(usual.get("vars"), Mapping) else {}
    )
    prompts = [text for prompt in whole.get("prompts") or () if (text := _prompt_text(prompt))]
    rows: list[Any] = []
    unread = 0
    for test in tests:
        if not isinstance(test, Mapping) or not isinstance(test.get("vars", {}), Mapping):
            rows.append(test)
            continue
        row = {**(shared or {}), **test.get("vars", {})}
        row |= {"description": test["description"]} if test.get("description") else {}
        hoped, other = expectations.of_list(test.get("assert"))
        unread += other
        if hoped:
            row["__expected"] = hoped[0] if len(hoped) == 1 else hoped
        if len(prompts) > 1:
            for number, prompt in enumerate(prompts, 1):
                rows.append({"prompt": _filled(prompt, row), **row, "source": f"prompt {number}"})
        else:
            rows.append(row)
    notes = []
    if unread:
        notes.append(f"{unread:,} expectations of the file are checks, not texts: not read as targets.")
    if not prompts and whole.get("prompts"):
        notes.append(
            "The file names its prompts by other files, which are not read: write the template here."
        )
    template = prompts[0] if len(prompts) == 1 else ""
    return WholeDocument(rows, tuple(notes), template)


def _prompt_text(prompt: Any) -> str:
    if isinstance(prompt, Mapping):
        prompt = prompt.get("raw")
    return prompt if isinstance(prompt, str) and not prompt.startswith("file:") else ""


def _filled(prompt: str, row: Mapping[str, Any]) -> str:
    return _MUSTACHE.sub(lambda match: str(row.get(match[1], match[0])), prompt)


def _chainforge(whole: Mapping[str, Any]) -> WholeDocument | None:
    """ChainForge's flow: the rows of its table nodes, and its prompt node as the template."""
    flow = whole.get("flow")
    nodes = flow.get("nodes") if isinstance(flow, Mapping) else None
    if not isinstance(nodes, list):
        return None
    held = [
        (str(n.get("type")), n["data"])
        for n in nodes
        if isinstance(n, Mapping) and isinstance(n.get("data"), Mapping)
    ]
    rows: list[Any] = []
    for kind, data in held:
        if kind == "table" and isinstance(data.get("rows"), list):
            named = {
                str(c.get("key")): str(c.get("header") or c.get("key"))
                for c in data.get("columns") or ()
                if isinstance(c, Mapping)
            }
            rows += [
                {named[key]: value for key, value in row.items() if key in named}
                if isinstance(row, Mapping)
                else row
                for row in data["rows"]
            ]
    prompts = [
        data["prompt"] for kind, data in held if kind == "prompt" and isinstance(data.get("prompt"), str)
    ]
    if rows:
        return WholeDocument(rows, template=prompts[0] if len(prompts) == 1 else "")
    fields = [
        {"text": text}
        for kind, data in held
        if kind == "textfields" and isinstance(data.get("fields"), Mapping)
        for text in data["fields"].values()
    ]
    if fields:
        return WholeDocument(fields, ("The flow has no table; its text fields were read.",))
    if prompts:
        return WholeDocument([{"prompt": prompt} for prompt in prompts])
    raise AppError("The ChainForge flow holds no table, no text fields and no prompt.")


def _name(value: Any) -> str:
    return {str: "a text", bool: "true or false", int: "a number", float: "a number"}.get(
        type(value), "nothing"
    )


__all__ = ["WholeDocument", "rows_of"]
