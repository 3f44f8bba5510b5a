"""Sections of a template found in the prompts that were made from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.template_sections import find_sections
from core.datasets.templates import parts, render, variables


def labels(template: str, prompt: str) -> list[tuple[str, str]] | None:
    found = find_sections(template, prompt)
    return None if found is None else [(s.label, prompt[slice(*s.chars)]) for s in found]


@pytest.mark.parametrize(
    ("template", "prompt", "expected"),
    [
        ("Q: {q}\nA:", "Q: why?\nA:", [("Q:", "Q: "), ("{q}", "why?"), ("A:", "\nA:")]),
        ("Rules.\n\nBe kind.\n{x}", "Rules.\n\nBe kind.\nhi", [
            ("Rules.", "Rules.\n\n"), ("Be kind.", "Be kind.\n"), ("{x}", "hi"),
        ]),
        ("{a} and {b}", "x and y and z", [("{a}", "x"), ("and", " and "), ("{b}", "y and z")]),
        ("{a}{b}", "xy", [("{a}", ""), ("{b}", "xy")]),
        ("{a}:{a}", "x:y", [("{a}", "x"), (":", ":"), ("{a}", "y")]),
        ('{"k": {v}} {{v}}', '{"k": 1} {v}', [('{"k":', '{"k": '), ("{v}", "1"), ("} {v}", "} {v}")]),
        ("{a}\n\n{b} {c}!", "x\n\ny z!", [
            ("{a}", "x\n\n"), ("{b}", "y "), ("{c}", "z"), ("!", "!"),
        ]),
        ("plain", "plain", [("plain", "plain")]),
        ("plain", "plain text", None),
        ("Q: {q} end", "Q: x", None),
        ("Q: {q}", "A: x", None),
        ("{q} end", "x end more", None),
    ],
)  # fmt: skip
def test_by_hand(template: str, prompt: str, expected: list[tuple[str, str]] | None) -> None:
    assert labels(template, prompt) == expected


texts = st.text(alphabet="ab\n {}:é", max_size=12)


@given(st.lists(st.one_of(texts, st.sampled_from(["{x}", "{y}"])), max_size=6).map("".join), texts, texts)
def test_every_prompt_of_a_template_fits_it_or_is_told_apart(template: str, x: str, y: str) -> None:
    prompt = render(template, {"x": x, "y": y})
    found = find_sections(template, prompt)
    if found is None:
        assert variables(template)  # a value may hold the text that ends it; without values it always fits
        return
    at = 0
    for section in found:
        assert section.chars[0] == at
        at = section.chars[1]
    assert at == len(prompt)


@given(texts)
def test_parts_are_the_template(template: str) -> None:
    rebuilt = "".join(f"{{{text}}}" if variable else text for text, variable in parts(template))
    assert rebuilt == render(template, {name: f"{{{name}}}" for name in variables(template)})
