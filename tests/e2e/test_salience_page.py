"""The Salience page in a real browser: choices that stay, links that restore, bad input that does no harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect

from core.datasets.samples import load

WRONG = load()[0]
LONG_MS = 120_000


@pytest.fixture
def app(serve: Callable[..., str]) -> str:
    return serve("streamlit_app.py")


def response(page: Page) -> Locator:
    return page.get_by_role("region", name="Response")


def selected(page: Page) -> Locator:
    return response(page).locator('[data-segment][aria-pressed="true"]')


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def ready(page: Page) -> None:
    """The first example's answer and map are there."""
    expect(page.get_by_role("region", name="Strongest parts").locator("li").first).to_be_visible(
        timeout=LONG_MS
    )


def go_to(page: Page, name: str) -> None:
    """To another page by its link; Streamlit may drop a click that comes while a box is still being read."""
    link, heading = page.get_by_role("link", name=name), page.get_by_role("heading", name=name, exact=True)
    link.click()
    for _ in range(3):
        with suppress(AssertionError):
            expect(heading).to_be_visible(timeout=5_000)
            return
        link.click()
    expect(heading).to_be_visible()


def test_another_granularity_keeps_the_target(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    expect(selected(page)).to_contain_text("Recommendation:")
    choose(page, "Granularity", "Sentence")
    expect(selected(page)).to_have_count(1)
    expect(selected(page)).to_contain_text("Recommendation:")
    choose(page, "Granularity", "Word")
    expect(selected(page).first).to_contain_text("Recommendation:")
    assert "granularity=" in page.url


def test_a_link_restores_the_view_in_another_session(app: str, open_page: Callable[..., Page]) -> None:
    first = open_page()
    first.goto(app)
    ready(first)
    parts = response(first).locator("[data-segment]")
    lines = parts.count()
    choose(first, "Granularity", "Sentence")
    expect(parts).not_to_have_count(lines)  # the sentences are there
    opening = parts.first
    opening.click()
    first.wait_for_url(lambda url: "target=" in url)
    expect(opening).to_have_attribute("aria-pressed", "true")
    expect(selected(first)).to_have_count(1)
    words = selected(first).inner_text()
    other = open_page()
    other.goto(first.url)
    ready(other)
    expect(selected(other)).to_have_count(1)
    assert selected(other).inner_text() == words


def test_a_page_reached_by_its_own_address_has_the_whole_frame(app: str, page: Page) -> None:
    page.goto(f"{app}/editor")
    expect(page.get_by_role("link", name="Why this answer?")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("combobox", name="Model")).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("   ", "The prompt is empty."),
        ("word " * 6000, "tokens"),
    ],
    ids=["empty", "too long"],
)
def test_bad_prompts_are_told_and_kept(app: str, page: Page, prompt: str, sentence: str) -> None:
    page.goto(app)
    ready(page)
    page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible(timeout=LONG_MS)
    assert page.get_by_role("textbox", name="Prompt").input_value() == prompt


def test_markup_in_a_prompt_stays_text(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    bad = (
        '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>\nLikes: <b>cheese</b>\nAnalysis:'
    )
    page.get_by_role("textbox", name="Prompt").fill(bad)
    page.get_by_role("button", name="Run").click()
    prompt = page.get_by_role("region", name="Prompt salience")
    expect(prompt).to_contain_text("<script>window.hit = 1</script>", timeout=LONG_MS)
    expect(prompt).to_contain_text("<b>cheese</b>")
    assert page.evaluate("window.hit") is None


def test_a_broken_expression_is_told_and_the_map_stays(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    choose(page, "Granularity", "Custom")
    box = page.get_by_role("textbox", name="Part ends where this matches")
    box.fill("(")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible(timeout=LONG_MS)
    expect(
        page.get_by_role("region", name="Prompt salience").locator("[data-segment]").first
    ).to_be_attached()


def test_removing_the_guilty_line_shows_what_happens(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    page.get_by_role("button", name="Remove it and see").first.click()
    expect(page.get_by_text("Share of the influence")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("The explained text became", exact=True)).to_be_visible()


@pytest.mark.parametrize(("theme", "size"), [("light", "wide"), ("dark", "narrow")])
def test_a_chat_of_several_turns(
    app: str,
    open_page: Callable[..., Page],
    screenshot: Callable[[Page, str], object],
    theme: str,
    size: str,
) -> None:
    page = open_page(theme, size)
    page.goto(f"{app}?send=chat")
    run = page.get_by_role("button", name="Run")
    prompt = page.get_by_role("region", name="Prompt salience")
    expect(run).to_be_enabled(timeout=LONG_MS)
    run.click()
    expect(prompt).to_contain_text("<start_of_turn>user", timeout=LONG_MS)
    said = response(page).locator(".sv-text").inner_text()
    page.get_by_role("button", name="Add a turn").click()
    box = page.get_by_role("textbox", name="Prompt")
    expect(box).to_have_value("")
    expect(page.get_by_role("textbox", name="User 1")).to_have_value(WRONG.prompt)
    assert "".join(page.get_by_role("textbox", name="Assistant 1").input_value().split()) == "".join(
        said.split()
    )
    page.get_by_role("button", name="Add a system message").click()
    page.get_by_role("textbox", name="System message").fill("Recommend no dish with eggs.")
    # Nothing typed is lost on the way to another page and back, nor before it is run.
    box.fill("Likes: cheese\nAvoids: eggs\nDish: Soup with eggs and beans\nAnalysis:")
    expect(page.get_by_text("Edited, not run yet")).to_be_visible()
    go_to(page, "Which version wins?")
    go_to(page, "Why this answer?")
    expect(page.get_by_role("textbox", name="System message")).to_have_value("Recommend no dish with eggs.")
    expect(box).to_have_value(re.compile("Soup with eggs"))
    run.click()
    expect(prompt).to_contain_text("Soup with eggs", timeout=LONG_MS)
    expect(prompt).to_contain_text("<start_of_turn>model")
    grey = prompt.locator(".sv-template").filter(has_text="<start_of_turn>")
    assert grey.first.get_attribute("data-score") == ""
    expect(page.get_by_role("button", name="Remove it and see").first).to_be_visible(timeout=LONG_MS)
    screenshot(page, f"chat-{theme}-{size}")
    # The link restores the chat in another session.
    other = open_page(theme, size)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_role("textbox", name="User 1")).to_have_value(WRONG.prompt)
    expect(other.get_by_role("textbox", name="System message")).to_have_value("Recommend no dish with eggs.")
