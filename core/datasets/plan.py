"""How rows become examples, said by a person: which column is the prompt (or a template over columns), the right
answers, the source, the system message, and what rows are called by.

A plan is kept with its dataset and used again for a file of the same shape; at start-up it stands in the address
(`menu.csv?prompt=question&target=answer`) or in a small file beside the data (`menu.csv.columns.json`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

import regex

from core.errors import AppError

_BRACED = regex.compile(r"\{\{[ \t]*(?P<two>[^{}\n]{1,200}?)[ \t]*\}\}|\{(?P<one>[^{}\n]{1,200})\}")
_BLANK = regex.compile(r"\n(?:[ \t]*\n)++")
QUERY = ("prompt", "template", "target", "source", "called", "system")
BESIDE = ".columns.json"


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """Columns by their paths; "" for none. `template`, where there is one, makes the prompt."""

    prompt: str = ""
    template: str = ""
    targets: tuple[str, ...] = ()
    source: str = ""
    called: str = ""
    system: str = ""

    @property
    def ready(self) -> bool:
        """Whether it says what the prompt is."""
        return bool(self.prompt or self.template.strip())

    def used(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns that the prompt is made of."""
        return (
            variables(self.template, names)
            if self.template.strip()
            else ((self.prompt,) if self.prompt else ())
        )

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value
        }


def from_json(kept: Any, where: str = "The mapping of columns") -> ColumnPlan:
    """Raises `AppError` naming what a plan may say."""
    if not isinstance(kept, Mapping):
        raise AppError(f"{where} should be an object such as {{“prompt”: “question”, “target”: “answer”}}.")
    known = {**kept}
    target = known.pop("target", None)
    targets = known.pop("targets", None) or ([target] if isinstance(target, str) and target else target or [])
    if isinstance(targets, str):
        targets = [targets]
    strange = [str(key) for key in known if key not in QUERY]
    texts = all(isinstance(value, str) for value in known.values())
    if (
        strange
        or not texts
        or not (isinstance(targets, list) and all(isinstance(one, str) for one in targets))
    ):
        got = f"; it says {', '.join(strange)}" if strange else ""
        raise AppError(f"{where} may say {', '.join(QUERY)}, each the name of a column as text{got}.")
    return ColumnPlan(**known, targets=tuple(dict.fromkeys(targets)))


def from_query(query: str) -> ColumnPlan | None:
    """The plan in what stands behind an address's “?”; None where it says anything else."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    if not pairs or any(key not in QUERY for key, _ in pairs):
        return None
    targets = [value for key, value in pairs if key == "target"]
    return from_json({**dict(pairs), "target": targets} if targets else dict(pairs))


def from_file(text: str, where: str) -> ColumnPlan:
    """The plan in a small JSON file. Raises `AppError`."""
    try:
        return from_json(json.loads(text), where)
    except (ValueError, RecursionError) as error:
        raise AppError(f"{where} is not JSON.") from error


def variables(template: str, names: Iterable[str]) -> tuple[str, ...]:
    """The columns in `template`, each once: `{name}` or `{{name}}` where there is a column of that name."""
    find = _finder(names)
    found = (find(match["one"] or match["two"]) for match in _BRACED.finditer(template))
    return tuple(dict.fromkeys(name for name in found if name))


def unknown(template: str, names: Iterable[str]) -> tuple[str, ...]:
    """What stands in braces like a name but is no column: it stays text."""
    find = _finder(names)
    found = ((match["one"] or match["two"]).strip() for match in _BRACED.finditer(template))
    return tuple(
        dict.fromkeys(name for name in found if regex.fullmatch(r"[\p{L}_][\w .-]*", name) and not find(name))
    )


def fill(template: str, names: Iterable[str], value: Callable[[str], str]) -> str:
    """`template` with its columns' text put in, as it is and not looked through again.

    A paragraph (what stands between empty lines) that has columns, all of them empty here, is left out: so one
    template serves rows with and without an `input`.
    """
    find = _finder(names)
    out, gap, begun = "", "", False
    at = 0
    for blank in (*_BLANK.finditer(template), None):
        end = blank.start() if blank else len(template)
        text, had, put = _paragraph(template[at:end], find, value)
        if not had or put:
            out += (gap if begun else "") + text
            begun = True
            gap = blank[0] if blank else ""
        at = blank.end() if blank else end
    return out


def _paragraph(text: str, find: Callable[[str], str], value: Callable[[str], str]) -> tuple[str, bool, bool]:
    had = put = False

    def replace(match: regex.Match[str]) -> str:
        nonlocal had, put
        name = find(match["one"] or match["two"])
        if not name:
            return match[0]
        filled = value(name)
        had, put = True, put or bool(filled.strip())
        return filled

    return _BRACED.sub(replace, text), had, put


def _finder(names: Iterable[str]) -> Callable[[str], str]:
    """The column that somebody wrote: to the letter, or but for upper and lower case; "" for none."""
    exact = {name: name for name in names}
    loose: dict[str, str] = {}
    for name in exact:
        loose.setdefault(name.strip().casefold(), name)

    def find(written: str) -> str:
        return exact.get(written) or exact.get(written.strip()) or loose.get(written.strip().casefold(), "")

    return find
