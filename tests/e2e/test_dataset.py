"""The Dataset page in a real browser: find, select, load, run, explain; two visitors at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

LONG_MS = 120_000
"""The first run loads torch and the model; on a busy machine that takes a while."""
ROW_HEIGHT = 35


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    prompts = ["Is the soup <b>hot</b>?", "Is the bread fresh?", "Name a dish."]
    file.write_text("".join(f'{{"prompt": "{p}", "source": "s{i}"}}\n' for i, p in enumerate(prompts)))
    return file


def open_dataset(page: Page, address: str, query: str = "") -> None:
    page.goto(f"{address}/dataset?{query}")
    expect(counted(page)).to_be_visible(timeout=LONG_MS)


def counted(page: Page) -> Locator:
    return page.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ rows shown"))


def grid(page: Page) -> Locator:
    return page.locator(".st-key-dataset-grid [data-testid=stDataFrame]")


def select(page: Page, row: int) -> None:
    """Ticks a row: the grid is a canvas, so the place decides."""
    grid(page).click(position={"x": 16, "y": ROW_HEIGHT * (row + 1) + ROW_HEIGHT // 2})


def upload(page: Page, name: str, text: str) -> None:
    page.get_by_role("button", name="Load", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
    )
    menu = page.locator("[data-testid=stPopoverBody]")
    expect(menu.get_by_text(name)).to_be_visible()
    menu.get_by_role("button", name="Load", exact=True).first.click()
    page.get_by_role("button", name="Add 1 row", exact=True).click()
    expect(page.get_by_text(re.compile(r"^1 example loaded"))).to_be_visible()


def test_from_a_search_to_the_reason_of_an_answer(
    serve: Callable[..., str], page: Page, rows: Path, screenshot: Callable[[Page, str], Path]
) -> None:
    address = serve("streamlit_app.py", DATASETS=f"rows:{rows}")
    open_dataset(page, address)
    expect(
        page.get_by_role("link", name="Why this answer?")
    ).to_be_visible()  # the whole frame, on a deep link
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="rows (3 rows)").click()
    expect(counted(page)).to_have_text("3 of 3 rows shown, 0 selected")
    page.get_by_role("textbox", name="Search").fill("source:s0 OR bread")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(counted(page)).to_have_text("2 of 3 rows shown, 0 selected")
    select(page, 0)
    expect(counted(page)).to_have_text("2 of 3 rows shown, 1 selected")
    texts = page.get_by_test_id("stCode")
    expect(texts.get_by_text("Is the soup <b>hot</b>?")).to_be_visible()  # as text, not as markup
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Remove star")).to_be_visible()
    page.get_by_role("button", name="Run demo on 1 row").click()
    expect(page.get_by_text(re.compile(r"^1 done, in"))).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_test_id("stCaptionContainer").get_by_text("response (demo)")).to_be_visible()
    screenshot(page, "dataset-wide")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("Is the soup <b>hot</b>?")
    expect(page.get_by_role("region", name="Response")).to_be_visible()


def test_answers_to_chats_stand_beside_those_to_plain_text(
    serve: Callable[..., str], page: Page, rows: Path
) -> None:
    open_dataset(page, serve("streamlit_app.py", DATASETS=f"rows:{rows}"))
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="rows (3 rows)").click()
    expect(counted(page)).to_have_text("3 of 3 rows shown, 0 selected")
    select(page, 2)
    expect(counted(page)).to_have_text("3 of 3 rows shown, 1 selected")
    page.get_by_role("radio", name="chat", exact=True).click()
    page.get_by_role("button", name="Run demo on 1 row").click()
    expect(page.get_by_text(re.compile(r"^1 done, in"))).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_test_id("stCaptionContainer").get_by_text("response (demo, chat)")).to_be_visible()


@pytest.mark.parametrize(("theme", "size"), [("dark", "wide"), ("light", "narrow")])
def test_how_it_looks(
    serve: Callable[..., str],
    open_page: Callable[..., Page],
    rows: Path,
    screenshot: Callable[[Page, str], Path],
    theme: str,
    size: str,
) -> None:
    page = open_page(theme, size)
    open_dataset(page, serve("streamlit_app.py", DATASETS=f"rows:{rows}"))
    expect(grid(page)).to_be_visible()
    screenshot(page, f"dataset-{theme}-{size}")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0  # nothing makes the page scroll sideways


def test_a_browser_finds_its_workspace_again_and_a_shared_link_leads_others_there(
    serve: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    address = serve("streamlit_app.py", WHENCE_MODE="hosted")
    mine, yours, stranger = open_page("light"), open_page("dark"), open_page("light", "narrow")
    open_dataset(mine, address)
    upload(mine, "mine.txt", "from me\n")
    mine.get_by_role("button", name="Workspace").click()
    mine.get_by_role("combobox", name="Whoever has the link may").click()
    mine.get_by_role("option", name="change things").click()
    mine.get_by_role("button", name="Make a link").click()
    shown = mine.get_by_test_id("stCode").filter(has_text="share=")
    expect(shown).to_be_visible()
    (link,) = re.findall(r"share=[\w.-]+", shown.inner_text())
    open_dataset(yours, address, link)
    expect(yours.get_by_text("Somebody shared this workspace with you")).to_be_visible()
    upload(yours, "yours.txt", "from you\n")
    open_dataset(mine, address)  # the bare address
    mine.get_by_role("combobox", name="Dataset").click()
    for name in ("mine (1 row)", "yours (1 row)"):
        expect(mine.get_by_role("option", name=name)).to_be_visible()
    open_dataset(stranger, address)
    stranger.get_by_role("combobox", name="Dataset").click()
    expect(stranger.get_by_role("option", name="Sample prompts")).to_be_visible()
    expect(stranger.get_by_role("option", name=re.compile("mine|yours"))).to_have_count(0)
