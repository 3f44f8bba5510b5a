"""The versions of an example, the newest last: what was changed, what the model answered, whether it was right."""

from __future__ import annotations

import streamlit as st

from core.records import Example
from core.ui.asking import parameters, prompt_box
from core.ui.shell import library, model_box, problem, state

RIGHT, WRONG = ":material/check:", ":material/close:"


def draw_version_menu(current: Example) -> None:
    """A menu that says which version is open; nothing for an example that has one version only."""
    members = library.workspace().examples.lineage(current.id)
    if len(members) < 2:
        return
    at = next((n for n, member in enumerate(members, 1) if member.id == current.id), 1)
    with st.popover(f"v{at} of {len(members)}", help="The versions of this example"):
        for number, member in enumerate(members, 1):
            _row(number, member, current)


def _row(number: int, member: Example, current: Example) -> None:
    text = _answer(member)
    right = _right(text, member.target)
    mark = "" if right is None else f"{RIGHT if right else WRONG} "
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"version-{member.id}"):
        st.button(
            f"v{number}",
            key=state.OPEN_VERSION(member.id).name,
            type="primary" if member.id == current.id else "secondary",
            disabled=member.id == current.id,
            on_click=library.open_example,
            args=(member.id,),
        )
        said = "not run yet" if text is None else _end(text)
        edit = f" ({problem.plain(member.edit)})" if member.edit else ""
        st.markdown(f"{mark}{problem.plain(said)}{edit}")


def _answer(member: Example) -> str | None:
    """What the chosen model answered, if it is known; loads nothing."""
    spec, asked = model_box.chosen(), prompt_box.sent(member.prompt, member)
    held = prompt_box.answer_to(member, spec, parameters.params(asked, spec=spec))
    return held.generation.text if held is not None and held.generation is not None else None


def _end(text: str) -> str:
    """The answer's last line: where its conclusion stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(nothing)"


def _right(text: str | None, target: str | None) -> bool | None:
    if text is None or not (target or "").strip():
        return None
    return " ".join(text.split()) == " ".join((target or "").split())
