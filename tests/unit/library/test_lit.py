"""LIT's datasets and models as they are: objects of the same shape as LIT's, with scores done by hand."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.errors import AppError
from core.library.explaining import explain
from core.library.lit import from_lit
from core.records import Example


class Writes:
    def predict(self, inputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        return ({"response": " ab"} for _ in inputs)


class Cuts:
    """A character is a token."""

    def predict(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"tokens": [c.replace(" ", "\u2581") for c in i["prompt"] + i["target"]]} for i in inputs]


class Explains:
    """The score of character i for a target that ends at n: 1 / (n - i), signed as LIT signs a loss."""

    def predict(self, inputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for item in inputs:
            last = max(n for n, on in enumerate(item["target_mask"]) if on)
            scores = np.array(
                [1.0 / (last - i) if i < last else 0.0 for i in range(len(item["target_mask"]))]
            )
            yield {"grad_l2": scores, "grad_dot_input": -scores}


def test_a_dataset_becomes_examples() -> None:
    rows = [
        {"prompt": "p", "target": "t", "source": "s", "cost": 3, "_id": "x"},
        {"prompt": "q", "target": ""},
    ]
    made = from_lit(SimpleNamespace(examples=rows))
    assert made == [Example("x", "p", "t", "s", fields={"cost": 3}), Example("lit-1", "q", None)]


def test_a_group_of_models_is_one_that_explains() -> None:
    model = from_lit({"mine": Writes(), "_mine_salience": Explains(), "_mine_tokenizer": Cuts()})
    made = explain("xy\nz", model=model, by="token", method="grad_dot_input")
    assert (made.answer, made.chosen) == (" ab", " ab")
    last = made.select("b")
    # the last character stands 6 places after the first: 1/6, 1/5, 1/4, 1/3, and the sign is turned
    np.testing.assert_allclose(last.scores, [1 / 6, 1 / 5, 1 / 4, 1 / 3], rtol=1e-6)
    assert last.top(1)[0].text == "z"


def test_a_model_alone_answers_and_says_what_it_cannot() -> None:
    with pytest.raises(AppError, match="cannot explain"):
        explain("two words", model=from_lit(Writes()), method="grad_l2")
    whole = from_lit(Writes(), salience=Explains(), tokenizer=Cuts())
    assert explain("xy", model=whole, method="grad_l2").answer == " ab"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (3, "LIT dataset"),
        ({"a": 1}, "group of LIT models"),
        (SimpleNamespace(examples=[{"text": "a"}]), "prompt"),
    ],
)
def test_what_is_neither_is_told(what: Any, says: str) -> None:
    with pytest.raises(AppError, match=says):
        from_lit(what)
