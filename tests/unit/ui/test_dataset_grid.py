"""Cells of the dataset's table: what rows begin with alike makes room for what tells them apart."""

import pytest

from core.ui.dataset_page.grid import ALIKE, apart

SAME = "Analyze a dish from the menu for a guest who is here. "
CUT = "Analyze a dish from the … "


@pytest.mark.parametrize(
    ("texts", "cells"),
    [
        ([SAME + "Likes: eggs", SAME + "Likes: nuts"], [CUT + "eggs", CUT + "nuts"]),
        ([SAME + "One", "Other", SAME + "Two"], [CUT + "One", "Other", CUT + "Two"]),
        (["short same a", "short same b"], ["short same a", "short same b"]),
        ([SAME + "x", SAME + "x"], [SAME + "x", SAME + "x"]),
        ([SAME, SAME + "more"], [CUT, CUT + "more"]),
        (["x" * ALIKE + "a", "x" * ALIKE + "b"], ["x" * ALIKE + "a", "x" * ALIKE + "b"]),
        ([], []),
    ],
)  # fmt: skip
def test_by_hand(texts: list[str], cells: list[str]) -> None:
    assert apart(texts) == cells
