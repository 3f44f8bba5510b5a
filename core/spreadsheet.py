"""Text that goes into a CSV cell without a spreadsheet taking it for a formula. Knows no table and no file.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BLANK = " \u00a0\ufeff"


def neutral(text: str) -> str:
    """`text`, with an apostrophe in front where a spreadsheet would take it for a formula.

    Blanks before the sign do not protect. Numbers are to be written as numbers and need none of this.
    """
    risky = text.startswith(FORMULA_STARTS) or text.lstrip(_BLANK).startswith(FORMULA_STARTS)
    return f"'{text}" if risky else text
