"""Every notebook in docs/notebooks runs from its first cell to its last."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from core.settings import PACKAGE

NOTEBOOKS = sorted((PACKAGE.parent / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    book = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells), "a notebook is kept without its outputs"
    NotebookClient(
        book, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    text = "".join(
        o.get("text", "") for cell in book.cells for o in cell.get("outputs", []) if o.output_type == "stream"
    )
    assert "line 9 alone explains it" in text and "The answer turned" in text
