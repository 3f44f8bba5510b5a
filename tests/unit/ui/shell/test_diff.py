from __future__ import annotations

import pytest

from core.compare import word_diff
from core.figures import palette
from core.ui.shell.diff import diff_html


@pytest.mark.parametrize("theme", palette.THEMES)
def test_both_sides_are_marked_and_everything_is_escaped(theme: palette.Theme) -> None:
    html = diff_html(word_diff("a <script>x</script> & b", "a <i>y</i> & b"), theme)
    assert "<script>" not in html and "<i>" not in html
    assert "<del>" in html and "<ins>" in html
    assert "&amp; b" in html
    assert palette.UNDERLINE[theme][0] in html


def test_equal_texts_have_no_marks() -> None:
    html = diff_html(word_diff("same", "same"), "light")
    assert "<del>" not in html and "<ins>" not in html
    assert html.endswith('dir="auto">same</div>')
