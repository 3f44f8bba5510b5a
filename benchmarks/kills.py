"""`make kills`: the app is killed (SIGKILL) again and again while a person works in it; is anything lost?

    python -m benchmarks.kills [--kills 100] [--seed 0]

Each round starts the real Streamlit process on the data folder of the rounds before, lets a Chromium work in it, kills
the process at a moment drawn by chance, and starts it again. What counts as acknowledged is what the page showed: an
answer whose address it took on (`?example=…&answer=…`), a star that it showed as given. All of it must be there
afterwards, the database's own check must find nothing, and the page must open. The kinds of round:

- run: prompts are written and run, one version after the other; killed in the middle of the next
- review: a row is starred, answered and its star taken away again
- migration: the data folder is that of the first version, which the start brings up to date; killed while it does
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Error, Page, expect, sync_playwright

from core.settings import ROOT
from core.store import Store
from tests.unit.store import earlier_version

KINDS = ("run", "run", "review", "migration")
PATIENCE_MS = 180_000
PROMPT = "Likes: garlic\nAvoids: eggs\nDish: Number {number} with eggs and basil\nAnalysis:"
ROW_HEIGHT, FIRST_ROW = 35, 52
"""Of the dataset's grid, pixels."""


class App:
    """One Streamlit process on `folder`, in a process group of its own."""

    def __init__(self, folder: Path, rows: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", f"--server.port={port}"]
        command += ["--server.address=127.0.0.1", "--server.headless=true"]
        settings = {"WHENCE_DATA_DIR": str(folder), "OMP_NUM_THREADS": "1", "DATASETS": f"rows:{rows}"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def wait(self) -> None:
        while self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                return
            time.sleep(0.1)
        raise RuntimeError("the app did not start")

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Acknowledged:
    """What the page showed as done."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []
        self.stars: dict[str, bool] = {}
        """By the prompt of the row."""

    def missing(self, folder: Path) -> list[str]:
        """What of it is not in the folder any more."""
        store = Store(f"sqlite:///{folder / 'whence.sqlite3'}", folder)
        try:
            workspace, lost = store.workspace(), []
            starred = {workspace.examples.get(name).prompt for name in workspace.marks.starred()}
            for example, answer in self.answers:
                try:
                    workspace.examples.get(example)
                except Exception as error:
                    lost.append(f"example {example}: {error}")
                if store.generation(answer) is None:
                    lost.append(f"answer {answer}")
            lost += [f"star of {name}" for name, on in self.stars.items() if on != (name in starred)]
        finally:
            store.close()
        with closing(sqlite3.connect(folder / "whence.sqlite3")) as database:
            (said,) = database.execute("PRAGMA integrity_check").fetchone()
        return [*lost, *([] if said == "ok" else [f"integrity: {said}"])]


def ran(page: Page, number: int, known: Acknowledged) -> None:
    """Writes a prompt, runs it, and notes the answer once the page has taken on its address."""
    before = page.url
    box = page.get_by_role("textbox", name="Prompt")
    box.fill(PROMPT.format(number=number))
    box.press("Control+Enter")
    page.wait_for_url(
        lambda url: url != before and "answer=" in url and _query(url)[1] != _query(before)[1],
        timeout=PATIENCE_MS,
    )
    known.answers.append(_query(page.url))


def _query(url: str) -> tuple[str, str]:
    asked = parse_qs(urlsplit(url).query)
    return asked.get("example", [""])[0], asked.get("answer", [""])[0]


def reviewed(page: Page, address: str, known: Acknowledged) -> None:
    """Stars the first row of the dataset, or takes its star away."""
    page.goto(f"{address}/dataset")
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="rows (3 rows)").click()
    expect(page.get_by_text("3 of 3 rows shown, 0 selected")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": FIRST_ROW})
    expect(page.get_by_text("3 of 3 rows shown, 1 selected")).to_be_visible(timeout=PATIENCE_MS)
    star = page.get_by_role("button", name="Star", exact=True)
    remove = page.get_by_role("button", name="Remove star")
    expect(star.or_(remove).first).to_be_visible(timeout=PATIENCE_MS)
    on = star.is_visible()
    known.stars.pop("Row a:", None)  # from the click until it is shown, either may be
    (star if on else remove).click()
    expect(remove if on else star).to_be_visible(timeout=PATIENCE_MS)
    known.stars["Row a:"] = on


def played(kind: str, app: App, page: Page, known: Acknowledged, chance: random.Random, number: int) -> None:
    """Works in the app until it is killed."""
    if kind == "migration":
        time.sleep(chance.uniform(0.0, 3.0))
        app.kill()
        return
    app.wait()
    with suppress(Error, AssertionError):
        page.goto(app.address)
        page.get_by_role("region", name="Strongest parts").locator("li").first.wait_for(timeout=PATIENCE_MS)
        if kind == "review":
            reviewed(page, app.address, known)
        else:
            for step in range(chance.choice((1, 2))):
                ran(page, 1000 * number + step, known)
            page.get_by_role("textbox", name="Prompt").fill(PROMPT.format(number=1000 * number + 9))
            page.get_by_role("textbox", name="Prompt").press("Control+Enter")
        time.sleep(chance.uniform(0.0, 1.0))
    app.kill()


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance, done, faults = random.Random(given.seed), Counter[str](), list[str]()
    acknowledged = 0
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        rows = Path(name) / "rows.jsonl"
        rows.write_text("".join(f'{{"id": "{i}", "prompt": "Row {i}:"}}\n' for i in "abc"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        folder, known = Path(name) / "data", Acknowledged()
        for number in range(given.kills):
            kind = chance.choice(KINDS)
            here, mine = folder, known
            if kind == "migration":
                here, mine = Path(name) / f"old-{number}", Acknowledged()
                here.mkdir()
                earlier_version.lay_down(here)
                mine.answers = [("soup", earlier_version.ANSWER)]
            app = App(here, rows)
            page = browser.new_page()
            try:
                played(kind, app, page, mine, chance, number)
            finally:
                app.kill()
                page.close()
            lost = mine.missing(here)
            done[kind] += 1
            faults += [f"kill {number + 1} ({kind}): {one}" for one in lost]
            acknowledged = len(known.answers) + len(known.stars)
            print(
                f"{number + 1} kills {dict(done)}: {acknowledged} acknowledged, {len(faults)} lost",
                flush=True,
            )
        again = App(folder, rows)
        try:
            again.wait()
            page = browser.new_page()
            page.goto(again.address)
            page.get_by_role("region", name="Strongest parts").locator("li").first.wait_for(
                timeout=PATIENCE_MS
            )
        finally:
            again.kill()
        browser.close()
    for fault in faults:
        print(f"LOST {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
