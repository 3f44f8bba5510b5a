"""The sentence that leads a table of versions."""

from types import SimpleNamespace
from typing import Any

from core.ui.table_page.figures import sentence


def standing(label: str, better: int = 0, worse: int = 0, *, base: bool = False) -> Any:
    against = None if base else SimpleNamespace(p=1.0, difference=0.0)
    return SimpleNamespace(label=label, answered=14, better=better, worse=worse, against=against)


def test_versions_under_which_no_row_turned_come_out_alike() -> None:
    assert sentence((standing("v1", base=True), standing("v2")), 0) == "All come out alike: no row turned."
    told = sentence((standing("v1", base=True), standing("v2", better=1, worse=1)), 0)
    assert told.startswith("No clear winner over v1. v2: better on 1, worse on 1")
