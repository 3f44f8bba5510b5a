"""Fetching from a hub on the loopback address that speaks the part of its protocol that is used."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import AppError, Stopped
from core.models.loading import Steps
from core.models.local import folder, hub, hub_cache
from core.records import ModelSpec
from core.settings import Settings

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b"{}",
    "model.safetensors": bytes(3_000_000),
    "README.md": b"#",
    "extra/x.safetensors": b"",
}


class FakeHub:
    """One model, `me/tiny`, with `files`; `gated` refuses the files but not the list of them."""

    def __init__(self) -> None:
        self.files, self.gated, self.asked = dict(FILES), False, []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args) -> None:
                pass

            def do_GET(self) -> None:
                owner.asked.append((self.command, self.path))
                status, headers, body = owner.answer(self.path)
                self.send_response(status)
                for key, value in {
                    **headers,
                    "Content-Length": str(len(body)),
                    "Connection": "close",
                }.items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        path = path.split("?")[0]
        refused = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no"}
        if not path.removeprefix("/api/models").startswith("/me/tiny"):
            return 404, refused, b""
        if path.startswith("/api/models/me/tiny/tree/"):
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": f"{index:040x}"}
                for index, (name, data) in enumerate(self.files.items())
            ]
            return 200, {"Content-Type": "application/json"}, json.dumps(entries).encode()
        if path.startswith("/api/models/me/tiny"):
            if "/revision/" in path and not path.endswith(("/main", SHA)):
                return 404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "no"}, b""
            siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
            info = {"id": "me/tiny", "modelId": "me/tiny", "sha": SHA, "siblings": siblings, "tags": []}
            return 200, {"Content-Type": "application/json"}, json.dumps(info).encode()
        name = path.split(f"/resolve/{SHA}/")[-1]
        if self.gated:
            return 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"}, b""
        etag = f'"{list(self.files).index(name):040x}"'
        return 200, {"ETag": etag, "X-Repo-Commit": SHA, "Accept-Ranges": "bytes"}, self.files[name]


@pytest.fixture
def fake(monkeypatch, tmp_path):
    import huggingface_hub.constants as constants

    made = FakeHub()
    monkeypatch.setattr(hub, "ENDPOINT", made.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_fetched_with_progress_into_a_folder_named_by_the_commit(fake):
    seen: list[tuple[float, str]] = []
    path, revision = folder.find(ModelSpec("x", "me/tiny"), Steps(lambda *step: seen.append(step)))
    assert revision == SHA
    assert sorted(entry.name for entry in path.iterdir()) == ["config.json", "model.safetensors"]
    shares = [share for share, message in seen if message == "Fetching"]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(0.5)


def test_what_is_here_already_needs_no_hub(fake, monkeypatch):
    found = hub.fetch("me/tiny", "main", Steps())
    fake.server.shutdown()
    fake.server.server_close()
    assert hub.fetch("me/tiny", "main", Steps()) == found
    with pytest.raises(AppError, match="cannot be reached, and me/other is not on this machine"):
        hub.fetch("me/other", "main", Steps())


def test_cancel_ends_the_fetching(fake):
    stop = threading.Event()

    def progress(share: float, message: str) -> None:
        if message == "Fetching":
            stop.set()

    with pytest.raises(Stopped):
        hub.fetch("me/tiny", "main", Steps(progress, stop))


def test_a_gated_model_says_where_the_token_goes(fake):
    fake.gated = True
    with pytest.raises(AppError, match=r"me/tiny is gated.*HF_TOKEN") as caught:
        hub.fetch("me/tiny", "main", Steps())
    assert caught.value.code == "gated"


def test_only_pickled_weights_are_not_even_fetched(fake):
    fake.files = {"config.json": b"{}", "pytorch_model.bin": b"x"}
    with pytest.raises(AppError, match=r"only pickled weights \(pytorch_model.bin\)"):
        hub.fetch("me/tiny", "main", Steps())
    assert not any("resolve" in path for _, path in fake.asked)


def test_names_and_revisions_that_are_not_there(fake):
    with pytest.raises(AppError, match="no model called me/none"):
        hub.fetch("me/none", "main", Steps())
    with pytest.raises(AppError, match="no revision 'v9'"):
        hub.fetch("me/tiny", "v9", Steps())


def test_a_model_that_would_pass_the_bound_of_the_cache_is_not_fetched(fake, monkeypatch):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    assert hub_cache.held() == 0 and hub_cache.sentence(10) == ""
    monkeypatch.setattr(hub, "settings", lambda: Settings(max_hub_bytes=2_999_999, _env_file=None))
    with pytest.raises(AppError, match=r"me/tiny needs .* more, .* holds .* and may hold .* here") as told:
        hub.fetch("me/tiny", "main", Steps())
    assert told.value.code == "limit" and "WHENCE_MAX_HUB_BYTES" in told.value.hint
    assert not [path for _, path in fake.asked if "/resolve/" in path]

    monkeypatch.setattr(hub, "settings", lambda: Settings(max_hub_bytes=3_500_000, _env_file=None))
    hub.fetch("me/tiny", "main", Steps())
    held = hub_cache.held()
    assert 3_000_000 <= held < 3_010_000 and hub_cache.held("me/tiny") <= held
    hub.fetch("me/tiny", "main", Steps())  # what is here already needs no more room
    assert "Remove what is no longer needed" in hub_cache.sentence(3_500_000)
    assert "Remove" not in hub_cache.sentence(35_000_000)
    with pytest.raises(AppError, match="may hold"):
        hub_cache.check("me/other", 3_000_000, 3_500_000)
    hub_cache.check("me/other", 3_000_000, 0)
