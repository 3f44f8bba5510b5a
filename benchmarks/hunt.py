"""`make hunt`: many browsers press Run at once, again and again; is one run ever lost?

    python -m benchmarks.hunt [--browsers 8] [--rounds 30] [--at ADDRESS]

Starts an app of its own with the bundled model and as many Chromium contexts, each a person with an example of their
own. Every round all of them write a prompt that nobody wrote before and press Run within the same moment, some while
the page is still being drawn. A round is clean when each context shows the answer and the map of its own prompt within
`PATIENCE_SECONDS`. A lost run is told with what the page shows and what the server's log says; the exit status is
1 then. Speed is not judged: on a busy machine a round takes as long as it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from core.settings import ROOT

PATIENCE_SECONDS = 300.0
FIRST_SECONDS = 120.0
GUESTS = ("eggs", "peanuts", "mushrooms", "cheese", "garlic", "basil", "beans", "tomatoes")
PROMPT = """Analyze a dish from the menu for a guest.

Likes: fresh herbs
Avoids: {guest}
Dish: Round {number} of {who} with {guest} and basil
Analysis:"""


@contextmanager
def app(folder: Path) -> Iterator[str]:
    """The app on a free port with a data folder of its own: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", f"--server.port={port}"]
    command += ["--server.address=127.0.0.1", "--server.headless=true"]
    environment = {**os.environ, "WHENCE_DATA_DIR": str(folder / "data"), "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(60)


class Person:
    """One browser context and what it asked last."""

    def __init__(self, name: str, page: Page, chance: random.Random) -> None:
        self.name, self.page, self.chance = name, page, chance

    async def open(self, address: str) -> None:
        await self.page.goto(address)
        strongest = self.page.get_by_role("region", name="Strongest parts").locator("li").first
        await expect(strongest).to_be_visible(timeout=FIRST_SECONDS * 1000)

    async def run(self, number: int) -> str:
        """Writes a new prompt and runs it. Returns what is wrong; "" where all is well."""
        guest = self.chance.choice(GUESTS)
        dish = f"Round {number} of {self.name} with {guest} and basil"
        box = self.page.get_by_role("textbox", name="Prompt")
        await box.fill(PROMPT.format(guest=guest, number=number, who=self.name))
        await asyncio.sleep(self.chance.choice((0.0, 0.0, 0.05, 0.2, 0.5)))  # before, in and after a drawing
        if self.chance.random() < 0.5:
            await box.press("Control+Enter")
        else:
            await self.page.locator(".sv-run").click()
        try:
            await self._answered(dish)
        except AssertionError as fault:
            return f"{self.name}, round {number}: {str(fault).splitlines()[0]}"
        return ""

    async def _answered(self, dish: str) -> None:
        """Waits until the map on the page is that of the prompt with `dish`, and the answer is there."""
        view = self.page.locator(".whence-sv").filter(has=self.page.locator(".sv-editor"))
        lines = view.locator('.sv-editor [data-score]:not([data-score=""])').filter(has_text=dish)
        milliseconds = PATIENCE_SECONDS * 1000
        await expect(lines.first).to_be_attached(timeout=milliseconds)
        await expect(self.page.locator(".sv-run:not([disabled])")).to_be_visible(timeout=milliseconds)
        await expect(self.page.locator(".sv-response [data-segment]").first).to_be_visible(
            timeout=milliseconds
        )
        await expect(self.page.locator(".sv-stale")).to_have_count(0, timeout=milliseconds)

    async def tells(self, number: int) -> str:
        """What the page says now, for a lost run; a picture of it lies in `out/hunt`."""
        (ROOT / "out" / "hunt").mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ROOT / "out" / "hunt" / f"{self.name} {number}.png")
        typed = await self.page.get_by_role("textbox", name="Prompt").input_value()
        text = (await self.page.locator("body").inner_text())[:1500]
        return f"{self.page.url}\nIn the box: {typed!r}\n{text}"


async def hunt(address: str, browsers: int, rounds: int) -> tuple[int, list[str]]:
    """(clean runs, what was lost)."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    clean, lost = 0, list[str]()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], headless=True
        )
        people = []
        for number in range(browsers):
            context = await chromium.new_context(viewport={"width": 1280, "height": 900})
            people.append(Person(f"guest {number}", await context.new_page(), random.Random(number)))
        await asyncio.gather(*(person.open(address) for person in people))
        for number in range(rounds):
            said = await asyncio.gather(*(person.run(number) for person in people))
            clean += sum(not one for one in said)
            for person, one in zip(people, said):
                if one:
                    lost.append(f"{one}\n{await person.tells(number)}")
                    print(f"LOST {lost[-1]}\n", flush=True)
                    await person.open(address)
            print(f"round {number + 1} of {rounds}: {clean} runs clean, {len(lost)} lost", flush=True)
        await chromium.close()
    return clean, lost


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.hunt", description=__doc__.splitlines()[0])
    parser.add_argument("--browsers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--at", help="an app that runs already")
    given = parser.parse_args()
    if given.at:
        clean, lost = asyncio.run(hunt(given.at, given.browsers, given.rounds))
        log = ""
    else:
        with tempfile.TemporaryDirectory() as name:
            with app(Path(name)) as address:
                clean, lost = asyncio.run(hunt(address, given.browsers, given.rounds))
            log = (Path(name) / "log").read_text(errors="replace")[-3000:]
    if lost and log:
        print(log)
    print(f"{clean} runs clean, {len(lost)} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
