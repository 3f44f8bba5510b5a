"""Staged changes on one line: nothing that changed is lost, what stayed is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.compare import Run, word_diff
from core.ui.counterfactuals_page.staging import AROUND, shortened

texts = st.text(alphabet="ab c\n.", max_size=300)


@given(texts, texts)
def test_changes_stay_whole_and_the_rest_is_short(old: str, new: str) -> None:
    runs = word_diff(old, new)
    short = shortened(runs)
    assert [run.change for run in short] == [run.change for run in runs]
    for before, after in zip(runs, short):
        assert "\n" not in after.text
        if before.change == "kept":
            assert len("".join(after.text.split())) <= 2 * AROUND + 30
        else:
            assert "".join(after.text.replace("⏎", "").split()) == "".join(before.text.split())


def test_by_hand() -> None:
    long = "word " * 40
    runs = [
        Run("kept", long),
        Run("removed", "one\n\n"),
        Run("kept", long),
        Run("added", "x"),
        Run("kept", "end"),
    ]
    found = [run.text for run in shortened(runs)]
    assert found[0].startswith("… ") and len(found[0]) == AROUND + 2
    assert found[1] == "one ⏎ "
    assert found[2].count("…") == 1
    assert found[3:] == ["x", "end"]
