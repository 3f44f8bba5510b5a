"""The command line: what it takes, and what it says when the model is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.server import __main__ as command


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path))


def test_host_and_port_come_from_the_environment_or_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("HOST", "0.0.0.0")
    told = command.arguments([])
    assert (told.host, told.port, told.model) == ("0.0.0.0", 9000, None)
    assert command.arguments(["--port", "9001", "--model", "a/b"]).port == 9001


def test_a_folder_that_is_no_model_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    assert command.main(["--model", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "is not a model" in told
    assert "notes.txt" in told
    assert "Traceback" not in told


def test_a_missing_folder_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--model", "data/models/nothing"]) == 2
    assert "There is no folder" in capsys.readouterr().err


def test_a_setting_that_makes_no_sense_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("PORT", "abc"), ("BATCH_SIZE", "0"), ("WHENCE_SERVER_MAX_QUEUED", "many")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert command.main([]) == 2
        told = capsys.readouterr().err
        assert name.lower().removeprefix("whence_server_") in told.lower()
        assert f"'{value}'" in told
        assert "Traceback" not in told
