"""The boxes and buttons of the Editor: prompt, target, a field for each variable of a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.datasets import templates
from core.records import Example
from core.ui.asking import versions
from core.ui.shell import problem

Pressed = Literal["", "run", "add", "compare"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the boxes: `template` as typed, `prompt` with its variables filled in."""

    template: str
    values: dict[str, str]
    target: str

    @property
    def prompt(self) -> str:
        return templates.render(self.template, self.values) if self.values else self.template

    @property
    def fields(self) -> dict[str, str]:
        """What is kept beside the example, so that the template can be filled in anew."""
        return {"template": self.template, **self.values} if self.values else {}


def draw(example: Example, *, busy: bool) -> tuple[Draft, Pressed]:
    """Draw the form. Returns what stands in it and the button that was pressed."""
    template = versions.prompt_box(
        example,
        height=340,
        help_="Write {name} where something varies: each name becomes a field below. Enter starts a new "
        "line, Ctrl+Enter runs.",
        kept=templates.template_of(example),
    )
    values = _variables(example, template)
    target = versions.target_box(
        example,
        height=90,
        help_="The answer that you hope for. The Metrics page compares answers with it.",
    )
    draft = Draft(template, values, target)
    with st.container(horizontal=True):
        run = st.button("Run", type="primary", shortcut="Ctrl+Enter", disabled=busy)
        add = st.button("Add", help="Keep this as a new version.")
        compare = st.button("Add and compare", help="Keep it and see both versions side by side.")
        st.button(
            "Reset",
            type="tertiary",
            on_click=versions.reset,
            args=(example,),
            help="Back to what is kept.",
        )
    return draft, "run" if run else "add" if add else "compare" if compare else ""


def _variables(example: Example, template: str) -> dict[str, str]:
    names = templates.variables(template)
    if not names:
        return {}
    st.markdown("**Fill in**")
    columns = st.columns(min(len(names), 3))
    values = {}
    mine = f"{example.id} ({versions.times(example)})"
    for at, name in enumerate(names):
        known = str(example.fields.get(name, ""))
        with columns[at % len(columns)]:
            values[name] = st.text_input(
                problem.plain(name), known, key=f"variable {name} of {mine}", persist_state="session"
            )
    missing = [name for name, value in values.items() if not value]
    if missing:
        st.caption(
            f"Not filled in yet: {problem.plain(', '.join(missing))}. It stays in the prompt as it stands."
        )
    filled = {name: value for name, value in values.items() if value}
    with st.expander("What the model will read"):
        st.text(templates.render(template, filled))
    return filled
