"""The models that can be chosen: what each is, whether it is in memory, and what can be done with it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import AppError
from core.models import backend
from core.models.configured import told
from core.models.language_model import Capabilities
from core.models.local.estimate import facts as known_sizes
from core.models.local.estimate import gigabytes, weight_bytes
from core.models.model_kind import OF_KIND
from core.records import ModelSpec
from core.ui.asking.template_kind import kind_of_model
from core.ui.models_page.ways import ways
from core.ui.shell import loading, model_box, problem, state
from core.ui.shell.model_list import catalog, title
from core.ui.shell.services import service

_ABILITIES = (
    ("generate", "Write answers"),
    ("streaming", "Show the answer as it is written"),
    ("chat", "Chat: system, user and assistant turns"),
    ("own_probabilities", "Tell how likely it found its own words"),
    ("logprobs", "Tell how likely any answer is (targets, leave one out)"),
    ("gradients", "Gradient salience and word swaps"),
    ("salience", "Salience"),
)


def draw_model_cards() -> None:
    """One card a model."""
    busy = loading.is_loading()
    for spec in catalog().specs():
        _card(spec, busy)
    with st.expander("How models are set on this machine"):
        lines = [f"{name}: {said}" for name, said in told(service().settings).items()]
        st.caption("  \n".join(map(problem.plain, lines)))


def _facts(spec: ModelSpec, info: dict[str, Any] | None) -> str:
    remote = backend(spec.backend).remote
    facts = [backend(spec.backend).label] if remote else [spec.device.upper()]
    if info is None:
        facts += [] if remote else _size_before(spec)
        facts.append("not connected" if remote else "not in memory")
    else:
        if info["parameters"]:
            facts.append(f"{info['parameters'] / 1e6:,.1f} M parameters")
        facts.append("connected" if remote else f"in memory, {gigabytes(info['bytes'])}")
        if info["context"]:
            facts.append(f"reads {info['context']:,} tokens")
    speed = service().answers.speed(spec)
    if speed is not None:
        facts.append(
            f"wrote {speed:,.0f} tokens a second here" if speed >= 1 else "wrote under a token a second here"
        )
    return " · ".join(facts)


def _size_before(spec: ModelSpec) -> list[str]:
    """Size and weight in memory from the headers of its files; nothing where they do not tell."""
    try:
        sizes = known_sizes(spec)
    except (AppError, OSError, ValueError):
        return []
    if sizes is None:
        return []
    return [f"{sizes.parameters / 1e6:,.1f} M parameters", f"takes {gigabytes(weight_bytes(sizes, spec))}"]


def what_for(spec: ModelSpec, can: Capabilities | None) -> tuple[str, str]:
    """(the badge of a model's card, its colour): whether its reasons can be shown, as far as that is known."""
    if can is None:
        return ("known once connected", "gray") if backend(spec.backend).remote else ("explains", "green")
    if can.gradients or can.salience:
        return ("explains", "green")
    return ("explains by taking out", "green") if can.logprobs else ("only writes", "orange")


def _card(spec: ModelSpec, busy: bool) -> None:
    info = service().info(spec)
    chosen = model_box.chosen() == spec
    name = spec.name
    with st.container(border=True, key=f"model {name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch", gap="xxsmall"):
                badge, colour = what_for(spec, info["capabilities"] if info else None)
                used = " (in use)" if chosen else ""
                st.markdown(f"**{problem.plain(title(spec))}**{used} :{colour}-badge[{badge}]")
                st.caption(problem.plain(_facts(spec, info)))
            if not chosen:
                st.button("Use", key=state.USE_MODEL(name).name, on_click=model_box.choose, args=(name,))
            if service().settings.mode == "hosted":
                pass  # what is in memory is everybody's
            elif info is None:
                word = "Connect" if backend(spec.backend).remote else "Load"
                st.button(
                    word,
                    key=state.LOAD_MODEL(name).name,
                    on_click=loading.start_loading,
                    args=(spec,),
                    disabled=busy,
                )
            else:
                word = "Disconnect" if backend(spec.backend).remote else "Give back memory"
                st.button(
                    word, key=state.EVICT_MODEL(name).name, on_click=_evict, args=(spec,), disabled=busy
                )
            if catalog().added(spec):
                st.button(
                    "Remove", key=state.REMOVE_MODEL(name).name, on_click=_remove, args=(spec,), disabled=busy
                )
        told = [OF_KIND[kind]] if (kind := kind_of_model(spec)) is not None else []
        if said := " ".join(filter(None, (*told, model_box.what_the_other_precision_costs(spec)))):
            st.caption(problem.plain(said))
        if info is not None:
            with st.expander("What it can do"):
                _abilities(info["capabilities"])
                _explained_by(info["capabilities"])
            for note in info["notes"]:
                st.caption(problem.plain(note))


def _explained_by(can: Any) -> None:
    """What this model can be explained by, how exact, how dear: one table."""
    rows = ways(can)
    st.dataframe(
        {
            "Explained by": [row.name for row in rows],
            "Here": ["yes" if row.able else "no" for row in rows],
            "How exact": [row.exact for row in rows],
            "How dear": [row.price for row in rows],
        },
        hide_index=True,
    )


def _abilities(can: Any) -> None:
    lines = []
    for name, label in _ABILITIES:
        able = getattr(can, name)
        why = can.why.get(name, "")
        lines.append(f"{'✓' if able else '✗'} {label}" + (f": {problem.plain(why)}" if why else ""))
    st.markdown("  \n".join(lines))  # two blanks: a line break


def _evict(spec: ModelSpec) -> None:
    # Waits for the model's lock only as long as one piece of its work takes.
    service().manager.evict(service().resolve(spec))


def _remove(spec: ModelSpec) -> None:
    if service().info(spec) is not None:
        _evict(spec)
    catalog().remove(spec)
