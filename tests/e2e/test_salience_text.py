"""The token view in a real browser, on made-up scores: what a person sees, chooses and is told."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from core import aggregate
from core.figures import palette
from core.figures.captions import NOT_TRUTH, NOTHING_DECISIVE
from core.records import Role, Segment
from core.ui.salience_text import chosen_weights
from tests.e2e.apps import synthetic

APP = "tests/e2e/apps/salience_text_app.py"
RECOLOUR_MS = 50
SOON_MS = 60_000
LAST = len(synthetic.pieces(synthetic.ANSWER, "word")) - 1
Visit = Callable[..., Page]


@pytest.fixture
def visit(serve: Callable[..., str], page: Page) -> Visit:
    def go(query: str = "", on: Page | None = None) -> Page:
        shown = on or page
        shown.goto(f"{serve(APP)}/?{query}")
        expect(response(shown)).to_be_visible()
        return shown

    return go


def response(page: Page) -> Locator:
    return page.get_by_role("region", name="Response", exact=True)


def prompt(page: Page) -> Locator:
    return page.get_by_role("region", name="Prompt salience", exact=True)


def choice(page: Page, index: int) -> Locator:
    return response(page).locator(f'[data-segment="{index}"]')


def part(page: Page, index: int) -> Locator:
    return prompt(page).locator(f'[data-segment="{index}"]')


def bars(page: Page) -> Locator:
    return page.get_by_role("region", name="Strongest parts").locator("[data-part]")


def python_heard(page: Page, indices: list[int], heard: int) -> None:
    """What the page's own echo says, once Python has answered."""
    said = json.dumps({"indices": indices, "heard": heard})
    expect(page.locator("code")).to_have_text(said)


def scores(page: Page) -> list[float | None]:
    raw = prompt(page).locator("[data-segment]").evaluate_all("all => all.map(e => e.dataset.score)")
    return [float(r) if r else None for r in raw]


def made(unit: str, signed: bool = False) -> tuple[tuple[Segment, ...], tuple[Segment, ...], Any]:
    """The app's own segments and matrix."""
    cols = synthetic.segments(synthetic.PROMPT, unit, Role.PROMPT)
    rows = synthetic.segments(synthetic.ANSWER, unit, Role.RESPONSE, cols[-1].chars[1], cols[-1].tokens[1])
    culprit = next(i for i, s in enumerate(cols) if s.text.startswith("Verdict"))
    return cols, rows, synthetic.matrix(cols, rows, norm=not signed, culprit=culprit)


def wanted(unit: str, indices: tuple[int, ...], signed: bool = False) -> np.ndarray:
    cols, rows, matrix = made(unit, signed)
    tokens = aggregate.select(matrix, chosen_weights(matrix, rows, indices))
    return aggregate.shares(aggregate.column_scores(tokens, cols), aggregate.countable(cols))


def expect_scores(page: Page, want: np.ndarray) -> None:
    """Every part of the prompt comes to have the score that is wanted."""
    with suppress(TimeoutError):  # the comparison below then says what differs
        page.wait_for_function(
            """(want) => {
              const found = [...document.querySelectorAll('[aria-label="Prompt salience"] [data-segment]')];
              return found.length === want.length && found.every(({ dataset }, at) =>
                dataset.score !== "" && Math.abs(Number(dataset.score) - want[at]) <= 2e-6);
            }""",
            arg=want.tolist(),
            timeout=SOON_MS,
        )
    np.testing.assert_allclose(np.array(scores(page), float), want, atol=2e-6)


def expect_pressed(page: Page, indices: list[int]) -> None:
    """Exactly these parts of the answer come to be chosen."""
    for index in indices:
        expect(choice(page, index)).to_have_attribute("aria-pressed", "true")
    expect(response(page).locator('[aria-pressed="true"]')).to_have_count(len(indices))


def expect_text(region: Locator, text: str) -> None:
    """The segments of a region come to be `text`, all of it."""
    expect(region.locator("[data-segment]").last).to_be_attached()
    assert "".join(region.locator("[data-segment]").all_text_contents()) == text


def scored(page: Page) -> None:
    """The scores have come: none is left open."""
    expect(prompt(page).locator("[data-segment]").first).to_be_attached()
    expect(prompt(page).locator('[data-segment][data-score=""]')).to_have_count(0)


