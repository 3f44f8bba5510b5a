from __future__ import annotations

from core.compare import word_diff
from core.ui.shell.diff import diff_html


def test_both_sides_are_marked_and_everything_is_escaped() -> None:
    html = diff_html(word_diff("a <script>x</script> & b", "a <i>y</i> & b"))
    assert "<script>" not in html and "<i>" not in html
    assert "<del>" in html and "<ins>" in html
    assert "&amp; b" in html
    assert "--whence-gone" in html and "--whence-new" in html  # both themes, also when the theme changes


def test_equal_texts_have_no_marks() -> None:
    html = diff_html(word_diff("same", "same"))
    assert "<del>" not in html and "<ins>" not in html
    assert html.endswith('dir="auto">same</div>')
