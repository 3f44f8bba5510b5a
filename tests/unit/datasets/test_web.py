"""Web addresses: judged by the IP that is really connected to, bounded in bytes and time, redirects too."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore
import pytest

from core.datasets import Bounds, source
from core.datasets.web import MAX_REDIRECTS, fetch, is_public
from core.errors import AppError

HOSTED = Bounds(hosted=True)
LOCAL = Bounds(timeout_seconds=20)
PROMPTS = b'{"prompt": "from afar"}\n'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", path[4:].replace("PORT", str(self.server.server_address[1])))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = PROMPTS if path == "/menu.jsonl" else b"x" * 5000
        self.send_response(404 if path == "/none.txt" else 200)
        if path == "/page.txt":
            self.send_header("Content-Type", "text/html; charset=utf-8")
        if path == "/packed.txt":
            self.send_header("Content-Encoding", "gzip")
        if path != "/endless.txt":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_file_of_ones_own_network_is_read_locally(port: int) -> None:
    loaded = source("url").load(f"http://127.0.0.1:{port}/menu.jsonl?x=1", LOCAL)
    assert [example.prompt for example in loaded.examples] == ["from afar"]
    assert loaded.name == "menu"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.8", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    ],
)
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1/a.txt",
            "http://localhost/a.txt",
            "http://[::1]/a.txt",
            "http://2130706433/a.txt",
        ),
        *(
            "http://0x7f.1/a.txt",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:127.0.0.1]/a.txt",
        ),
    ],
)
def test_hosted_mode_refuses_this_machine_and_its_network(url: str) -> None:
    with pytest.raises(AppError, match="private network, which is not read here"):
        fetch(url, HOSTED)


def test_hosted_mode_judges_what_the_name_resolves_to() -> None:
    for addresses in (["10.1.2.3"], ["8.8.8.8", "127.0.0.1"]):
        with pytest.raises(AppError, match=r"evil\.example is an address of this machine"):
            fetch("http://evil.example/a.txt", HOSTED, find=lambda host, port, a=addresses: a)


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def find(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]  # answers differently the second time

    def connect(self: object, host: str, *rest: object, **more: object) -> httpcore.NetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("no network in tests")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(AppError, match="cannot be reached"):
        fetch("http://rebinding.example/a.txt", HOSTED, find=find)
    assert (asked, connected) == (["rebinding.example"], ["8.8.8.8"])


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:PORT/menu.jsonl", "http://localhost:PORT/menu.jsonl", "//127.0.0.1:PORT/menu.jsonl"],
)
def test_no_redirect_into_a_private_network_even_locally(port: int, target: str) -> None:
    with pytest.raises(AppError, match=r"leads on to a place that is refused.*after a redirect"):
        fetch(f"http://127.0.0.1:{port}/to/{target}", LOCAL)


def test_redirects_are_followed_and_judged_one_by_one(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain: Callable[..., httpcore.NetworkStream] = httpcore.SyncBackend.connect_tcp

    def connect(self: object, host: str, port_: int, *rest: object, **more: object) -> httpcore.NetworkStream:
        assert host == "8.8.8.8"
        return plain(self, "127.0.0.1", port, *rest, **more)

    def find(host: str, _: int) -> list[str]:
        return {"a.example": ["8.8.8.8"], "b.example": ["8.8.8.8"]}.get(host, ["192.168.0.1"])

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    found = fetch("http://a.example/to/http://b.example/menu.jsonl", HOSTED, find=find)
    assert (found.data, found.file_name, found.url) == (PROMPTS, "menu.jsonl", "http://b.example/menu.jsonl")
    with pytest.raises(AppError, match=r"leads on to a place that is refused: c\.example"):
        fetch("http://a.example/to/http://c.example/menu.jsonl", HOSTED, find=find)
    for elsewhere in ("file:///etc/passwd", "ftp://b.example/a"):
        with pytest.raises(AppError, match="should begin with http"):
            fetch(f"http://a.example/to/{elsewhere}", HOSTED, find=find)
    circle = "http://a.example" + "/to" * (MAX_REDIRECTS + 2) + "/x"
    with pytest.raises(AppError, match="leads on more than 5 times"):
        fetch(circle, HOSTED, find=find)


@pytest.mark.parametrize("name", ["large.txt", "endless.txt"])
def test_a_file_past_the_limit_is_left(port: int, name: str) -> None:
    with pytest.raises(AppError, match="at most 1,000 are read"):
        fetch(f"http://127.0.0.1:{port}/{name}", Bounds(max_bytes=1000))


def test_a_server_that_never_answers_is_left() -> None:
    late = pytest.raises(AppError, match=r"did not arrive within 0\.05 seconds")
    with socket.create_server(("127.0.0.1", 0)) as deaf, late:
        fetch(f"http://127.0.0.1:{deaf.getsockname()[1]}/a.txt", Bounds(timeout_seconds=0.05))


def test_what_the_server_says_is_told(port: int) -> None:
    with pytest.raises(AppError, match=r"127\.0\.0\.1 answered 404"):
        fetch(f"http://127.0.0.1:{port}/none.txt", LOCAL)
    with pytest.raises(AppError, match="sent the file compressed"):
        fetch(f"http://127.0.0.1:{port}/packed.txt", LOCAL)
    with pytest.raises(AppError, match="answered with a web page instead of a file"):
        fetch(f"http://127.0.0.1:{port}/page.txt", LOCAL)
    with pytest.raises(AppError, match=r"nowhere\.example cannot be reached"):
        fetch("http://nowhere.example/a.txt", LOCAL, find=lambda host, port: [])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("menu.jsonl", "should begin with http"),
        ("file:///etc/passwd", "should begin with http"),
        ("http://", "should begin with http"),
        ("http://a:99999/", "should begin with http"),
        ("http://user:secret@a.example/", "holds a user name or password"),
        ("http://a.example/\r\nX: y", "cannot be reached"),
    ],
)
def test_addresses_that_make_no_sense(url: str, message: str) -> None:
    with pytest.raises(AppError, match=message) as caught:
        fetch(url, LOCAL, find=lambda host, port: [])
    assert "secret" not in str(caught.value)
