"""The versions that a table is to be asked with: boxes for name and template, taken from an example or from files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.datasets import templates
from core.errors import AppError
from core.prompt_table import PromptVersion, promptfoo
from core.prompt_table.plan import MOST_VERSIONS
from core.records import Example
from core.store import Dataset
from core.ui.shell import library, problem, state
from core.ui.shell.row_names import row_names

START = "{prompt}"


def choose_versions(dataset: Dataset, columns: Sequence[str]) -> tuple[PromptVersion, ...]:
    """Draw a box for each version. Returns those that say something."""
    held = state.TABLE_DRAFTS(dataset.id)
    drafts = held.setdefault(_first(dataset))
    found = []
    for place, (number, name, text) in enumerate(drafts):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            said = st.text_input(
                f"Name of version {place + 1}",
                name,
                key=state.TABLE_VERSION_NAME(dataset.id, number).name,
                persist_state="session",
                width=260,
            )
            st.button(
                "Remove",
                key=state.TABLE_REMOVE_VERSION(dataset.id, number).name,
                type="tertiary",
                disabled=len(drafts) == 1,
                on_click=_remove,
                args=(dataset.id, number),
            )
        typed = st.text_area(
            f"Template of version {place + 1}",
            text,
            key=state.TABLE_VERSION_TEXT(dataset.id, number).name,
            persist_state="session",
            height=120,
            label_visibility="collapsed",
            placeholder="Q: {question}\nA:",
        )
        if (typed or "").strip():
            found.append(PromptVersion((said or "").strip() or f"version {place + 1}", typed or ""))
    _more(dataset, drafts)
    shown = ", ".join(f"{{{name}}}" for name in columns[:12])
    more = f" and {len(columns) - 12} more" if len(columns) > 12 else ""
    st.caption(problem.plain(f"A column's text stands where its name does: {shown}{more}."))
    return tuple(found)


def add_drafts(dataset_id: str, versions: Sequence[PromptVersion]) -> int:
    """Put further versions there, each under a name of its own. Returns how many fit."""
    drafts = list(state.TABLE_DRAFTS(dataset_id).get([]))
    room = MOST_VERSIONS - len(drafts)
    for version in versions[:room]:
        name, count = version.name, 2
        while name in {one[1] for one in drafts}:
            name, count = f"{version.name} ({count})", count + 1
        drafts.append((max([one[0] for one in drafts], default=0) + 1, name, version.template))
    state.TABLE_DRAFTS(dataset_id).set(drafts)
    return min(room, len(versions))


def of_example(example: Example) -> list[PromptVersion]:
    """The versions of one example's prompt, each as a template where it has one, else with its prompt's braces kept."""
    family = library.workspace().examples.lineage(example.id)
    called = row_names(family)
    found: dict[str, str] = {}
    for one in family:
        template = templates.template_of(one) or templates.escape(one.prompt)
        if template not in found.values():
            found[called[one.id]] = template
    return [PromptVersion(name, template) for name, template in found.items()]


def _first(dataset: Dataset) -> list[tuple[int, str, str]]:
    """The prompt as the rows have it, and a second version to write."""
    kept = dataset.imported.get("plan")
    plan = kept if isinstance(kept, dict) else {}
    template = str(plan.get("template") or "") or (f"{{{plan['prompt']}}}" if plan.get("prompt") else START)
    return [(1, "v1", template), (2, "v2", "")]


def _more(dataset: Dataset, drafts: list[tuple[int, str, str]]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        full = len(drafts) >= MOST_VERSIONS
        st.button("Add a version", disabled=full, on_click=_add, args=(dataset.id,))
        with st.popover("Versions of an example", disabled=full):
            listed = library.examples()
            names = row_names(listed.values())
            picked = st.selectbox(
                "Example",
                list(listed),
                format_func=lambda one: names.get(one, one),
                key=state.TABLE_FROM_EXAMPLE.name,
                help="Its prompt and every version of it. {name} in a template stays a column.",
            )
            if st.button("Take its versions", disabled=not picked) and picked:
                _take(dataset.id, of_example(listed[picked]))
        with st.popover("From files", disabled=full):
            turn = state.TABLE_FILES_TURN.get(0)
            files = st.file_uploader(
                "Prompts: .txt, .md, or a promptfoo configuration (.yaml, .json)",
                ["txt", "md", "yaml", "yml", "json"],
                accept_multiple_files=True,
                key=state.TABLE_FILES(turn).name,
            )
            if st.button("Take these prompts", disabled=not files) and files:
                try:
                    found = [one for file in files for one in promptfoo.prompts(file.name, file.getvalue())]
                except AppError as error:
                    problem.show_error(error)
                    return
                state.TABLE_FILES_TURN.set(turn + 1)
                _take(dataset.id, found)


def _take(dataset_id: str, versions: Sequence[PromptVersion]) -> None:
    # An empty box that waits for a second version has served.
    _drop_empty(dataset_id)
    added = add_drafts(dataset_id, versions)
    state.TABLE_SAID.set(
        f"{added} version{'' if added == 1 else 's'} added."
        if added == len(versions)
        else f"{added} of {len(versions)} versions added: a table has at most {MOST_VERSIONS}."
    )
    st.rerun()


def _drop_empty(dataset_id: str) -> None:
    drafts = state.TABLE_DRAFTS(dataset_id).get([])
    kept = [one for one in drafts if (state.TABLE_VERSION_TEXT(dataset_id, one[0]).get(one[2]) or "").strip()]
    state.TABLE_DRAFTS(dataset_id).set(kept)


def _add(dataset_id: str) -> None:
    drafts = state.TABLE_DRAFTS(dataset_id).get([])
    last = drafts[-1] if drafts else (0, "", START)
    text = state.TABLE_VERSION_TEXT(dataset_id, last[0]).get(last[2]) or ""
    add_drafts(dataset_id, [PromptVersion(f"v{len(drafts) + 1}", text)])


def _remove(dataset_id: str, number: int) -> None:
    drafts = state.TABLE_DRAFTS(dataset_id).get([])
    state.TABLE_DRAFTS(dataset_id).set([one for one in drafts if one[0] != number])
