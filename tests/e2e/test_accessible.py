"""axe-core over every page, as it opens and filled, light and dark: nothing serious, nothing critical.

axe-core is a development package (package-lock.json), read into the page by the test; the app does not ship it.
What Streamlit itself draws against the rules is listed in `FRAMEWORK`, each with the element it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, settled

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.timeout(900)
PAGES = (
    "",
    "editor",
    "compare_prompts",
    "dataset",
    "metrics",
    "counterfactuals",
    "template",
    "models",
    "compare_models",
    "trust",
)
FRAMEWORK = {
    # The navigation is a <ul> whose groups are <div>s.
    "list": "[data-testid=stSidebarNavItems]",
    "listitem": "[data-testid=stSidebarNavItems] *",
}
"""Rule of axe-core, and the elements (CSS) for which Streamlit 1.67 breaks it."""
Open = Callable[..., Page]


@cache
def script() -> str:
    if not AXE.exists():
        pytest.fail("axe-core is not there: `make test` fetches what package-lock.json names.")
    return AXE.read_text(encoding="utf-8")


def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical on the page as it stands, Streamlit's own left out."""
    page.evaluate(script())
    found: list[dict[str, Any]] = page.evaluate(
        """(framework) => axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
          violations
            .filter(({ impact }) => impact === "serious" || impact === "critical")
            .flatMap(({ id, nodes }) => nodes
              .filter(({ target }) => {
                const element = document.querySelector(target.at(-1));
                return !(framework[id] && element?.matches(framework[id]));
              })
              .map(({ html, any, all, none }) => ({
                id, html: html.slice(0, 200), why: [...any, ...all, ...none].map((check) => check.message) }))))""",
        FRAMEWORK,
    )
    return [f"{one['id']}: {one['html']}: {'; '.join(one['why'])}" for one in found]


def both_themes(page: Page) -> str:
    """Faults in the light and in the dark theme, a line each; empty where there are none."""
    found = []
    for theme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 20, 28)")):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        expect(page.locator(".stApp")).to_have_css("background-color", background)
        settled(page)
        found += [f"{theme}: {fault}" for fault in faults(page)]
    return "\n".join(found)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_as_it_opens(serve: Callable[..., str], page: Page, path: str) -> None:
    page.goto(f"{serve('streamlit_app.py')}/{path}")
    assert both_themes(page) == ""


def test_the_check_can_fail(serve: Callable[..., str], page: Page) -> None:
    page.goto(f"{serve('streamlit_app.py')}/models")
    settled(page)
    page.evaluate(
        """document.querySelector("[data-testid=stMainBlockContainer] h2").insertAdjacentHTML("afterend",
            '<p style="color:#999;background:#fff">pale</p><button></button>')"""
    )
    said = faults(page)
    assert any(one.startswith("color-contrast") for one in said)
    assert any(one.startswith("button-name") for one in said)
