"""`whence explain`: the answer to a prompt and the parts that it came from."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from core.command import screen
from core.errors import AppError
from core.segments import NAMES


def add(commands: Any) -> None:
    """Adds `explain` and `report` to the command line."""
    said = commands.add_parser("explain", help="which parts of a prompt an answer came from")
    _asks(said)
    said.add_argument("--top", type=int, default=8, help="how many parts are listed (default: 8)")
    said.add_argument("--json", action="store_true", help="everything as JSON on the standard output")
    said.set_defaults(run=_explain)
    report = commands.add_parser("report", help="the same as one HTML file that opens anywhere")
    _asks(report)
    report.add_argument("--out", required=True, help="the file to write")
    report.set_defaults(run=_report)


def _asks(to: argparse.ArgumentParser) -> None:
    to.add_argument("prompt", nargs="?", help="the prompt; - or nothing: the standard input")
    to.add_argument(
        "--file", help="read the prompt from a text file, or a chat from .json ([{role, content}, …])"
    )
    to.add_argument(
        "--model", default="demo", help="name, folder, .gguf or address (default: the bundled demo)"
    )
    to.add_argument("--precision", default="auto", help="float32, bfloat16, float16, int8, nf4")
    to.add_argument("--response", help="explain this answer instead of one that the model writes")
    to.add_argument("--by", default="line", help=f"{', '.join(NAMES)} (default: line)")
    to.add_argument(
        "--method", default="", help="a salience method by its name (default: the best for the model)"
    )
    to.add_argument("--select", help="only these words of the answer")
    to.add_argument("--measure", action="store_true", help="take the strongest parts out and measure")
    to.add_argument("--max-new-tokens", type=int, help="longest answer; else read from the prompt")
    to.add_argument(
        "--stop",
        action="append",
        help="a text that ends the answer; may be repeated; else read from the prompt",
    )


def _explained(asked: argparse.Namespace) -> Any:
    from core.library.explaining import explain

    prompt, messages = _prompt(asked)
    said = {"max_new_tokens": asked.max_new_tokens, "stop": asked.stop}
    drawn: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    with screen.waiting("Loading the model, writing and explaining"):
        made = explain(
            prompt, messages=messages, response=asked.response, model=asked.model, by=asked.by,
            method=asked.method, precision=asked.precision, **drawn,
        )  # fmt: skip
        if asked.select:
            made = made.select(asked.select)
        return made.measure() if asked.measure else made


def _prompt(asked: argparse.Namespace) -> tuple[str | None, Any]:
    if asked.file and asked.prompt:
        raise AppError("Give the prompt or --file, and not both.")
    if not asked.file:
        text = sys.stdin.read() if asked.prompt in (None, "-") else asked.prompt
        return text, None
    path = Path(asked.file)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise AppError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise AppError(f"{path} is no text in UTF-8.") from error
    if path.suffix != ".json":
        return text, None
    try:
        return None, json.loads(text)
    except ValueError as error:
        raise AppError(
            f"{path} is no JSON: {error}.", hint='It should be [{"role": …, "content": …}, …].'
        ) from error


def _explain(asked: argparse.Namespace) -> int:
    made = _explained(asked)
    if asked.json:
        print(json.dumps(made.to_dict(), ensure_ascii=False, indent=1))
    else:
        screen.show_explanation(made, asked.top)
    return 0


def _report(asked: argparse.Namespace) -> int:
    out = Path(asked.out)
    made = _explained(asked)
    try:
        out.write_text(made.to_html(), encoding="utf-8")
    except OSError as error:
        raise AppError(f"{out} cannot be written: {error.strerror}.") from error
    print(f"{made.sentence}\nWritten to {out}.", file=sys.stderr)
    return 0
