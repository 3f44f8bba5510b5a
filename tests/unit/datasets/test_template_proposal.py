"""What rows share becomes the template's text, what differs a variable, and every proposal fits rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.template_proposal import propose_template
from core.datasets.template_sections import find_sections
from core.datasets.templates import render


@pytest.mark.parametrize(
    ("rows", "template"),
    [
        (["Q: hot\nA:", "Q: very cold\nA:", "Q:\nA:"], "Q:{q}\nA:"),
        (["Q: hot\nA:", "Q: very cold\nA:"], "Q: {q}\nA:"),
        (
            ["Rate this.\nText: a b\nScore:", "Rate this.\nText: c\nScore:"],
            "Rate this.\nText: {text}\nScore:",
        ),
        (["Be brief.\nQ: a\nA:", "Be brief.\nRule: no.\nQ: b\nA:"], "Be brief.\n{part}Q: {q}\nA:"),
        (["a thing\nQ: x", "a thing\nQ: y\nmore\nof it"], "a thing\nQ: {q}{part}"),
        (["To French: the dog", "To French: a cat"], "To French: {to_french}"),
        (["Is it good or bad? I like it.", "Is it good or bad? Meh."], "Is it good or bad? {part}."),
        (['{"x": {name}}\nDish: a', '{"x": {name}}\nDish: b'], '{"x": {{name}}}\nDish: {dish}'),
        (["Dish: a\nDish: b\nSay:", "Dish: c\nDish: d\nSay:"], "Dish: {dish}\nDish: {dish_2}\nSay:"),
        (["2024: hot\nYear:", "2024: cold\nYear:"], "2024: {part}\nYear:"),
        (["hello", "world", "foo bar"], ""),
        (["the same", "the same"], ""),
        (["alone"], ""),
        ([], ""),
    ],
)
def test_by_hand(rows: list[str], template: str) -> None:
    assert propose_template(rows) == template
    fit = [find_sections(template, row) for row in rows] if template else []
    assert all(found is not None for found in fit)


def test_the_largest_group_is_proposed_and_others_do_not_fit() -> None:
    rows = [
        "Sum up.\nText: a\nOut:",
        "Sum up.\nText: b\nOut:",
        "Sum up.\nText: c\nOut:",
        "Other thing\nX",
        "And more",
    ]
    assert propose_template(rows) == "Sum up.\nText: {text}\nOut:"


@given(st.lists(st.text(alphabet="ab {}:\n.é", max_size=30), max_size=8))
def test_any_rows_get_a_template_that_two_of_them_fit_or_none(rows: list[str]) -> None:
    template = propose_template(rows)
    if template:
        assert sum(find_sections(template, row) is not None for row in set(rows)) >= 2


@given(st.lists(st.text(alphabet="abc de", min_size=1, max_size=12), min_size=2, max_size=6, unique=True))
def test_rows_of_a_template_fit_what_is_read_off_them(values: list[str]) -> None:
    rows = [render("Say whether it is a dish.\nDish: {dish}\nAnswer:", {"dish": one}) for one in values]
    template = propose_template(rows)
    assert template.startswith("Say whether it is a dish.\nDish:") and template.endswith("\nAnswer:")
    assert all(find_sections(template, row) is not None for row in rows)