def test_first_look(any_page: Page, visit: Visit, screenshot: Callable[..., Any]) -> None:
    page = visit("", any_page)
    want = wanted("line", (2,))
    expect_scores(page, want)
    culprit = int(want.argmax())
    expect_text(prompt(page), synthetic.PROMPT)
    expect_text(response(page), synthetic.ANSWER)
    expect_pressed(page, [2])
    expect(choice(page, 2)).to_be_in_viewport()
    expect(bars(page).first).to_be_in_viewport()
    expect(bars(page).first).to_contain_text("Verdict: Order this one.")
    expect(prompt(page)).to_contain_text(NOT_TRUTH)
    if any_page.look.endswith("wide"):
        expect(part(page, culprit)).to_be_in_viewport(ratio=1)
    theme = any_page.look.split("-")[0]
    ink = part(page, culprit).locator(".sv-ink")
    darkest = "rgb({}, {}, {})".format(*bytes.fromhex(palette.SUPPORTS[theme][1:]))
    expect(ink).to_have_css("background-color", darkest)
    expect(ink).to_have_css("text-decoration-line", "underline")
    screenshot(page, f"salience-text-{any_page.look}")


def test_hover_recolours_at_once_and_says_nothing_to_python(visit: Visit, page: Page) -> None:
    sent: list[Any] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visit("unit=word")
    expect_scores(page, wanted("word", (LAST,)))
    page.evaluate(
        """() => {
          window.times = [];
          const region = document.querySelector('[aria-label="Prompt salience"]');
          let start = 0;
          document.addEventListener('pointerover', (event) => {
            if (event.target.closest('[aria-label="Response"] [data-segment]')) start = performance.now();
          }, true);
          new MutationObserver(() => { if (start) window.times.push(performance.now() - start); start = 0; })
            .observe(region, { subtree: true, attributes: true, attributeFilter: ['data-score'] });
        }"""
    )
    sent.clear()
    for index in (3, 5, 2, 8, 11, 1):
        choice(page, index).hover()
        expect_scores(page, wanted("word", (index,)))
    page.mouse.move(5, 5)
    expect_scores(page, wanted("word", (LAST,)))
    times = page.evaluate("window.times")
    assert len(times) >= 6 and statistics.median(times) <= RECOLOUR_MS, times
    assert not sent


def test_the_same_part_can_be_hovered_again(visit: Visit, page: Page) -> None:
    visit("unit=word")
    for _ in range(2):
        choice(page, 3).hover()
        expect_scores(page, wanted("word", (3,)))
        page.mouse.move(5, 5)
        expect_scores(page, wanted("word", (LAST,)))


def test_click_shift_and_control_choose_exactly_and_python_learns(visit: Visit, page: Page) -> None:
    visit("unit=word")
    choice(page, 4).click()
    expect_scores(page, wanted("word", (4,)))
    python_heard(page, [4], 1)
    choice(page, 7).click(modifiers=["Shift"])
    expect_scores(page, wanted("word", (4, 5, 6, 7)))
    python_heard(page, [4, 5, 6, 7], 2)
    choice(page, 5).click(modifiers=["Control"])
    expect_scores(page, wanted("word", (4, 6, 7)))
    python_heard(page, [4, 6, 7], 3)
    expect_pressed(page, [4, 6, 7])


def test_drag_chooses_a_stretch(visit: Visit, page: Page) -> None:
    visit("unit=word")
    expect_scores(page, wanted("word", (LAST,)))
    choice(page, 5).hover()
    page.mouse.down()
    choice(page, 4).hover()
    choice(page, 3).hover()
    expect_pressed(page, [3, 4, 5])
    page.mouse.up()
    expect_scores(page, wanted("word", (3, 4, 5)))
    python_heard(page, [3, 4, 5], 1)


def test_signed_rows_add_and_show_both_directions(visit: Visit, page: Page) -> None:
    visit("unit=word&signed")
    choice(page, 2).click()
    choice(page, 6).click(modifiers=["Shift"])
    want = wanted("word", (2, 3, 4, 5, 6), signed=True)
    expect_scores(page, want)
    against = part(page, int(want.argmin()))
    dash = "e => getComputedStyle(e.querySelector('.sv-ink') || e).textDecorationStyle"
    assert against.evaluate(dash) == "dashed"
    expect(prompt(page)).to_contain_text("Purple made the selected answer more likely, orange less likely.")


