"""The story that must always work: a wrong answer, its reason, the mend, the principle."""

from __future__ import annotations

from collections.abc import Callable
from difflib import ndiff
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from core.datasets.samples import load

MOST_CLICKS = 6
LONG_MS = 120_000
"""The first Run loads torch and the model; on a busy machine that takes a while."""


def lines_only_in(new: str, old: str) -> list[str]:
    """Lines that `new` has and `old` has not."""
    return [
        line[2:] for line in ndiff(old.splitlines(), new.splitlines()) if line.startswith("+ ") and line[2:]
    ]


SAMPLES = {example.id: example for example in load()}
WRONG, MENDED, RULED = (SAMPLES[f"fewshot-{name}"] for name in ("mistake", "fixed", "constitution"))
GUILTY = lines_only_in(WRONG.prompt, MENDED.prompt)
PRINCIPLE = lines_only_in(RULED.prompt, WRONG.prompt)


def test_the_samples_tell_the_story() -> None:
    assert len(GUILTY) == 1
    assert len(PRINCIPLE) == 1


def scores(page: Page) -> dict[str, float]:
    """Share of each scored line of the prompt by its text."""
    found = page.get_by_role("region", name="Prompt salience").locator('[data-score]:not([data-score=""])')
    pairs = found.evaluate_all("all => all.map(one => [one.textContent, Number(one.dataset.score)])")
    return {text.strip(): score for text, score in pairs}


def strongest(page: Page) -> Locator:
    return page.get_by_role("region", name="Strongest parts").locator("li").first


def explained(page: Page, line: str) -> None:
    """A line of the prompt that was only typed so far has come to have a share: the new answer's map is there."""
    page.wait_for_function(
        """([text]) => [...document.querySelectorAll('[aria-label="Prompt salience"] [data-score]')]
            .some(one => one.textContent.trim() === text && Number(one.dataset.score) > 0)""",
        arg=[line],
        timeout=LONG_MS,
    )


def in_view(page: Page, locator: Locator) -> bool:
    box, size = locator.bounding_box(), page.viewport_size
    assert size is not None
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def recommendation(page: Page) -> Locator:
    return (
        page.get_by_role("region", name="Response")
        .locator("[data-segment]")
        .filter(has_text="Recommendation")
    )


class Clicks:
    """Counts what the person does."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, locator: Locator) -> None:
        locator.click()
        self.count += 1


@pytest.mark.parametrize(("theme", "size"), [("light", "wide"), ("dark", "narrow")])
def test_the_story(
    serve: Callable[..., str],
    open_page: Callable[..., Page],
    screenshot: Callable[[Page, str], Path],
    theme: str,
    size: str,
) -> None:
    page, click = open_page(theme=theme, size=size), Clicks()
    page.goto(serve("streamlit_app.py"))

    # The wrong answer and its reasons are on the screen already.
    wrong = WRONG.target.split("Recommendation:")[1].strip()
    expect(recommendation(page)).to_contain_text(wrong)
    expect(strongest(page)).to_be_visible()
    screenshot(page, f"story-1-{theme}-{size}")

    # A click on the recommendation: the guilty line is first.
    # (It is chosen from the start, and stays so.)
    click(recommendation(page))
    expect(recommendation(page)).to_have_attribute("aria-pressed", "true")
    expect(strongest(page)).to_contain_text(GUILTY[0])
    found = scores(page)
    assert max(found, key=found.__getitem__) == GUILTY[0]
    if size == "wide":
        assert in_view(page, recommendation(page))
        assert in_view(page, strongest(page))
        assert in_view(page, page.get_by_role("region", name="Prompt salience").get_by_text(GUILTY[0]).first)
    screenshot(page, f"story-2-{theme}-{size}")

    # The line is mended, and the answer turns.
    box = page.get_by_role("textbox", name="Prompt")
    box.fill(MENDED.prompt)
    click(page.get_by_role("button", name="Run"))
    right = MENDED.target.split("Recommendation:")[1].strip()
    expect(recommendation(page)).to_contain_text(right, timeout=LONG_MS)
    explained(page, lines_only_in(MENDED.prompt, WRONG.prompt)[0])
    expect(strongest(page)).to_contain_text("Recommendation", timeout=LONG_MS)
    screenshot(page, f"story-3-{theme}-{size}")

    # A principle is added, and the reason moves to it.
    before = scores(page)
    box = page.get_by_role("textbox", name="Prompt")
    box.fill(RULED.prompt)
    click(page.get_by_role("button", name="Run"))
    target = RULED.target.split("Recommendation:")[1].strip()
    expect(recommendation(page)).to_contain_text(target, timeout=LONG_MS)
    explained(page, PRINCIPLE[0])
    after = scores(page)
    assert PRINCIPLE[0] not in before
    order = sorted(after, key=after.__getitem__, reverse=True)
    assert order.index(PRINCIPLE[0]) < 3
    screenshot(page, f"story-4-{theme}-{size}")
    assert click.count <= MOST_CLICKS
