"""Sections of a template against the share that their length would have."""

import pytest

from core.figures import palette
from core.ui.template_page.coloured import coloured_sections, template_html


def test_ratios_by_hand_and_text_is_escaped() -> None:
    # "Q: <b>" is 6 of 10 characters, "\nA:" 3, the variable 1 in the first row; 6, 3 and 11 of 20 in the second.
    template = "Q: <b>{word}\nA:"
    found = coloured_sections(template, ["Q: <b>x\nA:", "Q: <b>xxxxxxxxxxx\nA:"], [0.9, 0.1, 0.0])
    assert [(one.text, one.variable) for one in found] == [("Q: <b>", False), ("{word}", True), ("A:", False)]
    assert found[0].length == pytest.approx((6 / 10 + 6 / 20) / 2) and found[0].ratio == pytest.approx(2.0)
    html = template_html(found, "light")
    assert "Q: &lt;b&gt;" in html and "<b>" not in html
    assert f"background:{palette.colour(0.5, 1.0, 'light')}" in html  # twice is half way to four times
    assert html.count(f"background:{palette.colour(0.0, 1.0, 'light')}") == 2
