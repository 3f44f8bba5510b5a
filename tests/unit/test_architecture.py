"""The floors of the house, read from the imports; a second test proves that the first can fail."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS = {
    0: ("records", "errors", "settings", "family", "plugins"),
    1: (
        "expressions",
        "text_breaks",
        "segments",
        "thinking",
        "aggregate",
        "cause",
        "read_turns",
        "still_says",
        "structure_breaks",
        "part_scores",
        "compare",
        "datasets",
        "metrics",
        "figures",
        "checks",
        "report",
        "spreadsheet",
        "token_view",
        "target_choice",
        "answer_defaults",
        "hosts",
        "prompt_table",
        "review",
    ),
    2: ("models", "salience", "counterfactuals", "faithfulness", "improve"),
    3: ("store", "jobs", "service", "runs"),
    4: ("ui", "server", "doctor", "library"),
    5: ("command",),
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
    5: set(),
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


def module_of(path: str) -> str:
    """The dotted name of the module at `path`; a package's own is the package's."""
    return ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__")


def room(path: str) -> str:
    """The page whose room `path` stands in: core/ui/models_page/cards.py -> models; "" outside such a room."""
    parts = Path(path).parts
    inside = len(parts) > 3 and parts[:2] == ("core", "ui") and parts[2].endswith("_page")
    return parts[2].removesuffix("_page") if inside else ""


STATE = "core/ui/shell/state.py"


def trespasses(path: str, source: str, pages: Mapping[str, set[str]]) -> list[str]:
    """Imports of a page's room (`core/ui/<name>_page/`) by anything but its pages and the room itself.

    `pages`: room -> the files in pages/ that it belongs to.
    """
    found = []
    tree = ast.parse(source)
    if path == STATE:  # it names the types of what the pages hold, and uses nothing of theirs
        tree = without_typing(tree)
    for name in imported(ast.unparse(tree)):
        top = name.split(".")
        if top[:2] == ["core", "ui"] and len(top) > 2 and top[2].endswith("_page"):
            other = top[2].removesuffix("_page")
            if room(path) != other and Path(path).name not in pages.get(other, set()):
                found.append(f"{path} imports {name}")
    return found


PAGES_OF = {
    "compare": {"compare_prompts.py", "compare_models.py"},
}
"""Rooms that serve more than the page of their own name."""


def pages_of() -> dict[str, set[str]]:
    rooms = {path.name.removesuffix("_page") for path in (ROOT / "core/ui").glob("*_page")}
    return {name: PAGES_OF.get(name, {f"{name}.py"}) for name in rooms}


def test_a_page_s_room_is_used_by_its_page_alone() -> None:
    found = [
        fault
        for path in sources()
        for fault in trespasses(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), pages_of())
    ]
    assert found == []


@pytest.mark.parametrize(
    "path",
    ["core/ui/trust_page/curve.py", "core/ui/shell/frame.py", "pages/trust.py", "core/ui/asking/turns.py"],
)
def test_the_check_of_rooms_can_fail(path: str) -> None:
    assert trespasses(path, "from core.ui.salience_page import view", pages_of())


def circles(sources: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Groups of modules (dotted name -> source) that import one another, at any depth, also inside functions.

    Imports for types alone are not counted. A package that imports its own modules is not a circle by itself:
    `from core.x import y` counts for the module `core.x.y` where there is one.
    """
    arrows: dict[str, set[str]] = {}
    for module, source in sources.items():
        names = set()
        for node in ast.walk(without_typing(ast.parse(source))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    deeper = f"{node.module}.{alias.name}"
                    names.add(deeper if deeper in sources else node.module)
        arrows[module] = {name for name in names if name in sources and name != module}
    reached: dict[str, set[str]] = {}
    for module in arrows:
        seen: set[str] = set()
        todo = list(arrows[module])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += arrows[name]
        reached[module] = seen
    groups = {
        tuple(sorted(other for other in arrows if other in reached[module] and module in reached[other]))
        for module in arrows
        if module in reached[module]
    }
    return sorted(groups)


def without_typing(tree: ast.Module) -> ast.Module:
    """`tree` without what stands under `if TYPE_CHECKING:`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                part
                for part in body
                if not (isinstance(part, ast.If) and getattr(part.test, "id", "") == "TYPE_CHECKING")
            ]
    return tree


def test_no_module_imports_itself_round_a_corner() -> None:
    everything = {
        module_of(str(path.relative_to(ROOT))): path.read_text(encoding="utf-8") for path in sources()
    }
    assert circles(everything) == []


def test_the_check_of_circles_can_fail() -> None:
    pair = {"core.a": "from core import b", "core.b": "def f():\n    from core.a import g", "core": ""}
    assert circles(pair) == [("core.a", "core.b")]
    assert circles({**pair, "core.b": "if TYPE_CHECKING:\n    from core.a import g"}) == []


def classes(source: str) -> set[str]:
    """Public class names that `source` defines at its top."""
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def meanings(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Public class names that more than one module defines, with those modules."""
    where: dict[str, list[str]] = {}
    for module, source in sorted(sources.items()):
        for name in classes(source):
            where.setdefault(name, []).append(module)
    return {name: modules for name, modules in sorted(where.items()) if len(modules) > 1}


def test_a_class_name_means_one_thing() -> None:
    everything = {
        module_of(str(path.relative_to(ROOT))): path.read_text(encoding="utf-8") for path in sources()
    }
    assert meanings(everything) == {}


def test_the_check_of_class_names_can_fail() -> None:
    both = {"core.a": "class Row: ...", "core.b": "class Row: ...\nclass _Row: ..."}
    assert meanings(both) == {"Row": ["core.a", "core.b"]}


SAY_NOTHING = {"draw", "show", "render", "run", "view", "of", "known", "current"}
"""Names that leave open what is drawn or found, so that one has to open the file."""


def unsaid(path: str, source: str) -> list[str]:
    """Functions at the top of a module of the pages whose names say nothing."""
    return [
        f"{path}: {node.name}"
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name in SAY_NOTHING
    ]


def test_a_function_of_the_pages_says_what_it_draws_or_finds() -> None:
    found = [
        name
        for path in (ROOT / "core/ui").rglob("*.py")
        for name in unsaid(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_check_of_function_names_can_fail() -> None:
    source = "def draw(): ...\ndef draw_answers(): ...\nclass Box:\n    def show(self): ..."
    assert unsaid("core/ui/shell/box.py", source) == ["core/ui/shell/box.py: draw"]


KEYLESS = {"container", "submit", "with_model"}
"""Calls whose `key` is no key of the session: a style sheet's name, a job's address."""


def strays(path: str, source: str) -> list[str]:
    """Uses of `st.session_state`, and widgets with a key of their own making, outside `core.ui.shell.state`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "session_state":
            found.append(f"{path}:{node.lineno} session_state")
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") not in KEYLESS:
            found += [
                f"{path}:{node.lineno} key"
                for word in node.keywords
                if word.arg == "key" and isinstance(word.value, ast.Constant | ast.JoinedStr)
            ]
    return found


def test_every_key_of_the_session_stands_in_one_file() -> None:
    inside = [*(ROOT / "core/ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]
    found = [
        stray
        for path in inside
        if path != ROOT / STATE
        for stray in strays(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "st.session_state['model'] = 1",
        "st.session_state.get('model')",
        "x = streamlit.session_state",
        "st.button('Run', key='run')",
        "left.button('Run', key=f'run {name}')",
    ],
)
def test_the_check_of_keys_can_fail(source: str) -> None:
    assert strays("pages/a.py", source)
    assert not strays("pages/a.py", "st.button('Run', key=state.RUN.name)\nst.container(key='bar')")


def test_pages_are_short() -> None:
    long = {p.name: n for p in (ROOT / "pages").glob("*.py") if (n := len(p.read_text().splitlines())) >= 100}
    assert long == {}
