"""Streamlit apps in a process of their own, and a real Chromium to look at them.

Screenshots go to `out/screens/`. `WHENCE_E2E=0` leaves these tests out.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "out" / "screens"
START_SECONDS = 90
SIZES = {"wide": (1440, 900), "narrow": (800, 900)}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MS = 60_000
SETTLED_MS = 240_000
expect.set_options(timeout=TIMEOUT_MS)
OFF = os.environ.get("WHENCE_E2E") == "0"
Serve = Callable[..., str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is an end-to-end test, and can be left out by name or by environment.

    They run last: Playwright keeps an event loop running in this thread until the session ends, in which
    tests that start a loop of their own would fail.
    """
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.e2e)
        if OFF:
            item.add_marker(pytest.mark.skip(reason="WHENCE_E2E=0: browser tests left out"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            if answer.status == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    process.kill()
    pytest.fail(f"The app did not start at {url}:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve(app)` starts a Streamlit script (relative to the root) once a session; returns its address."""
    running: dict[tuple[str, ...], tuple[subprocess.Popen[bytes], str]] = {}

    def start(app: str, **environment: str) -> str:
        known = (app, *map(str, sorted(environment.items())))
        if known in running and running[known][0].poll() is None:
            return running[known][1]
        folder = tmp_path_factory.mktemp("app")
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        settings = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "WHENCE_DATA_DIR": str(folder / "data"),
            **environment,
        }
        command = [sys.executable, "-m", "streamlit", "run", app, "--server.port", str(port)]
        command += [
            "--server.address",
            "127.0.0.1",
            "--server.headless",
            "true",
            "--server.fileWatcherType",
            "none",
        ]
        command += ["--browser.gatherUsageStats", "false"]
        log = folder / "log.txt"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=out, stderr=out)
        running[known] = (process, url)
        _wait_until_healthy(process, url, log)
        return url

    yield start
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium: the system's where there is one, else Playwright's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=FLAGS, headless=True)
        except Error as error:
            pytest.fail(
                f"No Chromium could be started (WHENCE_E2E=0 leaves these tests out): {error.message}"
            )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[dict[tuple[str, str], BrowserContext]]:
    """One context a theme and size, kept so that Streamlit's own scripts are fetched and compiled once."""
    made: dict[tuple[str, str], BrowserContext] = {}
    yield made
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(
    browser: Browser, contexts: dict[tuple[str, str], BrowserContext]
) -> Iterator[Callable[..., Page]]:
    """`open_page(theme="light", size="wide")`: a new page, which may only reach loopback."""
    pages: list[Page] = []
    strangers: list[str] = []

    def make(theme: str = "light", size: str = "wide") -> Page:
        if (theme, size) not in contexts:
            width, height = SIZES[size]
            contexts[theme, size] = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme
            )
        page = contexts[theme, size].new_page()
        page.on("request", lambda request: strangers.append(request.url) if _outside(request.url) else None)
        page.set_default_timeout(TIMEOUT_MS)
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.close()
    assert not strangers, f"The page asked the network for {strangers}"


def _outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1", "http://localhost", "data:", "blob:", "ws://127.0.0.1"))


def settled(page: Page) -> None:
    """Nothing runs and nothing changes any more: for what must not come, and for a look at the whole page."""
    expect(page.locator("[data-testid=stMainBlockContainer] h2").first).to_be_visible(timeout=SETTLED_MS)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=SETTLED_MS)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=SETTLED_MS)
    page.wait_for_function(
        """() => new Promise((done) => {
          const watch = new MutationObserver(() => { watch.disconnect(); done(false); });
          watch.observe(document.querySelector("[data-testid=stMain]"), { subtree: true, childList: true });
          setTimeout(() => { watch.disconnect(); done(true); }, 1000);
        })""",
        timeout=SETTLED_MS,
    )


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A light page, 1440 x 900."""
    return open_page()


@pytest.fixture(params=[(theme, size) for theme in ("light", "dark") for size in SIZES], ids="-".join)
def any_page(request: pytest.FixtureRequest, open_page: Callable[..., Page]) -> Page:
    """A page in each theme and at each width; `page.look` names it."""
    theme, size = request.param
    page = open_page(theme, size)
    page.look = f"{theme}-{size}"
    return page


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], Path]:
    """`screenshot(page, name)` saves what is visible as `out/screens/<name>.png`."""

    def save(page: Page, name: str) -> Path:
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return save
