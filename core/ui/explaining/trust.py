"""How far to trust the map on the screen, in a sentence: what was measured of its method with this model, and here."""

from __future__ import annotations

import streamlit as st

from core.faithfulness.natural_results import trust_sentence
from core.records import ModelSpec
from core.salience import Method
from core.ui.shell import problem

AGREE, DISAGREE = "map and measurement agree", "map and measurement disagree"
"""What an example's own check says (the tag beside the answer's sentence)."""


def trust_words(method: Method, spec: ModelSpec, check: str | None = None) -> str:
    """`check`: what this example's own check said ("": nothing yet), None where a page has none."""
    measured = trust_sentence(method.name, spec.path)
    if not measured:
        measured = (
            "These figures are measured on this prompt itself."
            if method.needs == "logprobs"
            else f"How often {method.label} finds known causes was not measured on natural prompts."
        )
    here = {
        None: "",
        AGREE: "Here map and measurement agree.",
        DISAGREE: "Here measurement says otherwise than the map: believe the measurement.",
    }.get(check, "On this prompt nothing was taken out yet to check it.")
    return f"{measured} {here}".strip()


def draw_trust(method: Method, spec: ModelSpec, check: str | None = None) -> None:
    """The sentence in small type."""
    st.caption(problem.plain(trust_words(method, spec, check)))
