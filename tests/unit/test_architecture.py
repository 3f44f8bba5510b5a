"""The floors of the house, read from the imports; a second test proves that the first can fail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS = {
    0: ("records", "errors", "settings"),
    1: (
        "expressions",
        "segments",
        "aggregate",
        "cause",
        "compare",
        "datasets",
        "metrics",
        "figures",
        "report",
        "spreadsheet",
    ),
    2: ("models", "generation", "salience", "counterfactuals", "faithfulness"),
    3: ("store", "jobs", "service", "backends"),
    4: ("ui", "server"),
}
FLOOR_OF = {module: floor for floor, modules in FLOORS.items() for module in modules}
LIBRARIES = {
    "torch",
    "transformers",
    "captum",
    "streamlit",
    "plotly",
    "sqlalchemy",
    "alembic",
    "bitsandbytes",
    "pandas",
}
ALLOWED = {
    0: set(),
    1: {"plotly", "pandas"},
    2: {"torch", "transformers", "captum", "bitsandbytes"},
    3: {"sqlalchemy", "alembic", "pandas"},
    4: {"streamlit", "plotly", "pandas"},
}


def imported(source: str) -> set[str]:
    """Every absolute dotted name that `source` imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def faults(path: str, source: str) -> list[str]:
    """What `source`, standing at `path` (relative to the root), imports against the table."""
    parts = Path(path).with_suffix("").parts
    found = []
    if parts[0] in ("pages", "streamlit_app"):
        for name in imported(source):
            top = name.split(".")
            if top[0] in ("torch", "transformers", "sqlalchemy", "captum", "bitsandbytes"):
                found.append(f"{path} imports {name}")
            if top[0] == "core" and len(top) > 1 and FLOOR_OF.get(top[1], 9) > 1 and top[1] != "ui":
                found.append(f"{path} imports {name}")
        return found
    if parts[0] != "core" or len(parts) < 2 or parts[1] == "__init__":
        return []
    here = parts[1]
    if here not in FLOOR_OF:
        return [f"{path}: core/{here} stands on no floor"]
    floor = FLOOR_OF[here]
    for name in imported(source):
        top = name.split(".")
        if top[0] in LIBRARIES and top[0] not in ALLOWED[floor]:
            found.append(f"{path} imports {name}")
        if here == "server" and top[0] in ("streamlit", "plotly"):
            found.append(f"{path} imports {name}")
        if top[0] == "core" and len(top) > 1 and top[1] in FLOOR_OF:
            other = top[1]
            if FLOOR_OF[other] > floor or (floor == 4 and FLOOR_OF[other] == 4 and other != here):
                found.append(f"{path} imports {name}")
    return found


def sources() -> list[Path]:
    return [ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "core").rglob("*.py")]


def test_every_import_keeps_to_its_floor() -> None:
    found = [
        fault
        for path in sources()
        if path.exists()
        for fault in faults(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/segments.py", "import torch"),
        ("core/records.py", "from core.segments import partition"),
        ("core/salience/grad.py", "import streamlit as st"),
        ("core/store/tables.py", "def f():\n    import plotly.graph_objects"),
        ("core/ui/frame.py", "from core.server import app"),
        ("core/server/app.py", "import torch"),
        ("core/stray.py", "import json"),
        ("pages/salience.py", "from core.service import Service"),
        ("streamlit_app.py", "import transformers"),
    ],
)
def test_the_check_can_fail(path: str, source: str) -> None:
    assert faults(path, source)


def test_pages_are_short() -> None:
    long = {p.name: n for p in (ROOT / "pages").glob("*.py") if (n := len(p.read_text().splitlines())) >= 100}
    assert long == {}
