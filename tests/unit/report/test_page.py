"""The report is one file in which nothing from outside is markup and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from core.figures import palette
from core.figures.palette import THEMES, colour
from core.records import Role, SegmentSalience
from core.report import to_html
from core.report.page import _piece
from tests.unit.figures.contrast import contrast
from tests.unit.report import samples
from tests.unit.report.samples import segments


class Reader(HTMLParser):
    """Elements with their attributes and texts, as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._in: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._in and self._in[-1] == "script":
            self.scripts[-1] += data
        else:
            self.texts.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return to_html(samples.shown()).decode()


def test_only_its_own_scripts_may_run_and_nothing_is_fetched(page: str) -> None:
    read = Reader(page)
    data, plotly, own = read.scripts
    policy = next(a["content"] for t, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (plotly, own)]
    assert re.findall("'sha256-([^']+)'", policy or "") == hashes
    assert "default-src 'none'" in (policy or "")
    assert set(json.loads(data)) == {"light", "dark"}
    fetching = {"link", "img", "iframe", "object", "embed", "video", "audio", "base", "form", "a"}
    assert not fetching & {tag for tag, _ in read.elements}
    assert not [a for _, a in read.elements if {"src", "href"} & set(a) or any(k.startswith("on") for k in a)]


def test_foreign_text_is_shown_as_it_is(page: str) -> None:
    read = Reader(page)
    shown = "".join(read.texts)
    for text in samples.PROMPT + samples.ANSWER:
        assert text in shown
    assert "demo <b>" in shown
    assert "{{ 7*7 }}" in shown


def test_every_prompt_segment_carries_its_share_and_a_readable_colour(page: str) -> None:
    spans = [a for t, a in Reader(page).elements if t == "span" and "data-segment" in a]
    assert [s["data-segment"] for s in spans] == ["1", "2", "3", "4"]
    assert [float(s["data-score"] or 0) for s in spans] == [0.1, 0.6, 0.2, 0.1]
    assert [s["title"] for s in spans] == ["10 %", "60 %", "20 %", "10 %"]
    for span in spans:
        for theme in palette.THEMES:
            colour = re.search(rf"--{theme}: (#\w+)", span["style"] or "")
            assert colour
            assert contrast(palette.TEXT[theme], colour[1]) >= 4.5
    thick = [int(re.search(r"--thick: (\d)px", s["style"] or "")[1]) for s in spans]  # type: ignore[index]
    assert max(thick) == thick[1] > thick[0]


def test_the_list_leads_with_the_strongest_and_the_facts_are_there(page: str) -> None:
    text = "".join(Reader(page).texts)
    listed = text[text.index("Strongest parts") : text.index("Where it came from")]
    assert listed.index("60 %") < listed.index("20 %") < listed.index("10 %")
    for fact in ("Grad L2 (nats)", "bfloat16, on cpu", "2026-11-20 12:30 UTC", "line, sum of token scores"):
        assert fact in text
    assert "It does not mean that the text is correct" in text
    assert "Targets are grouped into words." in text
    assert "Nothing decisive" not in text


def test_a_flat_map_says_that_nothing_is_decisive() -> None:
    assert "Nothing decisive" in "".join(
        Reader(to_html(samples.shown(scores=(9, 1, 1, 1, 1))).decode()).texts
    )


def test_a_signed_map_tells_for_from_against() -> None:
    page = to_html(samples.shown(signed=True)).decode()
    against = [a for _, a in Reader(page).elements if "against" in (a.get("class") or "")]
    assert len(against) == 2
    assert "Purple made the selected answer more likely" in page


def test_without_an_answer_there_is_no_map() -> None:
    columns = samples.segments(samples.PROMPT, Role.PROMPT, 0)
    empty = SegmentSalience((), columns, np.zeros((0, 5)), "sum")
    page = to_html(samples.shown(salience=empty, target=())).decode()
    assert 'id="map"' not in page
    assert "No part of the answer was selected." in page


def test_a_lone_part_has_no_colour_as_nothing_stands_out() -> None:
    many = samples.shown()
    column = segments(("one line",), Role.PROMPT, -1)
    values = np.ones((3, 1), np.float32)
    lone = samples.shown(
        scores=(7,), salience=SegmentSalience(many.salience.row_segments, column, values, "sum")
    )
    assert lone.flat and not lone.coloured and many.coloured
    assert "one line" in lone.prompt
    ink = _piece(lone, column[0], 1.0)
    assert ink["underline"] == 0 and ink["percent"].startswith("100")
    assert ink["colours"] == {theme: colour(0.0, lone.top, theme) for theme in THEMES}
