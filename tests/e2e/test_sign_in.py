"""Signing in against a provider that speaks OpenID Connect, through Streamlit's own callback, in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ROOT, _free_port, _wait_until_healthy
from tests.e2e.oidc_provider import CLIENT, SECRET, Provider


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hosted installation whose operator set up signing in."""
    folder = tmp_path_factory.mktemp("hosted")
    url = f"http://127.0.0.1:{(port := _free_port())}"
    secrets = folder / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "{url}/oauth2callback"\ncookie_secret = "{"c" * 40}"\nclient_id = "{CLIENT}"\n'
        f'client_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
    )
    settings = {"WHENCE_MODE": "hosted", "WHENCE_DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true", "--secrets.files", str(secrets)]
    command += ["--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false"]
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=out, stderr=out)
    _wait_until_healthy(process, url, log)
    yield url
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def page_of(browser: Browser) -> Page:
    """A browser that was never here."""
    return browser.new_context(viewport={"width": 1440, "height": 900}).new_page()


def open_menu(page: Page) -> None:
    page.get_by_test_id("stSidebar").get_by_role("button", name="Workspace").click()


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/dataset")
    open_menu(page)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")


def make_dataset(page: Page, name: str) -> None:
    page.get_by_role("button", name="Load", exact=True).first.click()
    page.get_by_role("tab", name="Empty").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Name").press("Enter")
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_text(f"{name}” is there")).to_be_visible()


def test_an_account_finds_its_own_workspace_on_another_machine(
    browser: Browser, site: str, provider: Provider
) -> None:
    here = page_of(browser)
    sign_in(here, site)
    open_menu(here)
    expect(here.get_by_text("Signed in as ada@id.example")).to_be_visible()
    assert "/token" in provider.asked and "/keys" in provider.asked
    here.goto(f"{site}/dataset")
    make_dataset(here, "of Ada")

    elsewhere = page_of(browser)
    sign_in(elsewhere, site)
    open_menu(elsewhere)
    expect(elsewhere.get_by_text("Signed in as ada@id.example")).to_be_visible()
    elsewhere.goto(f"{site}/dataset")
    elsewhere.get_by_role("combobox", name="Dataset", exact=True).click()
    expect(elsewhere.get_by_role("option", name="of Ada")).to_be_visible()

    stranger = page_of(browser)
    stranger.goto(f"{site}/dataset")
    stranger.get_by_role("combobox", name="Dataset", exact=True).click()
    expect(stranger.get_by_role("option").first).to_be_visible()
    expect(stranger.get_by_role("option", name="of Ada")).to_have_count(0)
    for page in (here, elsewhere, stranger):
        page.context.close()


def test_a_token_of_another_key_lets_nobody_in(browser: Browser, site: str, provider: Provider) -> None:
    provider.spoil = True
    page = page_of(browser)
    with page.expect_response(lambda answer: "/oauth2callback" in answer.url):
        sign_in(page, site)
    page.goto(f"{site}/dataset")
    open_menu(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    provider.spoil = False
    page.context.close()
