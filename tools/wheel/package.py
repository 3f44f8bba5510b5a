"""Copies `core/` to `whence/`: imports and names of modules are rewritten, the pages and the data go inside.

Standard library only, because it runs while a wheel is built.
"""

from __future__ import annotations

import io
import re
import shutil
import tokenize
from pathlib import Path

NAME = "whence"
INSIDE = ("streamlit_app.py", "pages", "data", ".streamlit/config.toml")
"""What stands beside `core/` in the project and inside the package once it is built."""
_MODULE = re.compile(r"(?<![\w./\\-])core(?=\.[a-z_]+)")
_LEFT = shutil.ignore_patterns("__pycache__", "*.pyc")


def renamed(source: str) -> str:
    """`source` with the package `core` called `whence`: in imports, and in texts that name a module (`core.x`)."""
    lines = source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    edits: list[tuple[int, int, int, str]] = []
    statement: list[tokenize.TokenInfo] = []
    for token in tokens:
        if token.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT):
            statement = []
            continue
        statement.append(token)
        at, end = token.start, token.end
        if token.type == tokenize.NAME and token.string == "core":
            first = statement[0].string
            before = statement[-2].string if len(statement) > 1 else ""
            if first in ("from", "import") and before in ("from", "import", ","):
                edits.append((at[0], at[1], end[1], NAME))
        elif (
            token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1))
            and "core." in token.string
        ):
            for row in range(at[0], end[0] + 1):
                text = lines[row - 1]
                low, high = (at[1] if row == at[0] else 0), (end[1] if row == end[0] else len(text))
                for match in _MODULE.finditer(text, low, high):
                    edits.append((row, match.start(), match.end(), NAME))
    for row, start, stop, new in sorted(set(edits), reverse=True):
        text = lines[row - 1]
        lines[row - 1] = text[:start] + new + text[stop:]
    return "".join(lines)


def build(root: Path, out: Path) -> Path:
    """Makes `out/whence` from the project at `root` and returns it."""
    package = out / NAME
    shutil.copytree(root / "core", package, ignore=_LEFT)
    for name in INSIDE:
        source, target = root / name, package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT)
        else:
            shutil.copy2(source, target)
    for path in sorted(package.rglob("*.py")):
        path.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
    (package / "py.typed").touch()
    return package
