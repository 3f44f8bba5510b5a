"""What the README shows in Python runs as it stands, and the files that it points to are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.server.config import ServerSettings
from core.settings import Settings
from tools.readme import half_line, settings_table, written

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_three_steps_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    shares = [float(line.split("%")[0]) for line in lines]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.3)


@pytest.mark.parametrize("target", re.findall(r"\]\(([\w./-]+)\)", README))
def test_its_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_papers_name_are_there(paper: Path) -> None:
    named = re.findall(
        r"`((?:core|pages|tests|tools|docs|deploy|benchmarks|data)/[\w./-]+)`", paper.read_text("utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", re.findall(r"`make ([\w-]+)`", README))
def test_its_commands_exist(name: str) -> None:
    assert re.search(rf"^{name}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_what_it_has_from_the_sources_is_theirs() -> None:
    assert written(README) == README, "README's tree or settings are out of date: make readme"


def test_a_half_line_is_the_first_clause() -> None:
    assert half_line('"""Cuts a text (`a.b`), mostly. Knows nothing."""') == "Cuts a text (`a.b`), mostly"
    assert half_line('"""' + "word " * 12 + ": " + "more, " * 12 + '"""').count("more") == 6
    assert half_line("import os") == ""


def test_every_setting_has_its_row() -> None:
    table = settings_table(Settings, ServerSettings)
    assert "| `WHENCE_SERVER_MAX_QUEUED` | So many requests may wait for the model;" in table
    assert "| `MODEL_CONFIG`, `WHENCE_MODEL_CONFIG` | `name:path,name:path`;" in table
    assert len(table.splitlines()) == 2 + len(Settings.model_fields) + len(ServerSettings.model_fields)
    assert "|  | `" not in table, "a setting without a docstring"


@pytest.mark.parametrize("picture", re.findall(r'(?:src|srcset)="([^"]+)"', README))
def test_its_pictures_are_there(picture: str) -> None:
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")
