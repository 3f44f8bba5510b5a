"""The report finds what is wrong, changes nothing and holds no secret; copies are made and put back by command."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core.doctor import Symptom, __main__, examine, report
from core.doctor.report import secrets_of
from core.records import Example
from core.settings import DEMO_MODEL, Settings
from core.store import Store
from core.store.engine import FILE


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder, _env_file=None, **more)


def wrong(found: list[Symptom]) -> str:
    return "\n".join(f"{one.part}: {one.sentence}" for one in found if one.level == "wrong")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_installation_that_works_is_well_and_nothing_is_touched(tmp_path: Path) -> None:
    store = Store("", tmp_path)
    store.workspace().datasets.add("menu", [Example("e", "dear", None, "t")])
    store.close()
    before = everything(tmp_path)
    found = examine(settings(tmp_path), {})
    assert wrong(found) == ""
    words = report(found)
    assert "It is whole" in words and f"demo: {DEMO_MODEL}" not in words and DEMO_MODEL in words
    assert everything(tmp_path) == before
    assert {one.part for one in found} == {
        "Installation",
        "Settings",
        "Folder",
        "Database",
        "Models",
        "Devices",
    }


def test_a_new_machine_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    assert wrong(examine(settings(tmp_path / "not" / "yet"), {})) == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda home: (home / FILE).write_bytes(random.Random(0).randbytes(9_000)), "is not a database"),
        (lambda home: _noise(home / FILE), "is damaged"),
    ],
)
def test_a_ruin_is_found_and_left(tmp_path: Path, spoil: Any, words: str) -> None:
    store = Store("", tmp_path)
    store.workspace().datasets.add("menu", [Example(f"e{i}", "x" * 2000, None, "t") for i in range(200)])
    store.close()
    spoil(tmp_path)
    before = everything(tmp_path)
    assert words in wrong(examine(settings(tmp_path), {}))
    assert everything(tmp_path) == before


def _noise(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[40_960:200_000] = random.Random(1).randbytes(200_000 - 40_960)
    path.write_bytes(data)


def test_settings_that_do_nothing_and_models_that_are_not_there_are_named(tmp_path: Path) -> None:
    found = examine(
        settings(tmp_path, MODEL_CONFIG="gone:/none/such,far:https://models.example/v1"),
        {"WHENCE_DATA_DIRR": "/x"},
    )
    assert "no setting WHENCE_DATA_DIRR, so it does nothing. Did you mean WHENCE_DATA_DIR?" in wrong(found)
    assert "gone: There is no folder /none/such" in wrong(found)
    (tmp_path / "file").write_text("")
    assert "is a file" in wrong(examine(settings(tmp_path / "file"), {}))
    assert "nearly full" in wrong(examine(settings(tmp_path, least_free_bytes=2**62), {}))
    lost = settings(tmp_path, database_url="nosuch://me:pass-w0rd@host/name")
    assert "(WHENCE_DATABASE_URL) cannot be used" in wrong(examine(lost, {}))


def test_no_secret_is_in_a_report(tmp_path: Path) -> None:
    secret = "s3cr3t-value"
    chosen = settings(
        tmp_path,
        server_token=f"{secret}-1",
        HF_TOKEN=f"{secret}-2",
        database_url=f"postgresql://me:{secret}-3@127.0.0.1:1/none?connect_timeout=1",
    )
    given = {
        "WHENCE_REMOTE_TOKENS": f"https://a.example={secret}-4 https://b.example={secret}-5",
        "OPENAI_API_KEY": f"{secret}-6",
    }
    found = [
        *examine(chosen, given),
        Symptom("Leak", "wrong", f"by mistake: {secret}-6, {secret}-3, {secret}-4"),
    ]
    words = report(found, secrets_of(chosen, given))
    assert (
        secret not in words and "https://a.example, https://b.example" in words and "•••, •••, •••" in words
    )


def test_copies_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "settings", lambda: settings(tmp_path))
    assert __main__.main(["restore"]) == 2
    store = Store("", tmp_path)
    made = store.workspace().datasets.add("menu", [Example("e", "dear", None, "t")])
    assert __main__.main(["backup"]) == 0
    store.workspace().datasets.remove(made.id)
    store.close()
    capsys.readouterr()
    assert __main__.main(["restore"]) == 0
    name = capsys.readouterr().out.split()[0]
    assert __main__.main(["restore", "another"]) == 2
    assert __main__.main(["restore", name]) == 0
    assert "What stood there is kept as" in capsys.readouterr().out
    store = Store("", tmp_path)
    assert [e.prompt for e in store.workspace().examples.of(made.id)] == ["dear"]
    store.close()
    out = tmp_path / "report.txt"
    assert __main__.main(["--out", str(out)]) in (0, 1) and "Database" in out.read_text(encoding="utf-8")
