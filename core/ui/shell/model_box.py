"""The sidebar's box: which model is in use, at what precision, and where it runs."""

from __future__ import annotations

import streamlit as st

from core.errors import AppError
from core.models import backend
from core.models.local import folder, folder_checks, real_models, weights_address
from core.models.local.estimate import gigabytes
from core.models.local.precision import what_the_other_costs
from core.records import ModelSpec
from core.ui.shell import problem, services, state
from core.ui.shell.model_list import catalog
from core.ui.shell.services import service


def chosen() -> ModelSpec:
    """The model that the person chose, or the first one."""
    specs = catalog().specs()
    name = state.MODEL.get()
    return next((spec for spec in specs if spec.name == name), specs[0])


def choose(name: str) -> None:
    """Make the model called `name` the chosen one, from the next run of the page on."""
    state.CHOOSE_MODEL.set(name)


def describe(spec: ModelSpec) -> str:
    """One line: size, precision, device and memory; the size only once it is known without loading anything."""
    info = service().info(spec) or {}
    parameters = info.get("parameters")
    size = f"{parameters / 1e6:,.1f} M parameters" if parameters else ""
    device = spec.device.upper() if spec.device in ("cpu", "cuda") else spec.device
    if backend(spec.backend).remote:
        memory = ""
    else:
        memory = f"in memory, {gigabytes(info['bytes'])}" if info else "not in memory"
    return " · ".join(part for part in (size, spec.precision, device, memory) if part)


def what_the_other_precision_costs(spec: ModelSpec) -> str:
    """A sentence on float32 against bf16 here, for a model that is in memory; "" where there is nothing to say.

    Only then, because it may measure this processor once, which needs torch.
    """
    if service().info(spec) is None or spec.backend != "hugging_face":
        return ""
    try:
        return what_the_other_costs(service().resolve(spec))
    except (AppError, OSError, ValueError):
        return ""


def why_no_model(spec: ModelSpec) -> AppError | None:
    """Why the files of a model of this machine are no model, before anybody asks it; None where nothing speaks against.

    Looks at names only. A visitor is told no path of the operator's.
    """
    path = folder.local(spec.path) if spec.backend == "hugging_face" else None
    fetched = spec.path.startswith(real_models.PREFIX) or weights_address.names(spec.path)
    if path is None or (fetched and not path.exists()):
        return None
    try:
        folder_checks.check(path)
    except AppError as wrong:
        if services.settings().mode != "hosted":
            return wrong
        return AppError(
            f"The model {spec.name} is not there.", hint="Whoever runs this page has to mend MODEL_CONFIG."
        )
    return None


def choose_model() -> None:
    """Draw the box in the container that is open."""
    names = [spec.name for spec in catalog().specs()]
    wanted = state.CHOOSE_MODEL.pop("")
    if wanted in names:
        state.MODEL.set(wanted)
    linked = st.query_params.get("model")
    if linked and linked not in names:
        st.warning(problem.plain(f"There is no model “{linked}” here (any more): {chosen().name} is in use."))
    st.selectbox(
        "Model", names, key=state.MODEL.name, bind="query-params", help="More models on the Models page."
    )
    st.caption(describe(chosen()), help=what_the_other_precision_costs(chosen()) or None)
    if wrong := why_no_model(chosen()):
        problem.show_error(wrong)
    _tell_once(chosen())


def _tell_once(spec: ModelSpec) -> None:
    """What the model was found to do otherwise than asked, once a session; the Models page keeps it."""
    told = state.MODEL_NOTES_TOLD.setdefault(set())
    for note in (service().info(spec) or {}).get("notes", ()):
        if (spec.name, note) not in told:
            told.add((spec.name, note))
            st.toast(problem.plain(f"{spec.name}: {note}"))
