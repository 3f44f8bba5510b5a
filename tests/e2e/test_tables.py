"""Metrics, Counterfactuals and Template in the browser, with the demo model: from a click to the figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

LONG_MS = 240_000
"""Several answers of the demo model on a busy machine."""
pytestmark = pytest.mark.timeout(900)
LOOKS = pytest.mark.parametrize(("theme", "size"), [("light", "wide"), ("dark", "narrow")])
Open = Callable[..., Page]


def own(serve: Callable[..., str]) -> str:
    """A server for this file alone: other files leave versions of the samples behind."""
    return serve("streamlit_app.py", WHENCE_E2E_FILE="tables")


Shot = Callable[[Page, str], Path]


@LOOKS
def test_metrics_from_rows_without_answers_to_the_examples_behind_a_bar(
    serve: Callable[..., str], open_page: Open, screenshot: Shot, theme: str, size: str
) -> None:
    page = open_page(theme=theme, size=size)
    page.goto(f"{own(serve)}/metrics")
    search = page.get_by_role("textbox", name="Search")
    search.wait_for(timeout=LONG_MS)
    search.fill("source:fewshot")
    search.press("Enter")
    answered = page.get_by_text("metrics of the text: N = 3")
    found = page.get_by_text("of 3 rows.").or_(answered).first
    found.wait_for(timeout=LONG_MS)
    if not answered.count():
        page.get_by_role("button", name="Run the model on").click()
    expect(page.get_by_text("metrics of the text: N = 3")).to_be_visible(timeout=LONG_MS)
    table = page.get_by_role("region", name="Every metric")
    expect(table.get_by_text("Token F1", exact=True)).to_be_visible()
    table.get_by_role("button", name="Token F1").click()
    expect(page.get_by_text("Behind it: Token F1 of all chosen rows, 3 rows")).to_be_visible()
    screenshot(page, f"metrics-{theme}-{size}")


@LOOKS
def test_counterfactuals_from_a_part_left_out_to_the_ranked_effects(
    serve: Callable[..., str], open_page: Open, screenshot: Shot, theme: str, size: str
) -> None:
    page = open_page(theme=theme, size=size)
    page.goto(f"{own(serve)}/counterfactuals?example=fewshot-mistake")
    menu = page.get_by_role("combobox", name="What to change")
    menu.wait_for(timeout=LONG_MS)
    menu.click()
    page.get_by_role("option", name="Few-shot surgery").click()
    expect(page.get_by_text("Drops, doubles or reorders")).to_be_visible()
    page.get_by_role("combobox", name="What to do").click()
    page.get_by_role("option", name="Exchange the answers of two").click()
    page.get_by_role("button", name="Make changes").click()
    expect(page.get_by_text("Few-shot surgery: 1 of 1 kept")).to_be_visible()
    expect(page.locator("ins").first).to_be_visible()
    page.get_by_role("button", name="Run 1 and rank").click()
    expect(page.get_by_text("of 1 changes made the model answer something else")).to_be_visible(
        timeout=LONG_MS
    )
    expect(page.get_by_role("region", name="What each change did")).to_contain_text("likely")
    screenshot(page, f"counterfactuals-{theme}-{size}")


def test_a_bad_rule_is_one_sentence_and_nothing_is_lost(serve: Callable[..., str], open_page: Open) -> None:
    page = open_page()
    page.goto(f"{own(serve)}/counterfactuals")
    menu = page.get_by_role("combobox", name="What to change")
    menu.wait_for(timeout=LONG_MS)
    menu.click()
    page.get_by_role("option", name="Replace words").click()
    rules = page.get_by_role("textbox", name="Rules")
    rules.fill("great <b>terrible</b>")
    rules.blur()
    page.get_by_role("button", name="Make changes").click()
    expect(page.get_by_text("Rule 1, “great <b>terrible</b>”, has no arrow.")).to_be_visible()
    expect(rules).to_have_value("great <b>terrible</b>")


def test_a_template_that_no_row_fits_is_one_sentence(serve: Callable[..., str], open_page: Open) -> None:
    page = open_page()
    page.goto(f"{own(serve)}/template")
    box = page.get_by_role("textbox", name="Template")
    box.wait_for(timeout=LONG_MS)
    box.fill("Nobody wrote {this}")
    box.blur()
    expect(page.get_by_text("chosen rows fits the template")).to_be_visible()
