"""The models that other programs have put on this machine, with what each is and one button that loads it."""

from __future__ import annotations

import streamlit as st

from core.errors import AppError
from core.models.local import hub_cache
from core.models.local.estimate import estimate, gigabytes
from core.models.local.found_models import FoundModel, find
from core.models.local.precision import automatic
from core.records import ModelSpec
from core.ui.shell import loading, problem, state
from core.ui.shell.services import service


@st.cache_data(ttl=60, show_spinner="Looking for models on this machine")
def _found() -> tuple[FoundModel, ...]:
    return find()


@st.cache_data(ttl=60, show_spinner=False)
def _cache_sentence(most: int) -> str:
    return hub_cache.sentence(most)


def draw_models_found() -> None:
    """List them, or say where was looked."""
    listed = _found()
    if said := _cache_sentence(service().settings.max_hub_bytes):
        st.caption(problem.plain(said))
    if not listed:
        st.caption(
            "No models were found in the folders of the Hugging Face cache, Ollama, LM Studio and llama.cpp. A folder "
            "or a .gguf file elsewhere is opened by its path."
        )
        return
    with st.expander(f"Found on this machine: {len(listed)}", expanded=len(listed) <= 5):
        for number, model in enumerate(listed):
            _row(model, number)


def _row(model: FoundModel, number: int) -> None:
    parts = [
        model.program,
        model.architecture,
        model.quantization,
        gigabytes(model.bytes) if model.bytes else "",
    ]
    if model.parameters:
        parts.append(f"{model.parameters / 1e6:,.0f} M parameters")
    fits, spec = True, None
    if not model.why:
        spec = _spec(model)
        fits = _fits(spec)
        parts.append("chats and continues texts" if model.chat else "continues texts")
        parts.append("fits the free memory" if fits else "does not fit the free memory")
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f"###### {problem.plain(model.name)}")
            st.caption(problem.plain(" · ".join(filter(None, parts))))
            if model.why:
                st.caption(problem.plain(model.why))
        if spec is not None:
            st.button(
                "Load",
                key=state.LOAD_FOUND(number).name,
                on_click=loading.start_loading,
                args=(spec,),
                disabled=loading.is_loading() or not fits,
            )


def _spec(model: FoundModel) -> ModelSpec:
    path = str(model.path)
    try:
        choice = automatic(path)
    except AppError:
        return ModelSpec(model.name, path)
    return ModelSpec(
        model.name, path, dtype=choice.dtype, quantization=choice.quantization, device=choice.device
    )


def _fits(spec: ModelSpec) -> bool:
    try:
        told = estimate(spec)
    except (AppError, OSError, ValueError):
        return False
    return told is None or told.loads
