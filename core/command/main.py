"""The command line: what can be asked, and how faults are told.

Results go to the standard output, progress and faults to the standard error; the exit status is 0, 1 (a threshold was
missed), 2 (asked wrongly, or it cannot be done) or 130 (Ctrl+C). Imports nothing heavy before it is needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from core import __version__
from core.errors import AppError

Command = Callable[[argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """Everything that can be asked. Each command's module adds its own part."""
    from core.command import explain, launch, models, run

    top = argparse.ArgumentParser("whence", description="Which part of a prompt made the model say that?")
    top.add_argument("--version", action="version", version=f"whence {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (explain, launch, models, run):
        module.add(commands)
    return top


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    asked = parser().parse_args(given)
    run: Command = asked.run
    try:
        return run(asked)
    except AppError as fault:
        print(fault, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read us has seen enough
        sys.stderr.close()
        return 0
