"""The exact test of signs against all signs tried by hand, and against McNemar's test where sizes are alike."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.metrics import shares, sign_flip


@pytest.mark.parametrize(
    "given", [[1 / 3, -2 / 3, 1, 1], [0.5, 0.5, 1 / 3, 0, 1], [-1, -1, -2 / 3, -1 / 3, -0.25]]
)
def test_all_signs_tried_one_by_one_give_the_same(given: list[float]) -> None:
    sums = [
        abs(sum(s * one for s, one in zip(signs, given))) for signs in product((1, -1), repeat=len(given))
    ]
    expected = sum(one >= abs(sum(given)) - 1e-9 for one in sums) / len(sums)
    assert sign_flip.two_sided(np.array(given)) == pytest.approx(expected)


def test_whole_differences_are_mcnemar() -> None:
    first = np.array([True] * 3 + [False] * 11 + [True] * 6)
    second = np.array([False] * 3 + [True] * 11 + [True] * 6)
    assert sign_flip.two_sided(second * 1.0 - first) == pytest.approx(shares.paired(first, second)[2])


def test_no_difference_is_no_surprise_and_many_rows_are_counted() -> None:
    assert sign_flip.two_sided(np.zeros(5)) == 1.0
    assert sign_flip.two_sided(np.array([1 / 3] * 3000 + [-2 / 3] * 1500)) == pytest.approx(1.0)
