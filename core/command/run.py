"""`whence run`: prompt versions over a dataset, with checks; for a pipeline that must fail when a version is worse."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from core.command import screen
from core.errors import AppError


def add(commands: Any) -> None:
    """Adds `run` to the command line."""
    said = commands.add_parser(
        "run", help="prompt versions over a dataset: who is right how often, and is one worse?"
    )
    said.add_argument("dataset", help="a file of rows: CSV, JSONL, JSON, YAML, Parquet, xlsx")
    said.add_argument(
        "--prompt",
        action="append",
        required=True,
        help="a text file: a template over the columns; the first is the baseline",
    )
    said.add_argument(
        "--check",
        action="append",
        default=[],
        help="name, or name:option=value,…; not: before it turns it round",
    )
    said.add_argument("--model", default="demo")
    said.add_argument("--limit", type=int, help="only the first rows")
    said.add_argument("--max-new-tokens", type=int, help="longest answer; else read from the prompts")
    said.add_argument(
        "--samples", type=int, default=1, help="answers a row and version, drawn with as many seeds"
    )
    said.add_argument("--temperature", type=float, default=0.0, help="above 0 for several samples")
    said.add_argument("--stop", action="append", help="ends an answer; else read from the prompts")
    said.add_argument(
        "--least", type=float, help="exit status 1 where the last version is right less often (0 to 1)"
    )
    said.add_argument(
        "--p",
        type=float,
        default=0.05,
        help="exit status 1 where a version is worse than the first with p below this",
    )
    said.add_argument("--out", help="write the table: .csv, .jsonl or .json")
    said.add_argument("--junit", help="write JUnit XML: one case a row, of the last version")
    said.add_argument("--json", action="store_true", help="the whole table as JSON on the standard output")
    said.set_defaults(run=_run)


def condition(text: str) -> Any:
    """`contains:text=vegan`, `not:is_json` as a condition. Raises: AppError for an unknown check or option."""
    from core.checks.members import check
    from core.checks.verdict import as_checked

    negated = text.startswith("not:")
    name, _, rest = text.removeprefix("not:").partition(":")
    given: dict[str, Any] = {}
    fields = {field.name: field for field in check(name).fields}
    for piece in filter(None, rest.split(",")):
        key, equals, value = piece.partition("=")
        if not equals:
            raise AppError(
                f"An option should be name=value, but there is {piece!r}.",
                hint=f"{name} has: {', '.join(fields)}.",
            )
        kind = fields[key].kind if key in fields else "text"
        number = kind == "number" and value.lstrip("-").isdecimal()
        given[key] = int(value) if number else value == "true" if kind == "flag" else value
    return as_checked(name, given, negated=negated)


def _run(asked: argparse.Namespace) -> int:
    from core.library.table import run_table

    versions = {}
    for name in asked.prompt:
        try:
            versions[name] = Path(name).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise AppError(
                f"The prompt {name} cannot be read: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}."
            ) from error
    conditions = [condition(one) for one in asked.check or ["equals"]]
    said = {"max_new_tokens": asked.max_new_tokens, "stop": asked.stop and tuple(asked.stop)}
    drawn: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    with screen.counting("Asking") as told:
        table = run_table(
            asked.dataset, versions, conditions, model=asked.model, limit=asked.limit, on_progress=told,
            **drawn, samples=asked.samples, temperature=asked.temperature,
        )  # fmt: skip
    if asked.out:
        _write(table, Path(asked.out))
    if asked.junit:
        _junit(table, Path(asked.junit))
    if asked.json:
        print(json.dumps(table.to_dict(), ensure_ascii=False, indent=1))
    else:
        screen.show_table(table)
    missed = [f"{name} is worse than {table.versions[0]}" for name in table.worse(asked.p)]
    last = table.values[-1].value
    if asked.least is not None and not last >= asked.least:
        missed.append(f"{table.versions[-1]} is right in {last:.1%} of the rows, less than {asked.least:.1%}")
    for one in missed:
        print(one, file=sys.stderr)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print(f"::error title=whence run::{screen.clean(one).replace('%', '%25')}")
    return 1 if missed else 0


def _write(table: Any, out: Path) -> None:
    frame = table.to_pandas()
    try:
        if out.suffix == ".csv":
            from core.spreadsheet import neutral

            safe = frame.map(lambda value: neutral(value) if isinstance(value, str) else value)
            safe.to_csv(out, index=False)
        elif out.suffix == ".jsonl":
            frame.to_json(out, orient="records", lines=True, force_ascii=False)
        elif out.suffix == ".json":
            out.write_text(json.dumps(table.to_dict(), ensure_ascii=False, indent=1), encoding="utf-8")
        else:
            raise AppError(f"{out} should end in .csv, .jsonl or .json.")
    except OSError as error:
        raise AppError(f"{out} cannot be written: {error.strerror}.") from error


def _junit(table: Any, out: Path) -> None:
    name = table.versions[-1]
    cells = [line for line in table.table.lines() if line["version"] == name]
    wrong = sum(line["outcome"] == "wrong" for line in cells)
    unsure = sum(line["outcome"] == "unsure" for line in cells)
    top = ElementTree.Element(
        "testsuite",
        name=f"whence run {name}",
        tests=str(len(cells)),
        failures=str(wrong),
        skipped=str(unsure),
    )
    several = len(table.table.plan.takes) > 1
    for line in cells:
        called = f"{line['called']} (seed {line['seed']})" if several else line["called"]
        case = ElementTree.SubElement(top, "testcase", classname=name, name=_xml(called))
        if line["outcome"] == "wrong":
            fault = ElementTree.SubElement(case, "failure", message=_xml(line["why"]))
            fault.text = _xml(line["answer"])
        elif line["outcome"] == "unsure":
            ElementTree.SubElement(case, "skipped", message=_xml(line["why"]))
    try:
        ElementTree.ElementTree(top).write(out, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise AppError(f"{out} cannot be written: {error.strerror}.") from error


def _xml(text: str) -> str:
    """`text` without what XML has no form for."""
    return "".join(
        c
        if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff" and not 0xD800 <= ord(c) < 0xE000)
        else "\ufffd"
        for c in text
    )
