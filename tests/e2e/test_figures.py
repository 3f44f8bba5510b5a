"""The heat map answers clicks in a real browser; the report opens alone, draws, and runs nothing foreign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Dialog, Page, expect

from core.report import to_html
from tests.unit.report.samples import EVIL, shown

APP = "tests/e2e/apps/figures_app.py"
REPORT = "http://127.0.0.1:9/report.html"


def cell(page: Page, row: float, column: float, rows: int, columns: int) -> tuple[float, float]:
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box
    return box["x"] + box["width"] * column / columns, box["y"] + box["height"] * row / rows


def test_a_click_anywhere_in_a_cell_names_its_segments(
    serve: Callable[..., str], any_page: Page, screenshot: Callable[[Page, str], Path]
) -> None:
    any_page.goto(serve(APP))
    expect(any_page.locator(".js-plotly-plot .heatmaplayer image")).to_have_count(1)
    # The corners of cells: response segments 0 and 1, prompt segments 1 to 4 (0 is the template's).
    for row, column, said in ((0.1, 0.1, [[0, 1]]), (1.9, 3.9, [[1, 4]]), (0.9, 2.1, [[0, 3]])):
        any_page.mouse.click(*cell(any_page, row, column, 2, 4))
        expect(any_page.locator("code")).to_have_text(str(said))
    any_page.mouse.move(*cell(any_page, 1.5, 1.5, 2, 4))
    expect(any_page.locator(".hoverlayer text")).to_contain_text(EVIL[:20])
    screenshot(any_page, f"heatmap-{any_page.look}")


def test_the_report_opens_alone_and_runs_nothing_foreign(
    any_page: Page, screenshot: Callable[[Page, str], Path]
) -> None:
    alarms: list[str] = []

    def alarm(dialog: Dialog) -> None:
        alarms.append(dialog.message)
        dialog.dismiss()

    asked: list[str] = []
    faults: list[str] = []
    any_page.on("dialog", alarm)
    any_page.on("request", lambda request: asked.append(request.url))
    any_page.on("pageerror", lambda error: faults.append(str(error)))
    any_page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    any_page.route(REPORT, lambda route: route.fulfill(body=to_html(shown()), content_type="text/html"))
    any_page.goto(REPORT)
    expect(any_page.locator("#map .heatmaplayer image")).to_have_count(1)
    for name in ("Response", "Prompt salience"):
        expect(any_page.get_by_role("region", name=name)).to_contain_text(EVIL)
    screenshot(any_page, f"report-{any_page.look}")
    assert asked == [REPORT]
    assert alarms == []
    assert faults == []
