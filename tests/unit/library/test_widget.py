"""The widget's Python half: what it sends, what it takes, and what a notebook keeps."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from core.errors import AppError
from core.library.explaining import explain
from core.library.explanation import Explanation
from core.settings import PACKAGE

pytest.importorskip("anywidget", reason="anywidget is not installed: requirements-notebook.lock")

from core.library.widget import SalienceWidget

PROMPT = "Likes: cheese\nAvoids: eggs\nDish: Baked casserole with potatoes, eggs and garlic\nAnalysis:"
ANSWER = " The guest avoids eggs.\nRecommendation: Avoid."


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(PROMPT, response=ANSWER)


def test_what_it_sends_is_the_map(explanation: Explanation) -> None:
    widget = SalienceWidget(explanation)
    data = widget._data
    assert "".join(data["response"]["texts"]) == ANSWER and "".join(data["prompt"]["texts"]) == PROMPT
    assert data["selected"] == [1] == widget.selection
    sent = np.frombuffer(base64.b64decode(data["scores"]["exact"]["1"]), "<f4")
    np.testing.assert_array_equal(sent, explanation.scores)
    assert ["gim", "GIM"] in widget._methods and widget.method == "gim"


def test_no_markup_comes_from_the_state_that_a_notebook_keeps(explanation: Explanation) -> None:
    widget = SalienceWidget(explanation)
    assert "sv-grid" in str(widget._esm) and "__VIEW__" not in str(widget._esm)
    kept = {name: value for name, value in widget.get_state().items() if name not in ("_esm", "_css")}
    assert "sv-grid" not in repr(kept)


def test_a_choice_goes_both_ways(explanation: Explanation) -> None:
    widget = SalienceWidget(explanation)
    seen: list[Any] = []
    widget.observe(lambda change: seen.append(change["new"]), "selection")
    widget._told = {"indices": [0], "turn": widget._data["turn"]}
    assert widget.selection == [0] and widget.explanation.chosen == " The guest avoids eggs.\n"
    before = widget._data["turn"]
    widget._told = {"indices": [1], "turn": "an older one"}
    assert widget.selection == [0]
    widget.selection = [0, 1]
    assert widget._data["selected"] == [0, 1] and widget._data["turn"] != before
    assert widget.explanation.chosen == ANSWER
    with pytest.raises(AppError, match="0 to 1"):
        widget.selection = [7]
    assert widget.selection == [0, 1] and seen


def test_another_granularity_and_method_keep_the_words(explanation: Explanation) -> None:
    widget = SalienceWidget(explanation)
    widget.by = "word"
    assert widget.explanation.chosen == "Recommendation: Avoid." and widget.explanation.by == "word"
    widget.method = "leave_one_out"
    assert widget.explanation.method == "leave_one_out" and widget._status == ""
    widget.by = "verse"
    assert "granularity" in widget._status and widget.by == "word"


def test_a_notebook_keeps_a_picture_that_needs_no_kernel(tmp_path: Path) -> None:
    cells = [
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import {PACKAGE.name} as whence",
        f"whence.explain({PROMPT!r}, response={ANSWER!r})",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        book, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    (shown,) = book.cells[1].outputs
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} <= set(shown.data)
    assert "<script" not in shown.data["text/html"] and "Recommendation: Avoid." in shown.data["text/html"]
