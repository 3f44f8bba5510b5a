"""The heat map answers clicks in a real browser; the report opens alone, draws, and runs nothing foreign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from core.report import to_html
from tests.unit.report.samples import EVIL, shown

APP = "tests/e2e/apps/figures_app.py"
DRAWN = 60_000
"""Milliseconds for plotly.js to be read and to draw: 5 MB of script on a busy machine."""
REPORT = "http://127.0.0.1:9/report.html"

LOOKS = pytest.mark.parametrize(("theme", "size"), [("light", "wide"), ("dark", "narrow")])


def cell(page: Page, row: float, column: float, rows: int, columns: int) -> tuple[float, float]:
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box
    return box["x"] + box["width"] * column / columns, box["y"] + box["height"] * row / rows


@LOOKS
def test_a_click_anywhere_in_a_cell_names_its_segments(
    serve: Callable[..., str],
    open_page: Callable[..., Page],
    screenshot: Callable[[Page, str], Path],
    theme: str,
    size: str,
) -> None:
    page = open_page(theme, size)
    # The corners of cells: response segments 0 and 1, prompt segments 1 to 4 (0 is the template's). Each on a
    # page of its own: two clicks within a third of a second are a double click, which clears the selection.
    for row, column, said in ((0.1, 0.1, [[0, 1]]), (1.9, 3.9, [[1, 4]]), (0.9, 2.1, [[0, 3]])):
        page.goto(serve(APP))
        expect(page.locator(".js-plotly-plot .heatmaplayer image")).to_have_count(1, timeout=DRAWN)
        page.mouse.click(*cell(page, row, column, 2, 4))
        expect(page.locator("code")).to_have_text(str(said))
    page.mouse.move(*cell(page, 1.5, 1.5, 2, 4))
    expect(page.locator(".hoverlayer text")).to_contain_text(EVIL[:20])
    screenshot(page, f"heatmap-{theme}-{size}")


@LOOKS
def test_the_report_opens_alone_and_runs_nothing_foreign(
    open_page: Callable[..., Page], screenshot: Callable[[Page, str], Path], theme: str, size: str
) -> None:
    page = open_page(theme, size)
    alarms: list[str] = []

    def alarm(dialog: Dialog) -> None:
        alarms.append(dialog.message)
        dialog.dismiss()

    asked: list[str] = []
    faults: list[str] = []
    page.on("dialog", alarm)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.route(REPORT, lambda route: route.fulfill(body=to_html(shown()), content_type="text/html"))
    page.goto(REPORT, timeout=DRAWN)
    expect(page.locator("#map .heatmaplayer image")).to_have_count(1, timeout=DRAWN)
    for name in ("Response", "Prompt salience"):
        expect(page.get_by_role("region", name=name)).to_contain_text(EVIL)
    screenshot(page, f"report-{theme}-{size}")
    assert asked == [REPORT]
    assert alarms == []
    assert faults == []
