"""The cookie of a visitor's browser: made once, known again, not to be made up, secure behind https."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.errors import AppError
from core.settings import Settings
from core.ui.web import server
from core.ui.web.browsers import KnownBrowsers, Signer


async def _page(request: Request) -> HTMLResponse:
    return HTMLResponse("page", 200 if request.url.path == "/" else 404)


async def _data(request: Request) -> JSONResponse:
    return JSONResponse({})


def client(signer: Signer, *, framed: bool = False, base_url: str = "http://localhost") -> TestClient:
    browsers = Middleware(KnownBrowsers, signer=signer, framed=framed)
    routes = [Route("/", _page), Route("/gone", _page), Route("/data", _data)]
    return TestClient(Starlette(routes=routes, middleware=[browsers]), base_url=base_url)


def cookie(answer: object) -> tuple[str, dict[str, str]]:
    held: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])  # type: ignore[attr-defined]
    ((name, morsel),) = held.items()
    return f"{name}={morsel.value}", {key: value for key, value in morsel.items() if value}


def test_a_browser_keeps_its_name() -> None:
    signer = Signer(b"k" * 32)
    here = client(signer)
    first, facts = cookie(here.get("/"))
    assert facts["httponly"] and facts["samesite"] == "Lax" and facts["path"] == "/" and "secure" not in facts
    assert first.startswith("whence=")
    again, _ = cookie(here.get("/"))
    assert again == first
    other, _ = cookie(client(signer).get("/"))
    assert other != first
    assert len(signer.name(dict([first.split("=", 1)])) or "") == 43


@pytest.mark.parametrize("spoil", ["x{}", "{}x", "{}.more", "", ".", "a.b", "é.ü"])
def test_a_made_up_name_is_not_known(spoil: str) -> None:
    signer = Signer(b"k" * 32)
    value = spoil.format(signer.make())
    assert signer.name({"whence": value}) is None
    assert Signer(b"other" * 8).name({"whence": signer.make()}) is None
    if value.isascii():
        given, _ = cookie(client(signer).get("/", headers={"Cookie": f"whence={value}"}))
        assert given != f"whence={value}"


def test_only_pages_give_a_cookie() -> None:
    here = client(Signer(b"k" * 32))
    assert "set-cookie" not in here.get("/data").headers
    assert "set-cookie" not in here.get("/gone").headers
    assert "set-cookie" not in here.head("/").headers


@pytest.mark.parametrize("proxied", [True, False])
def test_behind_https_it_is_secure_and_bound_to_the_host(proxied: bool) -> None:
    headers = {"X-Forwarded-Proto": "https, http"} if proxied else {}
    here = client(Signer(b"k" * 32), base_url="http://localhost" if proxied else "https://localhost")
    given, facts = cookie(here.get("/", headers=headers))
    assert given.startswith("__Host-whence=") and facts["secure"] and "domain" not in facts
    framed = (
        client(Signer(b"k" * 32), framed=True, base_url="https://localhost").get("/").headers["set-cookie"]
    )
    assert "SameSite=None; Partitioned" in framed and "Secure" in framed


def test_the_key_is_made_once_for_all_processes_and_nobody_else_reads_it(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "home", _env_file=None)
    with ThreadPoolExecutor(8) as pool:
        keys = {signer._key for signer in pool.map(lambda _: Signer.of(chosen), range(16))}
    assert len(keys) == 1
    (path,) = (tmp_path / "home").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"short")
    with pytest.raises(AppError, match="has 5 bytes; at least 32"):
        Signer.of(chosen)
    assert (
        Signer.of(Settings(data_dir=tmp_path / "none", cookie_secret="mine" * 8, _env_file=None))._key
        == b"mine" * 8
    )
    assert not (tmp_path / "none").exists()


def test_the_app_allows_no_frame_but_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    policy = server.headers(Settings(_env_file=None))
    assert (
        "frame-ancestors 'none'" in policy["Content-Security-Policy"] and policy["X-Frame-Options"] == "DENY"
    )
    policy = server.headers(Settings(frame_ancestors="https://a.example", _env_file=None))
    assert (
        "frame-ancestors https://a.example" in policy["Content-Security-Policy"]
        and "X-Frame-Options" not in policy
    )
    monkeypatch.setenv("SPACE_ID", "me/space")
    monkeypatch.setenv("SPACE_HOST", "me-space.hf.space")
    chosen = Settings(allowed_hosts="whence.example", _env_file=None)
    assert "huggingface.co" in server.headers(chosen)["Content-Security-Policy"]
    assert {"whence.example", "me-space.hf.space", "localhost"} <= set(server.allowed_names(chosen))


def test_no_script_of_a_page_runs_but_streamlits_own() -> None:
    policy = server.headers(Settings(_env_file=None))["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts and scripts.count("'sha256-") == len(server.inline_hashes()) >= 1


def test_a_visitors_browser_is_known_only_where_the_site_is_hosted(tmp_path: Path) -> None:
    always = [server.Names, server.FirstPaint]
    for mode, expected in (("local", always), ("hosted", [server.Names, KnownBrowsers, server.FirstPaint])):
        chosen = Settings(mode=mode, data_dir=tmp_path, _env_file=None)  # type: ignore[arg-type]
        assert [one.cls for one in server.middleware(chosen)] == expected


def test_a_start_that_cannot_be_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as ended:
        server.middleware(Settings(mode="hosted", data_dir=tmp_path / "file", _env_file=None))
    assert ended.value.code == 2 and "is a file" in capsys.readouterr().err
