"""The form of a table: versions, models, what is right, samples and small changes; and asking it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from core.checks import as_checked, to_json
from core.counterfactuals.harmless import HARMLESS
from core.datasets.cells import text_paths
from core.errors import AppError
from core.prompt_table import PromptVersion, TableAnswerer, TablePlan, Take, aliases_of, seeds
from core.prompt_table.prompts import named_columns, prompt_of, row_values
from core.records import Example, GenerationParams, SendAs
from core.ui.asking import parameters, sending, verdicts
from core.ui.asking.row_choice import ALL, Rows
from core.ui.shell import library, model_box, problem, rights, state, table_choice
from core.ui.shell.model_list import catalog
from core.ui.table_page import asking, drafts

MOST_LOOKED_AT = 2_000
MOST_SAMPLES = 20
ROWS_OF_EACH = 8
DRAWN = 0.7
"""The temperature that is proposed where several samples are asked for."""
OWN = "as the dataset's checks say"
QUICK = {
    "the answer contains the target": "contains",
    "the answer is the target": "equals",
    "the answer comes to the target's number": "number",
}


def ask_for_table(rows: Rows) -> None:
    """Draw the form; a press of its button keeps the plan and starts asking."""
    aliases = aliases_of(_plan_of(rows))
    looked_at = rows.examples[:MOST_LOOKED_AT]
    columns = list(dict.fromkeys([*aliases, *text_paths(looked_at), "prompt", "target"]))
    versions = drafts.choose_versions(rows.dataset, columns)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        answerers = _models()
        conditions = _checks(rows)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        takes, params = _takes(_first_prompts(versions, looked_at, aliases))
    if said := state.TABLE_SAID.pop(""):
        st.caption(problem.plain(said))
    try:
        plan = TablePlan(
            rows.dataset.id,
            versions,
            answerers,
            params,
            takes,
            conditions,
            0,
            aliases,
            named_columns(versions, looked_at, aliases),
            () if _all(rows) else tuple(row.id for row in rows.examples),
        )
    except AppError as error:
        st.caption(problem.plain(str(error)))
        return
    if fixed := [one.name for one in versions if not named_columns([one], looked_at, aliases)]:
        st.warning(
            problem.plain(f"{', '.join(fixed)} names no column, so every row would be asked the very same.")
        )
    count = len(rows.examples) * len(plan.columns) * len(takes)
    if rights.button(f"Ask {count:,} answers", type="primary", disabled=not rows.examples):
        table = library.workspace().tables.keep(plan)
        asking.start(table)
        table_choice.open_table(table.id)
        st.rerun()


def _all(rows: Rows) -> bool:
    return rows.label == ALL and len(rows.examples) == rows.dataset.rows


def _plan_of(rows: Rows) -> dict[str, object]:
    kept = rows.dataset.imported.get("plan")
    return dict(kept) if isinstance(kept, dict) else {}


def _models() -> tuple[TableAnswerer, ...]:
    specs = {spec.name: spec for spec in catalog().specs()}
    names = st.multiselect(
        "Models",
        list(specs),
        [model_box.chosen().name],
        key=state.TABLE_MODELS.name,
        persist_state="session",
        width=360,
    )
    way: SendAs = sending.choose_sending(specs[names[0]]) if names else "plain"
    return tuple(
        TableAnswerer(specs[name], "plain" if sending.why_no_chat(specs[name]) else way) for name in names
    )


def _checks(rows: Rows) -> str:
    """What makes an answer right, as JSON."""
    asked = verdicts.conditions(library.workspace(), rows.dataset.id)
    options = [*([OWN] if asked else []), *QUICK]
    picked = st.selectbox(
        "An answer is right when",
        options,
        key=state.TABLE_CHECK(len(asked)).name,
        persist_state="session",
        width=320,
        help=problem.plain("; ".join(one.in_words for one in asked))
        if asked
        else "Other checks (a pattern, JSON, a judge …) are set up on the Dataset page, under Checks.",
    )
    chosen: Sequence[object] = to_json(
        asked if picked == OWN else [as_checked(QUICK[picked or options[0]], {})]
    )
    return json.dumps(chosen, sort_keys=True)


def _first_prompts(
    versions: Sequence[PromptVersion], rows: Sequence[Example], aliases: Mapping[str, str]
) -> list[str]:
    """The first rows under every version: what length and end of the answers are read from."""
    made = [prompt_of(one, row_values(row, aliases)) for row in rows[:ROWS_OF_EACH] for one in versions]
    return [prompt for prompt in made if isinstance(prompt, str)]


def _takes(prompts: Sequence[str]) -> tuple[tuple[Take, ...], GenerationParams]:
    held = parameters.params(*prompts)
    samples = int(
        st.number_input(
            "Samples a cell",
            1,
            MOST_SAMPLES,
            1,
            key=state.TABLE_SAMPLES.name,
            persist_state="session",
            width=150,
        )
    )
    temperature = float(
        st.number_input(
            "Temperature",
            0.0,
            2.0,
            held.temperature,
            0.1,
            key=state.TABLE_TEMPERATURE.name,
            persist_state="session",
            width=150,
            help=f"0: the likeliest word each time. Several samples need more; {DRAWN} is used where 0 stands here.",
        )
    )
    length = int(
        st.number_input(
            "Longest answer (tokens)",
            1,
            1024,
            held.max_new_tokens,
            key=state.TABLE_LENGTH.name,
            persist_state="session",
            width=190,
        )
    )
    labels = {one.name: one.label for one in HARMLESS}
    picked = st.multiselect(
        "Small changes that should not matter",
        list(labels),
        format_func=labels.__getitem__,
        key=state.TABLE_CHANGES.name,
        persist_state="session",
        width=380,
        help="; ".join(f"{one.label}: {one.description}" for one in HARMLESS),
    )
    drawn = DRAWN if samples > 1 and temperature == 0 else temperature
    params = replace(held, temperature=drawn, max_new_tokens=length)
    with_changes = tuple(Take(params.seed, name) for name in picked)
    return (*seeds(samples, params.seed), *with_changes), params
