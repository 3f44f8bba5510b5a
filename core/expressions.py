"""A regular expression that a stranger typed, applied safely.

It is compiled and searched by the `regex` library, which can stop a search by the clock. What the clock
cannot stop is refused beforehand: calls of the expression within itself and counted repeats that multiply
into the millions eat memory while the expression is compiled. Knows nothing of segments or pages.
"""

from __future__ import annotations

import math
from functools import lru_cache

import regex

from core.errors import AppError

LONGEST = 500
MOST_REPEATS = 10_000
SECONDS = 1.0

_RECURSION = regex.compile(r"(?<!\\)\(\?(?:R|[+-]?\d+|&\w+|P>\w+)\)")
_COUNTS = regex.compile(r"(?<!\\)\{(\d+)?(?:(,)(\d+)?)?\}")


def _refuse(what: str, hint: str) -> AppError:
    return AppError(f"The regular expression {what}.", hint=hint, code="bad_expression")


@lru_cache(maxsize=128)
def compiled(pattern: str) -> regex.Pattern[str]:
    """`pattern` compiled, `^` and `$` matching at every line.

    Raises: AppError naming the position and the fault, or why it is refused.
    """
    if not pattern:
        raise _refuse("is empty", r"Type one, for example \n\n to cut at empty lines.")
    if len(pattern) > LONGEST:
        raise _refuse(f"is {len(pattern):,} characters long", f"Use at most {LONGEST}.")
    if found := _RECURSION.search(pattern):
        raise _refuse(
            f"calls itself at position {found.start() + 1} ({found.group()})",
            "Write it without recursion.",
        )
    repeats = math.prod(max(1, *(int(n) for n in m.group(1, 3) if n), 0) for m in _COUNTS.finditer(pattern))
    if repeats > MOST_REPEATS:
        raise _refuse(
            f"repeats something up to {repeats:,} times",
            f"Its counts {{n}} may multiply to {MOST_REPEATS:,} at most; use + or * instead.",
        )
    try:
        return regex.compile(pattern, regex.MULTILINE | regex.VERSION1)
    except regex.error as error:
        fault, _, at = str(error).partition(" at position ")
        where = f" at position {at.split()[0]}" if at else ""
        raise _refuse(f"is broken{where}: {fault}", f"It reads {pattern!r}.") from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise _refuse("is too deeply nested", "Use fewer brackets.") from error


def matches(pattern: str, text: str, seconds: float = SECONDS) -> tuple[tuple[int, int], ...]:
    """Every match of `pattern` in `text`, left to right, as half-open character spans (empty ones too).

    Raises: AppError where the expression is broken, refused, or has not ended after `seconds`.
    """
    try:
        found = compiled(pattern).finditer(text, timeout=seconds, concurrent=True)
        return tuple(match.span() for match in found)
    except TimeoutError as error:
        raise _refuse(
            f"was stopped: it had not ended after {seconds:g} s on {len(text):,} characters",
            "Repeats inside repeats, such as (a+)+, are the usual cause.",
        ) from error
    except MemoryError as error:
        raise _refuse("needs more memory than there is", "Use fewer groups and repeats.") from error
