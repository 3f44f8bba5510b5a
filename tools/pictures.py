"""Pictures of every page, light and dark, made by playing the product in a real Chromium.

    python -m tools.pictures [--out docs/pictures] [--pages salience,dataset] [--width 1440]

The app runs in a folder of its own with the bundled model and samples; nothing of the person's is shown. README shows
`salience-light.png` and `salience-dark.png`.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0
QUIET_SECONDS = 1.5
"""A page counts as finished when nothing of it has changed for so long."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SETTLED = """quiet => new Promise(done => {
  let last = performance.now();
  new MutationObserver(() => { last = performance.now(); }).observe(document.body, {subtree: true, childList: true});
  const look = () => performance.now() - last > quiet * 1000 ? done(true) : setTimeout(look, 200);
  look();
})"""


def pages() -> list[str]:
    """The addresses of all pages, the first page first."""
    names = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
    return sorted(names, key=lambda name: name != "salience")


@contextmanager
def running_app() -> Iterator[str]:
    """The app on a free port of the loopback address, with a data folder of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "WHENCE_DATA_DIR": folder,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
        command += [
            "--server.address",
            "127.0.0.1",
            "--server.headless",
            "true",
            "--server.fileWatcherType",
            "none",
        ]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + START_SECONDS
            while True:
                with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("The app did not start: try `make app`.")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def picture(page: Page, address: str, path: Path) -> None:
    """One finished page as a PNG: what a person sees first, without scrolling."""
    page.goto(address)
    page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first.wait_for(timeout=120_000)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=120_000)
    page.evaluate(SETTLED, QUIET_SECONDS)
    page.screenshot(path=path, animations="disabled")
    print(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Pictures of every page, light and dark.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument(
        "--pages", default=",".join(pages()), help="names of files in pages/, parted by commas"
    )
    parser.add_argument("--width", type=int, default=1440)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    program = next((path for path in CHROMIUM if Path(path).exists()), None)
    with running_app() as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": chosen.width, "height": 900},
                color_scheme=theme,
            )
            context.add_init_script("localStorage.setItem('whence tour', '9')")  # the tour was seen
            page = context.new_page()
            for name in chosen.pages.split(","):
                picture(
                    page, f"{url}/{'' if name == 'salience' else name}", chosen.out / f"{name}-{theme}.png"
                )
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
