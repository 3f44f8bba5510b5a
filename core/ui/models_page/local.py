"""The form for a model on this machine: which, in which precision, where, and whether it fits."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import streamlit as st

from core.errors import AppError
from core.models import BACKENDS, backend
from core.models.local.devices import Device, available
from core.models.local.estimate import estimate, gigabytes
from core.models.local.precision import automatic
from core.models.presets import PRESETS, Preset
from core.records import ModelSpec, Quantization
from core.ui.shell import loading, problem, state
from core.ui.shell.services import service

_LOCAL = {member.name: member for member in BACKENDS if not member.remote}
PRECISIONS = {
    "float32": "float32 (4 bytes)",
    "bfloat16": "bfloat16 (2 bytes)",
    "float16": "float16 (2 bytes)",
    "int8": "int8 (1 byte)",
    "nf4": "nf4 (half a byte)",
}


ROWS = 64
"""Tokens of an answer that the estimate explains at once, of the length asked for."""


@st.cache_data(ttl=10, show_spinner="Looking at this machine")
def devices() -> tuple[Device, ...]:
    """Where a model can run, and what is free there (for ten seconds)."""
    return available()


def _usual(path: str, device: str) -> str:
    """The precision that is offered first, by the same rule as for the start-up model."""
    if device != "cpu":
        return "nf4"
    try:
        return _usual_here(path) if path else "float32"
    except (AppError, OSError, ValueError):  # the estimate says what is wrong with that folder
        return "float32"


@st.cache_data(max_entries=64, show_spinner="Trying which precision this processor is faster in")
def _usual_here(path: str) -> str:
    choice = automatic(path)
    return choice.dtype if choice.device == "cpu" else "float32"


def draw_folder_form() -> None:
    """Draw the form and the estimate."""
    presets = {preset.name: preset for preset in PRESETS}
    chosen = st.selectbox(
        "Model",
        list(presets),
        index=None,
        accept_new_options=True,
        placeholder="Choose one, or type a name on the hub (owner/name), a folder or a .gguf file",
        key=state.LOCAL_MODEL.name,
        format_func=lambda name: f"{name} (needs a licence accepted)" if _gated(presets, name) else name,
    )
    here = devices()
    one, two, three = st.columns(3)
    device = one.selectbox(
        "Runs on",
        [d.name for d in here],
        format_func={d.name: f"{d.label}, {gigabytes(d.free_bytes)} free" for d in here}.__getitem__,
        key=state.LOCAL_DEVICE.name,
    )
    path = presets[chosen].path if chosen in presets else (chosen or "").strip()
    usual = _usual(path, device)
    precision = two.selectbox(
        "Precision",
        list(PRECISIONS),
        index=list(PRECISIONS).index(usual),
        format_func=PRECISIONS.__getitem__,
        key=state.LOCAL_PRECISION(usual).name,
        help="In brackets: what a weight takes. float32 is exact; float16 overflows in some models; int8 "
        "and nf4 change the weights a little.",
    )
    length = three.number_input(
        "Length in tokens",
        16,
        131_072,
        1024,
        step=256,
        key=state.LOCAL_LENGTH.name,
        help="Of prompt and answer together, for the estimate of what explaining an answer takes.",
    )
    with st.expander("More"):
        library = st.selectbox(
            "Library",
            list(_LOCAL),
            format_func=lambda name: _LOCAL[name].label,
            key=state.LOCAL_LIBRARY.name,
            help="  \n".join(f"**{m.label}**: {m.description}" for m in _LOCAL.values()),
        )
        revision = st.text_input("Revision on the hub (empty: the newest)", key=state.LOCAL_REVISION.name)
    if not chosen:
        _what_fits(library, precision, device, int(length))
        return
    name = chosen if chosen in presets else Path(path).name
    try:
        spec = _spec(name, path, library, revision.strip(), precision, device)
    except AppError as error:
        problem.show_error(error)
        return
    if _gated(presets, chosen):
        st.caption(
            problem.plain(
                f"Accept its licence at https://huggingface.co/{path} and start Whence with HF_TOKEN set to "
                "a token of your account, else it cannot be fetched."
            )
        )
    fits = _estimate(spec, int(length))
    st.button(
        "Load",
        type="primary",
        key=state.LOAD_LOCAL.name,
        on_click=loading.start_loading,
        args=(spec,),
        disabled=loading.is_loading() or not fits,
    )


def _estimate(spec: ModelSpec, tokens: int) -> bool:
    """Say what `spec` needs and what is free. Returns whether its weights fit (or nobody can tell)."""
    try:
        found = estimate(spec, tokens, min(ROWS, tokens // 2), freed=_freed(spec))
    except AppError as error:
        problem.show_error(error)
        return False
    except (OSError, ValueError) as error:
        problem.show_error(
            AppError(f"The folder {spec.path} cannot be read as a model ({type(error).__name__}).")
        )
        return False
    if found is None:
        st.caption("How much memory it needs is known once its configuration has been fetched.")
        return True
    if not found.loads:
        st.error(
            problem.plain(
                f"{found.sentence} The weights do not fit with a tenth to spare: choose fewer bytes "
                "a weight, or a smaller model."
            )
        )
    elif not found.fits:
        st.warning(
            problem.plain(found.sentence)
            + " It loads, but a map that long is made in smaller pieces, which takes longer."
        )
    else:
        st.info(problem.plain(found.sentence) + " It fits.")
    return found.loads


def _what_fits(library: str, precision: str, device: str, tokens: int) -> None:
    """Before anything is chosen: what the offered models would need as the form stands, and which fit."""
    found = [
        (
            preset,
            estimate(
                _spec(preset.name, preset.path, library, "", precision, device),
                tokens,
                min(ROWS, tokens // 2),
            ),
        )
        for preset in PRESETS
    ]
    known = [(preset, one) for preset, one in found if one is not None]
    if not known:
        return
    st.caption(f"In {precision} on this machine, {gigabytes(known[0][1].free_bytes)} free:")
    st.dataframe(
        {
            "Model": [preset.name for preset, _ in known],
            "Weights": [gigabytes(one.weight_bytes) for _, one in known],
            f"To explain {known[0][1].rows:,} of {tokens:,} tokens": [
                gigabytes(one.salience_bytes) if one.salience_bytes is not None else "" for _, one in known
            ],
            "Fits": ["yes" if one.fits else "weights only" if one.loads else "no" for _, one in known],
        },
        hide_index=True,
    )


def _freed(spec: ModelSpec) -> int:
    """Bytes that the model in memory gives back before `spec` is loaded in its place."""
    before = [other for other in service().manager.loaded if not backend(other.backend).remote]
    same = [other for other in before if (other.device == "cpu") == (spec.device == "cpu")]
    return sum((service().info(other) or {}).get("bytes", 0) for other in same)


def _gated(presets: dict[str, Preset], name: str) -> bool:
    return name in presets and presets[name].gated


def _spec(name: str, path: str, library: str, revision: str, precision: str, device: str) -> ModelSpec:
    quantised = precision in ("int8", "nf4")
    dtype = precision
    if quantised:
        dtype = "float32" if device == "cpu" else "float16" if precision == "int8" else "bfloat16"
    return ModelSpec(
        name,
        path,
        backend=library,
        revision=revision,
        dtype=dtype,
        quantization=cast(Quantization, precision if quantised else "none"),
        device=device,
    )
