"""`gs://` addresses over fsspec's own file system in memory, which stands in for gcsfs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry, known_implementations

from core.errors import AppError
from core.models.loading import Steps
from core.models.local import fetched_weights, folder, weights_address
from core.settings import Settings

LITTLE = {"config.json": b"{}", "model.safetensors": b"\0" * 3_000_000, "tokenizer.json": b"[]"}


class Bucket(MemoryFileSystem):
    protocol = "gs"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("gs:/"))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    chosen = Settings(_env_file=None, data_dir=tmp_path / "data", max_weights_bytes=20_000_000)
    for module in (fetched_weights, weights_address):
        monkeypatch.setattr(module, "settings", lambda: chosen)
    fsspec.register_implementation("gs", Bucket, clobber=True)
    made = Bucket(skip_instance_cache=True)
    yield made
    made.store.clear()
    _registry.pop("gs")


def test_a_folder_in_a_bucket_is_fetched_once(bucket: Bucket) -> None:
    for name, data in (LITTLE | {"train.py": b"import os", "old/config.json": b"[]"}).items():
        bucket.pipe(f"/shelf/model/{name}", data)
    fetched_weights.fetch("gs://shelf/model", Steps())
    here = folder.local("gs://shelf/model")
    assert here is not None
    assert {file.name: file.read_bytes() for file in here.iterdir()} == LITTLE
    bucket.rm("/shelf/model", recursive=True)
    fetched_weights.fetch("gs://shelf/model", Steps())  # it is here


def test_one_file_in_a_bucket(bucket: Bucket) -> None:
    bucket.pipe("/shelf/a.gguf", b"GGUFrest")
    fetched_weights.fetch("gs://shelf/a.gguf", Steps())
    here = folder.local("gs://shelf/a.gguf")
    assert here is not None
    assert here.read_bytes() == b"GGUFrest"


@pytest.mark.parametrize(
    ("files", "address", "said"),
    [
        ({}, "gs://shelf/none", "There is nothing at gs://shelf/none"),
        ({}, "gs://shelf/none.gguf", "There is nothing at gs://shelf/none.gguf"),
        ({"m/config.json": b"{}", "m/weights.bin": b""}, "gs://shelf/m", "only pickled weights"),
        ({"m/a.txt": b""}, "gs://shelf/m", "expected a config.json"),
        (
            {"m/config.json": b"{}", "m/a.safetensors": b"\0" * 20_000_001},
            "gs://shelf/m",
            "The model is too large",
        ),
        ({}, "gs://shelf/m::file:///etc", "is a chain of addresses"),
    ],
)
def test_what_cannot_be_taken_is_told(
    bucket: Bucket, files: dict[str, bytes], address: str, said: str
) -> None:
    for name, data in files.items():
        bucket.pipe(f"/shelf/{name}", data)
    with pytest.raises(AppError, match=said):
        fetched_weights.fetch(address, Steps())


def test_who_may_not_read_is_told_about_credentials(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("Anonymous caller does not have storage.objects.list access")

    monkeypatch.setattr(Bucket, "ls", refused)
    with pytest.raises(AppError, match=r"gs://shelf/m cannot be read: Anonymous caller") as told:
        fetched_weights.fetch("gs://shelf/m", Steps())
    assert "Google credentials" in told.value.hint


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = Settings(_env_file=None, data_dir=tmp_path)
    for module in (fetched_weights, weights_address):
        monkeypatch.setattr(module, "settings", lambda: chosen)
    assert known_implementations["gs"]["class"].startswith("gcsfs")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(AppError, match="need gcsfs, which is not installed") as told:
        fetched_weights.fetch("gs://shelf/m", Steps())
    assert "requirements-gcs.lock" in told.value.hint
