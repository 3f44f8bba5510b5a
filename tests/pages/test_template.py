"""The Template page over a model without weights: shares of a template's sections, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.records import Example
from core.service import Service
from core.ui.template_page.work import Sections, values_of

TEMPLATE = "Q: {word}\nA:"
ROWS = [
    Example("a", "Q: hot\nA:", fields={"template": TEMPLATE, "word": "hot"}),
    Example("b", "Q: very cold\nA:", fields={"template": TEMPLATE, "word": "very cold"}),
    Example("c", "something else"),
]


@pytest.fixture
def page(open_app: Callable[..., AppTest], fake_service: Service) -> Callable[[], AppTest]:
    """Opens the page on a dataset of the rows."""
    dataset = fake_service.store.workspace().datasets.add("rows", ROWS)
    return lambda: open_app("template", dataset=dataset.id)


def test_sections_are_averaged_over_the_rows_that_fit(
    page: Callable[[], AppTest], fake_service: Service
) -> None:
    app = page()
    assert app.text_area[0].value == TEMPLATE
    assert any("2 of 3 rows fit the template" in caption.value for caption in app.caption)
    assert not fake_service.manager.loaded
    (button,) = [b for b in app.button if b.label == "Explain 2 rows"]
    button.click().run()
    held = app.session_state["job box"].get("template")
    assert held is None or held.wait(30)
    app.run()
    app.run()
    assert not app.exception
    assert any(caption.value.startswith("Mean share of the prompt's influence") for caption in app.caption)
    assert not [b for b in app.button if b.label.startswith("Explain")]
    assert any("times what its length would" in one.value for one in app.markdown)


def test_a_template_is_read_off_rows_that_name_none(
    open_app: Callable[..., AppTest], fake_service: Service
) -> None:
    rows = [Example("a", "Rate it.\nQ: hot\nA:"), Example("b", "Rate it.\nQ: very cold\nA:")]
    dataset = fake_service.store.workspace().datasets.add("plain", rows)
    app = open_app("template", dataset=dataset.id)
    assert app.text_area[0].value == "Rate it.\nQ: {q}\nA:"
    assert any(caption.value.startswith("Read off the rows") for caption in app.caption)


@pytest.mark.parametrize(
    ("template", "told"),
    [("no variable", "holds no"), ("X {word} Y", "None of the 3 chosen rows fits")],
)
def test_a_template_that_does_not_fit_is_a_sentence(
    page: Callable[[], AppTest], template: str, told: str
) -> None:
    app = page()
    app.text_area[0].set_value(template).run()
    assert not app.exception
    assert told in app.error[0].value.replace("\\", "")


def test_means_by_hand() -> None:
    import numpy as np

    found = Sections(("a", "b"), ("x", "{y}"), np.array([[0.2, 0.8], [0.4, 0.6]])).means()
    assert [(one.label, round(one.value, 6), one.count) for one in found] == [("x", 0.3, 2), ("{y}", 0.7, 2)]
    assert found[0].low == pytest.approx(0.2) and found[0].high == pytest.approx(0.4)


def test_a_row_of_the_map_is_called_by_its_values() -> None:
    assert values_of("Q: {a}\nR: {b}\n", "Q: hot \n soup\nR: \n") == "hot soup"
    assert values_of("Q: {a}\nR: {b}\n", "Q: hot\nR: cold\n") == "hot · cold"
    assert values_of("Q: {a}", "other") == ""
