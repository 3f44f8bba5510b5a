"""A hub on this machine writes down every request: no token of the operator's travels for a visitor's name."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.datasets import Bounds, hub, offered, source
from core.errors import AppError
from core.settings import Settings

SECRET = "hf_OperatorOnly123"


class Hub(ThreadingHTTPServer):
    """Answers for every dataset name with one Parquet file; `seen` holds (path, headers) of every request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str]]] = []
        out = io.BytesIO()
        pq.write_table(pa.table({"prompt": ["Why?"], "target": ["So."]}), out)
        self.file = out.getvalue()

    @property
    def secrets(self) -> list[str]:
        return [path for path, headers in self.seen if SECRET in json.dumps(headers) or SECRET in path]


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        self.server.seen.append((self.path, dict(self.headers.items())))
        data, kind = self.server.file, "application/octet-stream"
        if "/tree/" in self.path:
            entry = {"type": "file", "oid": "a" * 40, "size": len(data), "path": "main/train/0000.parquet"}
            data, kind = json.dumps([entry]).encode(), "application/json"
        self.send_response(200)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            "ETag": '"0123456789"',
            "X-Repo-Commit": "b" * 40,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    here = Hub()
    thread = threading.Thread(target=here.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(hub, "ENDPOINT", f"http://127.0.0.1:{here.server_address[1]}")
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield here
    here.shutdown()
    here.server_close()
    thread.join()


def _bounds(mode: str, listed: str = "") -> Bounds:
    return Bounds.of(Settings(mode=mode, visitor_datasets=listed, hf_token=SECRET, _env_file=None))  # type: ignore[call-arg, arg-type]


def test_ones_own_machine_sends_ones_own_token(loopback: Hub) -> None:
    assert len(source("hub").load("someone/private", _bounds("local")).examples) == 1
    assert loopback.secrets, "the test can see a token that is sent"


@pytest.mark.parametrize("listed", ["someone/open", "someone/*", "SOMEONE/Open, other/one"])
def test_a_visitor_gets_what_is_listed_without_the_operators_token(
    loopback: Hub, listed: str, tmp_path: Path
) -> None:
    assert len(source("hub").load("someone/open", _bounds("hosted", listed)).examples) == 1
    assert loopback.seen and not loopback.secrets
    assert not list(tmp_path.rglob("*.parquet")), "nothing is left in a cache"


@pytest.mark.parametrize("listed", ["", "someone/other", "someone/private-too", "*/nothing"])
@pytest.mark.parametrize("name", ["someone/private", "someone/private@main/train", "private"])
def test_a_name_that_is_not_listed_is_not_even_asked_for(loopback: Hub, listed: str, name: str) -> None:
    with pytest.raises(AppError, match="not one that visitors of this site may load") as told:
        source("hub").load(name, _bounds("hosted", listed))
    assert told.value.code == "forbidden" and not loopback.seen


def test_a_token_in_the_bounds_is_not_sent_for_strangers_either(loopback: Hub) -> None:
    bounds = Bounds(hosted=True, token=SECRET, visitor_datasets=("someone/open",))
    source("hub").load("someone/open", bounds)
    assert loopback.seen and not loopback.secrets


def test_a_file_that_is_larger_than_its_listing_is_refused(
    loopback: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = Bounds(max_bytes=len(loopback.file) - 1)
    monkeypatch.setattr(
        hub, "choose", lambda sizes, _part: sizes.update(dict.fromkeys(sizes, 1)) or next(iter(sizes))
    )
    with pytest.raises(AppError, match=f"has {len(loopback.file):,} bytes; at most"):
        source("hub").load("someone/large", bounds)


def test_the_hub_is_offered_to_visitors_only_where_something_is_listed() -> None:
    assert "hub" in {one.name for one in offered(_bounds("local"))}
    assert {one.name for one in offered(_bounds("hosted"))} == {"url"}
    assert {one.name for one in offered(_bounds("hosted", "someone/*"))} == {"url", "hub"}
