"""An explanation in the app: kept under the names that the app asks for; and the cell magic."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from IPython.testing.globalipapp import get_ipython, start_ipython

import core
from core.library import opened_app
from core.library.explaining import explain
from core.records import Message
from core.service import Service
from core.settings import Settings, settings

PROMPT = "Likes: cheese\nAvoids: eggs\nDish: Baked casserole with potatoes, eggs and garlic\nAnalysis:"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.mark.parametrize("chat", [False, True])
def test_what_is_kept_is_what_the_app_looks_up(folder: Path, chat: bool) -> None:
    turns = [Message("system", "Be brief."), Message("user", "Hello")]
    given = {"messages": turns} if chat else {"prompt": PROMPT}
    made = explain(**given, max_new_tokens=6)
    query = {name: found[0] for name, found in parse_qs(opened_app.kept(made)).items()}
    service = Service(Settings())
    try:
        example = service.store.workspace().examples.get(query["example"])
        assert example.prompt == ("Hello" if chat else PROMPT)
        assert example.earlier_turns == (tuple(turns[:1]) if chat else ())
        known = service.answers.known(made.asked, service.spec(), made.generation.params)
        assert known is not None and known.text == made.answer
        rows = [part.tokens for part in made.answer_segments]
        matrix = service.maps.known_for(known.tokens, service.spec(), made.method, (), rows)
    finally:
        service.close()
    assert matrix is not None
    np.testing.assert_array_equal(matrix.values, made.made.matrix.values)
    a, b = map(int, query["target"].split("-"))
    assert made.answer[a:b] == made.chosen


def test_the_cell_magic(capsys: pytest.CaptureFixture[str]) -> None:
    shell = get_ipython() or start_ipython()
    core.load_ipython_extension(shell)
    made = shell.run_cell_magic("why", "--by word --to kept --max-new-tokens 4", PROMPT + "\n")
    assert made.asked == PROMPT and made.by == "word" and shell.user_ns["kept"] is made
    assert shell.run_cell_magic("why", "--by verse", PROMPT) is None
    assert "granularity" in capsys.readouterr().out
