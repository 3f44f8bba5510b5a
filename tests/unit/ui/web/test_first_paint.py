"""Streamlit's page and files as the server sends them: in shape at the first paint, and compressed once."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.ui.web import first_paint
from core.ui.web.first_paint import FirstPaint

INDEX = (first_paint.STATIC / "index.html").read_text(encoding="utf-8")


@pytest.fixture(params=[False, True], ids=["plain inside", "compressed inside"])
def client(request: pytest.FixtureRequest) -> TestClient:
    """An app that answers as Streamlit does: its page at any address, by itself compressed or not."""
    routes = [
        Route("/", lambda _: HTMLResponse(INDEX, headers={"ETag": '"old"'})),
        Route("/template", lambda _: HTMLResponse(INDEX)),
        Route("/other", lambda _: HTMLResponse("<p>Not the page</p>")),
        Route("/text", lambda _: PlainTextResponse("text")),
    ]
    inner = [Middleware(GZipMiddleware, minimum_size=10)] if request.param else []
    return TestClient(Starlette(routes=routes, middleware=[Middleware(FirstPaint), *inner]))


@pytest.mark.parametrize("path", ["/", "/template"])
@pytest.mark.parametrize("accepts", ["gzip", "identity"])
def test_the_page_leaves_with_the_frames_style(client: TestClient, path: str, accepts: str) -> None:
    answer = client.get(path, headers={"Accept-Encoding": accepts})
    body = answer.text.partition("</head>")[2].partition('id="root"')[0]
    assert ".stSidebar" in body and "--whence-muted" in body
    assert answer.text.count("<style>") == 1
    assert answer.headers.get("content-encoding") == ("gzip" if accepts == "gzip" else None)
    assert answer.headers["etag"] not in ("", '"old"')


def test_the_widgets_scripts_are_named_and_there(client: TestClient) -> None:
    head = client.get("/").text.partition("</head>")[0]
    named = first_paint.widget_scripts()
    assert {name.partition(".")[0] for name in named} >= set(first_paint.WIDGETS)
    for name in named:
        assert (first_paint.STATIC / "static" / "js" / name).is_file()
        assert head.count(f"./static/js/{name}") == 1


def test_a_script_is_sent_compressed_and_kept_by_the_browser(client: TestClient) -> None:
    name = first_paint.widget_scripts()[0]
    plain = (first_paint.STATIC / "static" / "js" / name).read_bytes()
    answer = client.get(f"/static/js/{name}", headers={"Accept-Encoding": "br, gzip"})
    assert answer.content == plain
    assert int(answer.headers["content-length"]) < len(plain)
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"] and answer.headers["vary"] == "Accept-Encoding"
    only_head = client.head(f"/static/js/{name}", headers={"Accept-Encoding": "gzip"})
    assert (
        only_head.content == b"" and only_head.headers["content-length"] == answer.headers["content-length"]
    )


@pytest.mark.parametrize("accepts", ["identity", "gzip;q=0", "br", ""])
def test_who_reads_no_gzip_gets_none(client: TestClient, accepts: str) -> None:
    name = first_paint.widget_scripts()[0]
    answer = client.get(f"/static/js/{name}", headers={"Accept-Encoding": accepts})
    assert answer.status_code == 404  # left to Streamlit, which is not here
    assert client.get("/", headers={"Accept-Encoding": accepts}).headers.get("content-encoding") is None


@pytest.mark.parametrize(
    "path", ["/static/js/..%2f..%2findex.html", "/static/js/../index.html", "/static/js/none.js"]
)
def test_only_scripts_and_styles_that_are_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_other_answers_pass_as_they_are(client: TestClient) -> None:
    assert client.get("/other").text == "<p>Not the page</p>"
    assert client.get("/text").text == "text"


def test_compressing_is_done_once(tmp_path: Path) -> None:
    path = tmp_path / "one.js"
    path.write_bytes(b"a" * 1000)
    first = first_paint.compressed(path)
    assert gzip.decompress(first) == b"a" * 1000
    assert first_paint.compressed(path) is first
