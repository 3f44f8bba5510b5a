"""How soon the Salience page follows a person: a real Chromium, the demo model, an app of its own.

    python -m benchmarks.page_speed [rounds]

Real mouse events; times are taken in the page (from the event's own time stamp to the last change that
follows it, seen by a `MutationObserver`), so that nothing of this process is in them. Measured: a hover and a
click until the prompt has its new colours; a click until the ranked list and (through Python) the heatmap
follow; and, after an edit and Run, a click before the matrix is there until its map is. Prints the median and
the worst, in milliseconds. Then, for each page, wide and narrow, on a second visit: the first paint, and how far the
page moves by itself while it opens (cumulative layout shift; goal below 0.1). The app has an empty data folder, so
that nothing is known from before.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from core.datasets.samples import load

ROOT = Path(__file__).resolve().parents[1]
LONG_MS, QUIET_MS = 120_000, 10_000
HOVER, CLICK = "hover → prompt recoloured", "click → prompt recoloured"
RANKED, HEATMAP = "click → ranked list", "click → heatmap"
FIRST, EARLY = "answer written → first map", "click before the matrix → its map"
GOALS_MS = {HOVER: 50, CLICK: 50, RANKED: 500, HEATMAP: 500, FIRST: None, EARLY: 1200}
LIKINGS = ("basil", "rice", "beans", "apples", "garlic", "onions", "bread", "olives", "corn", "peas")

PARTS = '[aria-label="Response"] [data-segment][aria-pressed]'
READ = {
    "prompt": "[...document.querySelectorAll('[aria-label=\"Prompt salience\"] [data-score]')]"
    ".map(e => e.dataset.score).join(' ').trim()",
    "ranked": "document.querySelector('[aria-label=\"Strongest parts\"] ol')?.innerText ?? ''",
    "heatmap": "document.querySelector('.stPlotlyChart .main-svg .plot, .stPlotlyChart .main-svg')?.innerHTML"
    " ?? ''",
}
WATCH = """([names, event, read]) => {
  // Times from the next `event` on a part of the answer to the last change of each of `names`.
  const readers = names.map((name) => new Function(`return ${read[name]}`));
  const seen = readers.map((one) => one());
  window.watched?.end();
  const state = window.watched = { start: null, last: names.map(() => null), at: performance.now() };
  const started = (e) => {
    if (e.target.closest('[aria-label="Response"] [data-segment]')) state.start ??= e.timeStamp;
  };
  document.addEventListener(event, started, { capture: true });
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  const observer = new MutationObserver(() => readers.forEach((one, i) => {
    const now = one();
    if (now === seen[i] || !now) return;
    seen[i] = now;
    if (state.start !== null) state.last[i] = performance.now() - state.start;
    state.at = performance.now();
  }));
  observer.observe(document.body, all);
  state.end = () => {
    observer.disconnect();
    document.removeEventListener(event, started, { capture: true });
  };
}"""
QUIET = """() => window.watched.last.every((one) => one !== null)
  && performance.now() - window.watched.at > 800 && window.watched.last"""
FIRST_MAP = """(parts) => {
  // Time from the first part of the answer that can be clicked to the first map.
  const map = '[aria-label="Prompt salience"] [data-score]:not([data-score=""])';
  let start = null;
  window.first = null;
  new MutationObserver((_, me) => {
    if (start === null && document.querySelector(parts)) start = performance.now();
    if (start === null || !document.querySelector(map)) return;
    window.first = performance.now() - start;
    me.disconnect();
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


WATCH_SHIFTS = """window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
"""Counts how far the page moves by itself (cumulative layout shift); run before the page's own scripts."""
SHIFT = "window.shifts"
OPENED = (
    *("", "compare_prompts", "dataset", "metrics", "counterfactuals"),
    *("template", "models", "compare_models", "trust"),
)


@contextmanager
def app() -> Iterator[str]:
    """The app in a process of its own with an empty data folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true"]
        command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.fileWatcherType=none"]
        process = subprocess.Popen(
            [*command, "--browser.gatherUsageStats=false"],
            cwd=ROOT,
            env={**os.environ, **one, "WHENCE_DATA_DIR": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                with suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                    break
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def watch(page: Page, names: list[str], event: str) -> None:
    page.evaluate(WATCH, [names, event, READ])


def result(page: Page) -> list[float]:
    return page.wait_for_function(QUIET, timeout=QUIET_MS).json_value()


def settled(page: Page) -> None:
    """Answer, map and heatmap are there and nothing is under way."""
    page.locator(".stPlotlyChart .main-svg").first.wait_for(timeout=LONG_MS)
    page.wait_for_timeout(1500)


def over_parts(page: Page, rounds: int) -> dict[str, list[float]]:
    """Hover and click, with everything there."""
    found: dict[str, list[float]] = {HOVER: [], CLICK: [], RANKED: [], HEATMAP: []}
    other = page.locator(f'{PARTS}[aria-pressed="false"]').first
    for _ in range(rounds):
        page.mouse.move(5, 5)
        page.wait_for_timeout(300)
        watch(page, ["prompt"], "pointermove")
        other.hover()
        found[HOVER] += result(page)
    for _ in range(rounds):
        page.mouse.move(5, 5)
        page.wait_for_timeout(300)
        # From the first move: the click's own colours and list are those of the hover before it.
        watch(page, ["prompt", "ranked", "heatmap"], "pointermove")
        other.click()
        for name, took in zip((CLICK, RANKED, HEATMAP), result(page)):
            found[name].append(took)
    return found


def after_an_edit(page: Page, prompt: str, rounds: int) -> dict[str, list[float]]:
    """A new prompt each time; a click on the first part as soon as the answer can be clicked."""
    found: dict[str, list[float]] = {FIRST: [], EARLY: []}
    missed = 0
    for turn in range(rounds):
        page.get_by_role("textbox", name="Prompt").fill(
            f"{prompt.rstrip()} ".replace("garlic", LIKINGS[turn])
        )
        page.get_by_role("button", name="Run").click()
        page.get_by_role("button", name="Stop").wait_for(timeout=LONG_MS)
        page.evaluate(FIRST_MAP, PARTS)
        page.locator(PARTS).first.wait_for(timeout=LONG_MS)
        page.wait_for_function("window.first !== null", timeout=LONG_MS)
        if turn:  # the first one loads the model
            found[FIRST].append(page.evaluate("window.first"))
        watch(page, ["prompt"], "pointerdown")
        page.locator(PARTS).first.click()
        early = page.locator(".st-key-map-progress").count() > 0
        try:
            took = page.wait_for_function(
                "() => window.watched.last[0] !== null && window.watched.last[0]", timeout=10_000
            ).json_value()
        except TimeoutError:
            early = False
        if early and turn:
            found[EARLY].append(took)
        missed += not early
        settled(page)
    print(f"{missed} of {rounds} clicks came after the matrix and are not counted.")
    return found


def openings(browser: Browser, url: str) -> None:
    """A line for each page and width: first paint in milliseconds, and the layout's shift."""
    print(f"{'page':20}{'width':>7}{'paint ms':>10}{'shift':>8}")
    for width, height in ((1440, 900), (390, 844)):
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        page.add_init_script(WATCH_SHIFTS)
        for path in OPENED:
            for _ in range(2):
                page.goto(f"{url}/{path}")
                page.locator("[data-testid=stMainBlockContainer] h2").first.wait_for(timeout=LONG_MS)
                page.wait_for_timeout(4000)
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            print(f"{path or 'why':20}{width:7}{paint:10.0f}{page.evaluate(SHIFT):8.3f}")
        context.close()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with app() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        settled(page)
        found = over_parts(page, rounds) | after_an_edit(page, load()[0].prompt, min(rounds, len(LIKINGS)))
        openings(browser, url)
        browser.close()
    print(f"{'':36}{'median ms':>10}{'worst ms':>10}{'goal':>8}{'n':>4}")
    for name, goal in GOALS_MS.items():
        took = found[name]
        if took:
            print(f"{name:36}{statistics.median(took):10.0f}{max(took):10.0f}{goal or '':>8}{len(took):4}")


if __name__ == "__main__":
    main()
