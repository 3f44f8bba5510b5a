"""A page whose database or disk does not serve says so in its sentence, and shows what it can."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import AppError
from core.service import Service
from core.settings import ROOT

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def said(app: AppTest) -> str:
    return " ".join(box.value for box in (*app.error, *app.warning)).replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("mode", ["local", "hosted"])
class TestBroken:
    @pytest.fixture
    def options(self, mode: str) -> dict[str, Any]:
        return {"mode": mode}

    def test_a_file_that_is_no_database(
        self, page: str, mode: str, open_app: Callable[..., AppTest], tmp_path: Path
    ) -> None:
        home = tmp_path / "home"
        home.mkdir()
        noise = random.Random(0).randbytes(50_000)
        (home / "whence.sqlite3").write_bytes(noise)
        words = said(open_app(page))
        if mode == "local":
            assert f"The file {home / 'whence.sqlite3'} is not a database" in words
        else:
            assert "The database of this site cannot be read" in words and str(tmp_path) not in words
        assert (home / "whence.sqlite3").read_bytes() == noise

    def test_a_folder_that_is_a_file(
        self, page: str, mode: str, open_app: Callable[..., AppTest], tmp_path: Path
    ) -> None:
        (tmp_path / "home").write_text("mine")
        words = said(open_app(page))
        assert "is a file" in words if mode == "local" else "cannot reach the place" in words


class TestNearlyFull:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"least_free_bytes": 2**62}

    def test_it_is_told_before_anything_is_lost(self, open_app: Callable[..., AppTest]) -> None:
        app = open_app("salience")
        assert "nearly full" in said(app) and app.text_area


def test_an_answer_that_finds_no_room_is_shown_and_the_disk_is_named(
    open_app: Callable[..., AppTest], fake_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise AppError("The disk is full: it cannot grow.", code="disk_full")

    monkeypatch.setattr(fake_service.store, "save_generation", full)
    made = fake_service.answers.generate("one line\nabc", fake_service.spec(), owner="a").get(20)
    assert made.text == "cba"
    assert "could not be kept. The disk is full" in said(open_app("salience"))
    monkeypatch.undo()
