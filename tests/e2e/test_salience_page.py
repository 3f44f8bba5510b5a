"""The Salience page in a real browser: choices that stay, links that restore, bad input that does no harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.datasets.samples import load
from tests.e2e.conftest import settled

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


def go_to(page: Page, name: str, there: Locator) -> None:
    """To another page by its link; Streamlit may drop a click that comes while a box is still being read."""
    link = page.get_by_role("link", name=name)
    link.click()
    for _ in range(3):
        with suppress(AssertionError):
            expect(there).to_be_visible(timeout=5_000)
            return
        link.click()
    expect(there).to_be_visible()


def prompt(page: Page) -> Locator:
    return page.get_by_role("region", name="Prompt salience")


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Prompt")


def chosen_words(page: Page) -> str:
    """The words that are explained, whatever parts they are shown in."""
    return "".join(selected(page).all_text_contents()).strip()


def shares(page: Page) -> dict[str, float]:
    """The share of each coloured piece of text."""
    found = prompt(page).locator('[data-score]:not([data-score=""])')
    pairs = found.evaluate_all("all => all.map(one => [one.textContent, Number(one.dataset.score)])")
    return {text.strip(): score for text, score in pairs}


def test_another_granularity_keeps_the_target_that_nobody_clicked(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    words = chosen_words(page)
    assert words.startswith("Recommendation:") and words.endswith("try it.")
    for granularity in ("Token", "Word", "Sentence", "Line"):
        parts = response(page).locator("[data-segment]")
        before = parts.count()
        choose(page, "Granularity", granularity)
        expect(parts).not_to_have_count(before)  # the new parts are there
        # The link names it; lines are what is shown where it names none.
        said = "" if granularity == "Line" else granularity
        page.wait_for_url(
            lambda url, said=said: parse_qs(urlsplit(url).query).get("granularity", [""]) == [said]
        )
        expect(page.get_by_role("heading", name=f"Why did it write {words}")).to_be_visible()
        assert chosen_words(page) == words


def test_parts_picked_with_ctrl_stay_apart(app: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(app)
    ready(page)
    words = response(page).locator("[data-segment]")
    lines = words.count()
    choose(page, "Granularity", "Word")
    expect(words).not_to_have_count(lines)  # the words are there
    words.nth(1).click()
    words.nth(6).click(modifiers=["ControlOrMeta"])
    expect(selected(page)).to_have_count(2)
    page.wait_for_url(lambda url: "%2C" in url or "," in url.partition("target=")[2])
    expect(page.get_by_role("heading", level=2)).to_contain_text(" … ")
    other = open_page()
    other.goto(page.url)
    ready(other)
    expect(selected(other)).to_have_count(2)


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_what_the_pointer_is_on_stays_there_and_a_second_click_leads_back(
    app: str, open_page: Callable[..., Page], size: str
) -> None:
    page = open_page(size=size)
    page.goto(app)
    ready(page)
    long = response(page).locator("[data-segment]").first
    at = long.bounding_box()
    long.hover()
    expect(page.get_by_role("heading", level=2)).to_contain_text("The guest avoids")
    now = long.bounding_box()
    assert at is not None and now is not None and abs(at["y"] - now["y"]) < 0.5
    words = chosen_words(page)
    long.click()
    page.wait_for_url(lambda url: "target=0-" in url)
    expect(long).to_have_attribute("aria-pressed", "true")
    long.click()  # what is chosen already: back to what was asked about at first
    page.wait_for_url(lambda url: "target=" not in url)
    assert chosen_words(page) == words


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
    page.goto(f"{app}/editor?example=fewshot-fixed")
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
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(prompt)


def test_markup_in_a_prompt_stays_text(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    bad = (
        '<img src=x onerror="window.hit = 1"><script>window.hit = 1</script>\nLikes: <b>cheese</b>\nAnalysis:'
    )
    before = page.url
    page.get_by_role("textbox", name="Prompt").fill(bad)
    page.get_by_role("button", name="Run").click()
    page.wait_for_url(
        lambda url: url != before, timeout=LONG_MS
    )  # the answer is there, not only what was typed
    ready(page)
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


def test_what_is_measured_stands_beside_the_share(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    causes = page.get_by_role("region", name="Strongest parts")
    # The first example ships measured; another part of the answer is measured on asking.
    expect(page.get_by_text("map and measurement agree", exact=True)).to_be_visible()
    without = causes.get_by_role("heading", name="Without line 9 the answer turns")
    expect(without).to_have_count(0)
    causes.get_by_role("button", name=re.compile("^Take out")).first.click()
    expect(without).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("map and measurement agree", exact=True)).to_be_visible()
    expect(causes.locator("del").first).to_contain_text("You have to try")
    expect(causes.get_by_text("times less likely (measured")).to_be_visible()
    expect(causes.locator("li").first).to_contain_text("answer turns")
    version = page.get_by_role("button", name=re.compile(r"^v\d+ of \d+$"))
    told = version.all_inner_texts()
    causes.get_by_role("button", name="Keep as a version").click()
    expect(box(page)).not_to_have_value(re.compile("You have to try it"), timeout=LONG_MS)
    expect(version).to_be_visible()
    assert version.all_inner_texts() != told


def test_colours_move_with_the_text_and_what_is_new_is_marked(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    before = shares(page)
    guilty = max(before, key=before.__getitem__)
    lines = prompt(page).locator(".sv-line")
    count = lines.count()
    expect(prompt(page).locator(".sv-changed")).to_have_count(0)
    box(page).press("ControlOrMeta+Home")
    page.keyboard.type("A new line\n")
    expect(lines).to_have_count(count + 1)
    expect(prompt(page).locator(".sv-changed")).to_have_count(1)
    expect(prompt(page)).to_contain_text("edited, not run yet")
    assert shares(page)[guilty] == before[guilty]
    # An undone change is none, and a refresh loses no draft.
    for _ in range(11):
        page.keyboard.press("ControlOrMeta+z")
    expect(lines).to_have_count(count)
    expect(prompt(page).locator(".sv-changed")).to_have_count(0)
    page.keyboard.type("Kept ")
    expect(prompt(page).locator(".sv-changed")).to_have_count(1)
    page.reload()
    ready(page)
    expect(box(page)).to_have_value(re.compile("^Kept "))


def test_what_cannot_be_seen_is_marked_and_counted(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    box(page).fill("Say\u200b hi\u202e to 👩\u200d🌾\u00ad.")
    expect(prompt(page)).to_contain_text("3 hidden characters")
    expect(prompt(page).locator(".sv-hidden")).to_have_count(3)
    page.get_by_role("button", name="Remove them").click()
    expect(box(page)).to_have_value("Say hi to 👩\u200d🌾.")
    expect(prompt(page).locator(".sv-hidden")).to_have_count(0)


def test_each_line_has_its_own_direction(app: str, page: Page) -> None:
    page.goto(app)
    ready(page)
    box(page).fill("Translate:\nשלום עולם\nEnd")
    lines = prompt(page).locator(".sv-words")
    expect(lines).to_have_count(3)
    assert lines.evaluate_all("all => all.map(one => getComputedStyle(one).direction)") == [
        "ltr",
        "rtl",
        "ltr",
    ]
    assert box(page).get_attribute("dir") == "auto"


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
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_enabled(timeout=LONG_MS)
    run.click()
    expect(prompt(page)).to_contain_text("<start_of_turn>user", timeout=LONG_MS)
    expect(response(page)).to_have_attribute(
        "aria-busy", "false", timeout=LONG_MS
    )  # the whole answer is there
    ready(page)
    said = response(page).locator(".sv-text").inner_text()
    page.get_by_role("button", name="Add a turn").click()
    expect(box(page)).to_have_value("")
    expect(page.get_by_role("textbox", name="User 1")).to_have_value(WRONG.prompt)
    answered = page.get_by_role("textbox", name="Assistant 1")
    expect(answered).not_to_have_value("")
    assert answered.input_value().split() == said.split()
    page.get_by_role("button", name="Add a system message").click()
    page.get_by_role("textbox", name="System message").fill("Recommend no dish with eggs.")
    # Nothing typed is lost on the way to another page and back, nor before it is run.
    box(page).fill("Likes: cheese\nAvoids: eggs\nDish: Soup with eggs and beans\nAnalysis:")
    expect(page.get_by_text("edited, not run yet")).to_be_visible()
    go_to(page, "What changed?", page.get_by_role("heading", name="What changed?"))
    go_to(page, "Why this answer?", box(page))
    expect(page.get_by_role("textbox", name="System message")).to_have_value("Recommend no dish with eggs.")
    expect(box(page)).to_have_value(re.compile("Soup with eggs"))
    before = page.url
    run.click()
    page.wait_for_url(lambda url: url != before, timeout=LONG_MS)  # the answer is there
    expect(prompt(page)).to_contain_text("Soup with eggs")
    expect(prompt(page)).to_contain_text("<start_of_turn>model")
    grey = prompt(page).locator(".sv-template").filter(has_text="<start_of_turn>")
    assert grey.first.get_attribute("data-score") == ""
    expect(page.get_by_role("button", name="Take out").first).to_be_visible(timeout=LONG_MS)
    screenshot(page, f"chat-{theme}-{size}")
    # The link restores the chat in another session.
    other = open_page(theme, size)
    other.goto(page.url)
    ready(other)
    expect(other.get_by_role("textbox", name="User 1")).to_have_value(WRONG.prompt)
    expect(other.get_by_role("textbox", name="System message")).to_have_value("Recommend no dish with eggs.")


def test_the_tour_comes_once_and_never_stands_in_the_way(app: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(LONG_MS)
        page.goto(app)
        ready(page)
        tour = page.get_by_role("dialog", name="A short tour")
        expect(tour).to_contain_text("1 / 4")
        tour.get_by_role("button", name="Next").click()
        expect(tour).to_contain_text("2 / 4")
        page.keyboard.press("ArrowLeft")
        expect(tour).to_contain_text("1 / 4")
        page.keyboard.press("Escape")
        expect(tour).to_have_count(0)
        page.reload()
        ready(page)
        settled(page)  # so that a tour that came late would be there
        expect(tour).to_have_count(0)
    finally:
        context.close()


def test_where_streamlit_looks_no_more_by_itself_the_page_asks(
    open_page: Callable[..., Page], app: str
) -> None:
    """Its timers of less than a second never go off here, as on a busy machine after it lost them."""
    page = open_page()
    page.add_init_script(
        "const set = setInterval; window.setInterval = (f, ms) => (ms < 1000 ? 0 : set(f, ms));"
    )
    page.goto(app)
    ready(page)
    box = page.get_by_role("textbox", name="Prompt")
    box.fill("Avoids: eggs\nDish: a dish that nobody asked for yet\nAnalysis:")
    page.locator(".sv-run").click()
    lines = page.locator('.sv-editor [data-score]:not([data-score=""])').filter(has_text="nobody asked for")
    expect(lines.first).to_be_attached(timeout=LONG_MS)
