"""`%load_ext whence`, then a cell that begins with `%%why` is a prompt: it is run and explained."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from core.errors import AppError


def parser() -> argparse.ArgumentParser:
    """What may stand behind `%%why`."""
    said = argparse.ArgumentParser("%%why", description="Explain the answer to the prompt in this cell.")
    said.add_argument("--model", default="demo")
    said.add_argument("--by", default="line")
    said.add_argument("--method", default="")
    said.add_argument("--select", help="only these words of the answer")
    said.add_argument("--measure", action="store_true", help="take the strongest parts out and measure")
    said.add_argument("--max-new-tokens", type=int, help="longest answer; else read from the prompt")
    said.add_argument("--to", default="", help="keep the explanation under this name")
    return said


def register(shell: Any) -> None:
    """Adds the magic to an IPython shell."""

    def why(line: str, cell: str) -> Any:
        from core.library.explaining import explain

        try:
            asked = parser().parse_args(shlex.split(line))
        except SystemExit:  # argparse has said what is wrong
            return None
        try:
            made = explain(
                cell.removesuffix("\n"), model=asked.model, by=asked.by, method=asked.method,
                **({} if asked.max_new_tokens is None else {"max_new_tokens": asked.max_new_tokens}),
            )  # fmt: skip
            made = made.select(asked.select) if asked.select else made
            made = made.measure() if asked.measure else made
        except AppError as fault:
            print(fault)
            return None
        if asked.to:
            shell.push({asked.to: made})
        return made

    shell.register_magic_function(why, "cell", "why")
