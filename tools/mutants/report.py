"""What a run found, by file, as docs/mutants.md; what survived unjudged, as out/mutants/survivors.toml.

A mutant that no test can tell from the original stands in tools/mutants/equivalent.toml with the reason.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.mutants.groups import GROUPS, ROOT

JUDGED = Path(__file__).parent / "equivalent.toml"
DOCS = ROOT / "docs" / "mutants.md"
KILLED = {1, 3}
OUT_OF_TIME = {-24, 24, 36, 152, 255, -9}
"""Exit codes of mutmut's workers for a mutant that did not end: it was noticed too."""
HEAD = """# Mutation tests of the maths

`make mutants` changes the maths a little, one place at a time (an operator, a number, a condition, an argument), and
runs the unit tests of that module. A mutant that no test notices has survived. mutmut 3 makes the mutants; what is
mutated and by which tests stands in `tools/mutants/groups.py`. Error messages and `assert` lines are left alone.
Not part of `make test`: the whole takes the better part of an hour on one core.

This page is written by `make mutants`. *Equivalent* mutants do the same as the original for every input; each was
judged by reading it, and stands with its reason in `tools/mutants/equivalent.toml`. *Open* ones survived and are not
judged so.

| file | mutants | killed | equivalent | open | killed of those that are not equivalent |
|---|---|---|---|---|---|
"""

Change = tuple[str, str, str, str]
"""File, function, lines before, lines after."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change and how the tests took it."""

    change: Change
    code: int | None

    @property
    def file(self) -> str:
        return self.change[0]


def mutants(place: Path) -> Iterator[Mutant]:
    """Every mutant of the last run of each group below `place`."""
    from mutmut.mutation.diff_apply import read_functions_from_index
    from mutmut.utils.file_utils import change_cwd

    for group in GROUPS:
        folder = place / group.name
        for meta in sorted(folder.glob("mutants/core/**/*.meta")):
            file = str(meta.relative_to(folder / "mutants"))[: -len(".meta")]
            codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
            with change_cwd(folder):
                for name, code in codes.items():
                    found = read_functions_from_index(name, file)
                    assert found is not None, name
                    function, before, after = _change(*found)
                    if function not in group.while_loading:
                        yield Mutant((file, function, before, after), code)


def _change(original: Any, mutant: Any) -> tuple[str, str, str]:
    """The function's name, and the lines that differ, before and after."""
    import libcst

    old, new = (libcst.Module([one]).code.strip().split("\n") for one in (original, mutant))
    lines = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    before, after = ("\n".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return str(original.name.value), before, after


def judged() -> dict[Change, str]:
    """Reason why a change is none, by change."""
    found = tomllib.loads(JUDGED.read_text(encoding="utf-8")) if JUDGED.exists() else {}
    return {
        (one["file"], one["function"], one["before"], one["after"]): why["reason"]
        for why in found.get("because", [])
        for one in why["mutants"]
    }


def write(place: Path) -> None:
    """docs/mutants.md, and the open survivors as a file to judge from."""
    reasons = judged()
    tables: dict[str, Counter[str]] = {}
    still_open: list[Mutant] = []
    seen: Counter[str] = Counter()
    for mutant in mutants(place):
        counts = tables.setdefault(mutant.file, Counter())
        if mutant.code is None:
            counts["untested"] += 1
        elif mutant.code in KILLED | OUT_OF_TIME:
            counts["killed"] += 1
        elif mutant.change in reasons:
            counts["equivalent"] += 1
            seen[reasons[mutant.change]] += 1
        else:
            counts["open"] += 1
            still_open.append(mutant)
    rows = [
        _row(f"`{file}`", counts) for file, counts in tables.items() if counts.total() > counts["untested"]
    ]
    total = sum(tables.values(), Counter())
    text = HEAD + "\n".join([*rows, _row("all", total)]) + "\n"
    if total["untested"]:
        text += (
            f"\n{total['untested']:,} more mutants were made and not tested in the last run: where `--sample` or a "
            "stop left a file's others out, its row counts those that were tried.\n"
        )
    text += "\n## Why some change nothing\n\n"
    text += "".join(f"- {reason} ({count})\n" for reason, count in seen.most_common())
    DOCS.write_text(text, encoding="utf-8")
    survivors = place / "survivors.toml"
    survivors.write_text("".join(_entry(one.change) for one in still_open), encoding="utf-8")
    print(
        f"{DOCS.relative_to(ROOT)} is written; {len(still_open)} open survivors are in {survivors.relative_to(ROOT)}"
    )


def _row(name: str, counts: Counter[str]) -> str:
    killed, equivalent, left = counts["killed"], counts["equivalent"], counts["open"]
    real = killed + left
    share = f"{100 * killed / real:.0f} %" if real else "–"
    return f"| {name} | {real + equivalent} | {killed} | {equivalent} | {left} | {share} |"


def _entry(change: Change) -> str:
    """A line of TOML (its strings are JSON's)."""
    keys = ("file", "function", "before", "after")
    fields = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in zip(keys, change))
    return f"  {{ {fields} }},\n"