def test_keyboard_alone_is_enough(visit: Visit, page: Page) -> None:
    visit("unit=word")
    choice(page, LAST).focus()
    page.keyboard.press("Home")
    expect_scores(page, wanted("word", (0,)))
    expect_pressed(page, [LAST])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    python_heard(page, [1], 1)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect_scores(page, wanted("word", (1, 2, 3)))
    python_heard(page, [1, 2, 3], 2)
    page.keyboard.press("End")
    expect_scores(page, wanted("word", (LAST,)))
    page.keyboard.press("Escape")
    expect_scores(page, wanted("word", (1, 2, 3)))
    expect(choice(page, 1)).to_be_focused()
    tabbable = response(page).locator('[tabindex="0"]')
    expect(tabbable).to_have_count(1)


def test_scores_that_come_late_recolour_the_same_text(visit: Visit, page: Page) -> None:
    visit("late&long=6")
    expect(prompt(page)).to_contain_text("Computing …")
    assert set(scores(page)) == {None}
    choice(page, 0).click()
    python_heard(page, [0], 1)
    text = prompt(page).locator(".sv-text")
    text.evaluate("e => { e.mine = e.firstElementChild.mine = true; e.scrollTop = 120; }")
    page.get_by_text("Scores are there").click()
    expect(prompt(page)).not_to_contain_text("Computing …")
    expect(part(page, 0)).not_to_have_attribute("data-score", "")
    assert text.evaluate("e => e.mine && e.firstElementChild.mine") is True
    expect_pressed(page, [0])
    assert abs(sum(score or 0 for score in scores(page)) - 1) < 1e-3


def test_a_strong_part_out_of_sight_is_brought_into_sight(visit: Visit, page: Page) -> None:
    visit("long=12&culprit=150")
    expect(part(page, 150)).to_be_in_viewport()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    expect(prompt(page).locator(".sv-ruler i").first).to_be_visible()


def test_python_can_choose_and_the_person_can_choose_again(visit: Visit, page: Page) -> None:
    visit()
    choice(page, 1).click()
    python_heard(page, [1], 1)
    page.get_by_role("button", name="Select the first").click()
    expect_scores(page, wanted("line", (0,)))
    python_heard(page, [0], 1)
    expect_pressed(page, [0])
    choice(page, 1).click()
    python_heard(page, [1], 2)
    expect_scores(page, wanted("line", (1,)))


def test_the_list_is_in_order_of_strength_and_leads_to_the_text(visit: Visit, page: Page) -> None:
    visit()
    want = wanted("line", (2,))
    order = np.argsort(-want, kind="stable")[:8].tolist()
    expect(bars(page)).to_have_count(8)
    assert [int(i) for i in bars(page).evaluate_all("all => all.map(e => e.dataset.part)")] == order
    expect(bars(page).first).to_contain_text(f"{want.max() * 100:.0f}\u00a0%")
    expect(bars(page).first).to_contain_text("line 9")
    bars(page).nth(3).get_by_role("button").first.click()
    expect(part(page, order[3])).to_have_class("sv-seg sv-marked")
    part(page, int(want.argmin())).click()
    expect(bars(page)).to_have_count(9)
    expect(bars(page).last).to_contain_text(synthetic.pieces(synthetic.PROMPT, "line")[want.argmin()].strip())
    bars(page).last.get_by_role("button", name="Remove it and see").click()
    expect(page.locator("code")).to_contain_text(f'"action": ["remove", {want.argmin()}]')


def test_a_part_tells_its_figures_on_hover(visit: Visit, page: Page) -> None:
    visit()
    want = wanted("line", (2,))
    part(page, int(want.argmax())).hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text(f"{want.max() * 100:.0f}\u00a0% of the influence")
    expect(tip).to_contain_text("number 1 of 17 by strength")
    expect(tip).to_contain_text("nats per unit")


@pytest.mark.parametrize("case", ["flat&unit=word", "negligible=1e9"])
def test_a_flat_map_looks_flat_and_says_so(
    case: str, visit: Visit, page: Page, screenshot: Callable[..., Any]
) -> None:
    visit(case)
    expect(page.get_by_text(NOTHING_DECISIVE).first).to_be_visible()
    scored(page)
    levels = prompt(page).locator("[data-level]").evaluate_all("all => all.map(e => Number(e.dataset.level))")
    assert max(levels, default=0) < palette.STEPS / 2  # what is next to nothing has no colour at all
    screenshot(page, f"salience-text-{case.partition('&')[0].partition('=')[0]}")


