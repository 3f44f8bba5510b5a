from __future__ import annotations

import numpy as np
import pytest

from core.figures import palette
from core.figures.models import cross_likelihood, model_bars
from core.records import Segment

PARTS = [Segment(i, text, (0, 0), (i, i + 1)) for i, text in enumerate(["weak", "<b>strong</b>", "middle"])]
SHARES = np.array([[0.1, 0.6, 0.3], [0.15, 0.35, 0.5]])


@pytest.mark.parametrize("theme", palette.THEMES)
def test_bars_share_one_axis_and_order_by_the_strongest_anywhere(theme: palette.Theme) -> None:
    figure = model_bars(["one", "two"], PARTS, SHARES, theme=theme)
    assert [list(bar.x) for bar in figure.data] == [[0.6, 0.3, 0.1], [0.35, 0.5, 0.15]]
    assert [tuple(c) for c in figure.data[1].customdata] == [(1, 1), (1, 2), (1, 0)]
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;strong&lt;/b&gt;"
    assert figure.layout.xaxis.range == (0, pytest.approx(0.72))
    assert len({bar.marker.pattern.shape for bar in figure.data}) == 2


def test_signed_bars_show_both_sides() -> None:
    figure = model_bars(["one"], PARTS, np.array([[-0.5, 0.2, 0.3]]))
    assert figure.layout.xaxis.range == (pytest.approx(-0.6), pytest.approx(0.6))


def test_likelihoods_are_geometric_means_and_unknown_is_not_zero() -> None:
    figure = cross_likelihood(["one", "<two>"], np.log([[0.5, 0.25], [0.2, np.nan]]))
    np.testing.assert_allclose(figure.data[0].z, [[0.5, 0.25], [0.2, np.nan]])
    assert [list(row) for row in figure.data[0].text] == [["0.50", "0.25"], ["0.20", "–"]]
    assert "its own answer" in figure.data[0].hovertext[0][0]
    assert "<two>" not in figure.data[0].hovertext[1][0]
    assert "not known" in figure.data[0].hovertext[1][1]
