"""Which two to four models are compared: any that can be chosen, each in any precision that it can have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.records import ModelSpec
from core.settings import DEMO_MODEL, ROOT
from core.ui.shell import state
from core.ui.shell.model_box import chosen
from core.ui.shell.model_list import catalog, title, variants

LEAST, MOST = 2, 4


def comparable() -> dict[str, ModelSpec]:
    """Everything that can be compared, by title."""
    return {title(made): made for spec in catalog().specs() for made in variants(spec)}


def default_models() -> list[str]:
    """The chosen model as it is, and quantised to 4 bits (another model where that makes no sense)."""
    here = [title(spec) for spec in variants(chosen())]
    quantised = [name for name in here if name.endswith("nf4")]
    others = [name for name in comparable() if name not in here]
    return [here[0], *(quantised or others)][:LEAST]


def ships(specs: Sequence[ModelSpec]) -> bool:
    """Whether all are the demo model, which answers in a moment: the page is at work without a Run."""
    return all(Path(spec.path) in (Path(DEMO_MODEL), ROOT / DEMO_MODEL) for spec in specs)


def choose_models() -> tuple[ModelSpec, ...]:
    """Draw the menu. Returns the chosen models, in the order in which they were chosen."""
    known = comparable()
    held = state.COMPARED.get()
    if held is None and state.COMPARED.name not in st.query_params:
        state.COMPARED.set(default_models())
    elif held is not None and any(name not in known for name in held):  # removed on the Models page
        state.COMPARED.set([name for name in held if name in known])
    names = st.multiselect(
        "Models to compare",
        list(known),
        max_selections=MOST,
        key=state.COMPARED.name,
        bind="query-params",
        persist_state="session",
        help="Two to four. One model in two precisions shows what quantising it changes. "
        "Add others on the Models page.",
    )
    return tuple(known[name] for name in names)