def test_any_script_and_any_markup_is_only_text(
    visit: Visit, page: Page, screenshot: Callable[..., Any]
) -> None:
    visit("world&stream=" + "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D'hacked'%22%3E")
    expect(response(page)).to_contain_text("<img src=x onerror=")
    visit("world&template")
    expect_text(prompt(page), "<start_of_turn>user\n" + synthetic.WORLD + synthetic.PROMPT)
    expect_text(response(page), synthetic.ANSWER + synthetic.WORLD)
    expect(part(page, 0)).to_have_attribute("data-score", "")
    assert page.locator(".whence-sv").locator("script, b b, img").count() == 0
    assert "hacked" not in page.title()
    assert prompt(page).locator(".sv-text").get_attribute("dir") == "auto"
    screenshot(page, "salience-text-world")


def test_an_answer_on_its_way_shows_as_text_without_buttons(visit: Visit, page: Page) -> None:
    visit("stream=It%20is%20set")
    expect(response(page)).to_contain_text("It is set")
    expect(response(page)).to_have_attribute("aria-busy", "true")
    expect(response(page).get_by_role("button")).to_have_count(0)
    assert set(scores(page)) == {None}
    visit("stream=It%20is%20set&written")
    expect(response(page)).to_have_attribute("aria-busy", "false")


def test_what_the_model_thought_is_folded_before_its_answer(
    any_page: Page, visit: Visit, screenshot: Callable[..., Any]
) -> None:
    page = visit("think=whole", on=any_page)
    more = response(page).get_by_role("button", name="Thinking, 10 words")
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(choice(page, 0)).to_be_hidden()
    expect(choice(page, 2)).to_have_text(" a quiche is a tart of cheese and greens.\n")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    choice(page, 1).click()
    python_heard(page, [1], 1)
    expect(choice(page, 1)).to_be_visible()
    screenshot(page, "thinking")


def test_thinking_without_an_answer_says_so(visit: Visit, page: Page) -> None:
    visit("think=cut")
    more = response(page).get_by_role("button", name="Thinking, 10 words, and no answer yet")
    expect(more).to_have_attribute("aria-expanded", "true")  # the chosen part stands there


def test_thinking_is_folded_while_the_answer_is_written(visit: Visit, page: Page) -> None:
    visit("stream=<think>Let+me+see</think>It+is&written=")
    expect(response(page).get_by_role("button", name="Thinking, 3 words")).to_be_visible()
    expect(response(page).locator(".sv-flow")).to_have_text("It is")
    expect(response(page).get_by_text("Let me see")).to_be_hidden()


def test_a_view_may_change_its_link(visit: Visit, page: Page) -> None:
    visit("unit=word")
    page.get_by_text("Another link").click()
    expect(page.get_by_text("Linked as other")).to_be_visible()
    choice(page, 3).hover()
    expect_scores(page, wanted("word", (3,)))
    choice(page, 3).click()
    python_heard(page, [3], 1)


def test_two_views_of_one_link_recolour_together(visit: Visit, page: Page) -> None:
    visit("apart&unit=word")
    expect(page.locator(".whence-sv")).to_have_count(2)
    choice(page, 3).hover()
    expect_scores(page, wanted("word", (3,)))
    choice(page, 3).click()
    python_heard(page, [3], 1)
    page.mouse.move(5, 5)
    expect_scores(page, wanted("word", (3,)))
    page.get_by_role("button", name="Select the first").click()
    expect_scores(page, wanted("word", (0,)))
    expect_pressed(page, [0])


def test_underlines_alone_carry_the_strength_where_asked(visit: Visit, page: Page) -> None:
    visit("style=underline")
    strongest = part(page, int(wanted("line", (2,)).argmax())).locator(".sv-ink")
    expect(strongest).to_have_css("text-decoration-thickness", "5px")
    expect(strongest).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_ten_thousand_tokens_stay_usable(visit: Visit, page: Page) -> None:
    visit("unit=word&long=140")
    expect(part(page, 9_000)).to_be_attached()
    expect(part(page, 1)).not_to_have_attribute(
        "data-score", ""
    )  # so what changes below is the hover's doing
    before = part(page, 1).get_attribute("data-score")
    choice(page, 3).hover()
    expect(part(page, 1)).not_to_have_attribute("data-score", before or "")
    choice(page, 3).click()
    python_heard(page, [3], 1)
