"""The package `whence`: built, put beside nothing else of the project, and used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.wheel.package import renamed
from tools.wheel.requirements import declared, name_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from core.x import y\n", "from whence.x import y\n"),
        ("from core import x, y as core\n", "from whence import x, y as core\n"),
        ("import core.x as x, core\n", "import whence.x as x, whence\n"),
        ("def f():\n    from core import z\n", "def f():\n    from whence import z\n"),
        ("core = 3\nprint(core.x)\n", "core = 3\nprint(core.x)\n"),
        ('"core.models.keras.load"\n', '"whence.models.keras.load"\n'),
        (
            '"""See `core.salience.gim`, httpcore.Pool and ui/core.x."""\n',
            '"""See `whence.salience.gim`, httpcore.Pool and ui/core.x."""\n',
        ),
        ('"run python -m core.server now"\n', '"run python -m whence.server now"\n'),
        ("# core.x stays in comments\n", "# core.x stays in comments\n"),
        ('x = f"see core.y {z}"\n', 'x = f"see whence.y {z}"\n'),
    ],
)
def test_names_are_changed_where_they_are_names(source: str, expected: str) -> None:
    assert renamed(source) == expected


def test_no_source_names_a_value_core_in_an_f_string() -> None:
    """Before Python 3.12 the texts of an f-string cannot be told from its fields."""
    for path in (ROOT / "core").rglob("*.py"):
        assert not re.search(r"\bf\"[^\"\n]*\{core\.", path.read_text(encoding="utf-8")), path


def test_the_dependencies_are_those_of_the_lists() -> None:
    base, extras = declared(ROOT)
    names = {name_of(one) for one in base}
    assert {"torch", "transformers", "plotly", "numpy"} <= names and not {"streamlit", "fastapi"} & names
    assert set(extras) == {"app", "server", "ray", "keras", "gemini", "postgres", "notebook", "gcs"}
    assert "streamlit" in {name_of(one) for one in extras["app"]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, made from an sdist, and its files in a folder of their own."""
    out = tmp_path_factory.mktemp("wheel")
    make = "from hatchling import build; print(build.build_sdist({!r})); print(build.build_wheel({!r}))"
    subprocess.run(
        [sys.executable, "-c", make.split("; print(build.build_wheel")[0].format(str(out))],
        cwd=ROOT,
        check=True,
    )
    (archive,) = out.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(out / "source", filter="data")
    (source,) = (out / "source").iterdir()
    code = f"from hatchling import build; build.build_wheel({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(out / "site")
    return out / "site"


def python(built: Path, folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(built), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *given],
        cwd=folder,
        env=env,
        text=True,
        capture_output=True,
        check=False,
        timeout=200,
    )


def test_it_is_imported_fast_and_without_torch(built: Path, tmp_path: Path) -> None:
    code = (
        "import sys, whence; assert 'core' not in sys.modules; heavy = {'torch', 'transformers', 'streamlit',"
        " 'sqlalchemy', 'plotly', 'pandas'} & set(sys.modules); print(sorted(heavy), whence.__file__)"
    )
    ran = python(built, tmp_path, "-c", code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("[] ") and str(built) in ran.stdout


def test_six_lines_explain_a_prompt(built: Path, tmp_path: Path) -> None:
    code = (
        "import whence\n"
        "e = whence.explain('Likes: cheese\\nAvoids: eggs\\nDish: Baked eggs\\nAnalysis:', max_new_tokens=8)\n"
        "print(e.model.spec.path, len(e.top(2)), bool(e.answer))\n"
    )
    ran = python(built, tmp_path, "-c", code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["data/models/demo", "2", "True"] or ran.stdout.endswith("2 True\n")


def test_its_command_explains_lists_and_refuses(built: Path, tmp_path: Path) -> None:
    said = python(built, tmp_path, "-m", "whence.command", "explain", "A\nB:", "--response", " yes", "--json")
    assert said.returncode == 0 and '"chosen"' in said.stdout, said.stderr
    listed = python(built, tmp_path, "-m", "whence.command", "models")
    assert listed.returncode == 0 and listed.stdout.startswith("demo"), listed.stderr
    wrong = python(built, tmp_path, "-m", "whence.command", "explain", "A", "--by", "verse")
    assert wrong.returncode == 2 and "granularity" in wrong.stderr and "Traceback" not in wrong.stderr


def test_a_program_that_uses_it_is_checked_strictly(built: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(
        "import whence\n"
        "def best(prompt: str) -> str:\n"
        "    e: whence.Explanation = whence.explain(prompt).select('no').measure(top=3)\n"
        "    return e.top(1)[0].name + e.compare(e).to_pandas().to_csv()\n"
    )
    (tmp_path / "wrong.py").write_text("import whence\nnumber: int = whence.explain('a').answer\n")
    given = ("-m", "mypy", "--strict", "--follow-untyped-imports", "--cache-dir", str(tmp_path / "cache"))
    env = {"PATH": os.environ["PATH"], "MYPYPATH": str(built)}
    said = subprocess.run(
        [sys.executable, *given, "right.py", "wrong.py"],
        cwd=tmp_path, env=env, text=True, capture_output=True, check=False,
    )  # fmt: skip
    told = [line for line in said.stdout.splitlines() if line.startswith(("right.py", "wrong.py"))]
    assert len(told) == 1 and told[0].startswith("wrong.py:2: error: Incompatible types"), (
        said.stdout + said.stderr
    )


def test_the_app_is_inside(built: Path) -> None:
    assert (built / "whence/streamlit_app.py").is_file() and (built / "whence/pages/salience.py").is_file()
    assert (built / "whence/data/models/demo/model.safetensors").is_file()
    assert (built / "whence/py.typed").is_file() and not (built / "core").exists()


def test_the_plugin_template_adds_what_it_says(built: Path, tmp_path: Path) -> None:
    code = f"from hatchling import build; build.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "docs/plugin-template", check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path / "site")
    sites = os.pathsep.join((str(built), str(tmp_path / "site")))
    listed = python(Path(sites), tmp_path, "-m", "whence.command", "plugins")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert [line.split("  ")[:2] for line in listed.stdout.splitlines()] == [
        ["salience method", "steepest"],
        ["metric", "question_marks"],
        ["check", "polite"],
        ["counterfactual generator", "shout"],
        ["page", "hello"],
    ]
    given = ("explain", "A\nB:", "--response", " yes", "--method", "steepest")
    said = python(Path(sites), tmp_path, "-m", "whence.command", *given)
    assert said.returncode == 0 and "share" in said.stdout, said.stderr
    pages = "from whence.plugins import pages; print([one.name for one in pages()])"
    assert python(Path(sites), tmp_path, "-c", pages).stdout.strip() == "['hello']"
