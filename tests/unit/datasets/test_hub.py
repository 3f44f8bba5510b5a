"""The hub's part that needs no network: names, the choice of a file, and the errors. (Reading from the real
hub is not tested: tests use no network.)"""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import Bounds, source
from core.datasets.hub import choose
from core.errors import AppError

PATHS = {
    ".gitattributes": 1,
    "main/test/0000.parquet": 5,
    "main/train/0000.parquet": 9,
    "main/train/0001.parquet": 9,
    "other/train/0000.parquet": 7,
}


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ("", "main/train/0000.parquet"),
        ("other", "other/train/0000.parquet"),
        ("main/test", "main/test/0000.parquet"),
    ],
)
def test_the_first_file_of_the_wanted_part(part: str, path: str) -> None:
    assert choose(PATHS, part) == path


def test_an_unknown_part_lists_what_there_is() -> None:
    with pytest.raises(AppError, match=r"no part “nope”.*main/test, main/train, other/train"):
        choose(PATHS, "nope")


def test_a_name_that_the_hub_cannot_have() -> None:
    with pytest.raises(AppError, match="“no/such name!” is not a name that the hub could have"):
        source("hub").load("no/such name!", Bounds())


@pytest.mark.parametrize("name", ["", "a/b/c", "https://example.org/x", "../x", "/x"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(AppError, match="is written owner/name"):
        source("hub").load(name, Bounds())


def test_the_chosen_file_is_read_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"question": ["Why?"], "answer": ["So."]}), out)
    (tmp_path / "0000.parquet").write_bytes(out.getvalue())

    class Api:
        def __init__(self, endpoint: str | None, token: str | bool) -> None:
            assert token is False

        def list_repo_tree(self, name: str, **how: object) -> list[SimpleNamespace]:
            assert how == {"recursive": True, "repo_type": "dataset", "revision": "refs/convert/parquet"}
            return [SimpleNamespace(path=path, size=size) for path, size in PATHS.items()]

        def hf_hub_download(self, name: str, path: str, **how: object) -> str:
            return str(tmp_path / "0000.parquet")

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    loaded = source("hub").load("someone/some@main", Bounds())
    assert [(e.prompt, e.target) for e in loaded.examples] == [("Why?", "So.")]
    assert "Only the first of 2 files of this split was read." in loaded.notes
    with pytest.raises(AppError, match=r"has 9 bytes; at most 8"):
        source("hub").load("someone/some", Bounds(max_bytes=8))


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no network in tests")

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_tree", refuse)
    with pytest.raises(AppError, match="hub cannot be reached"):
        source("hub").load("someone/some", Bounds())
