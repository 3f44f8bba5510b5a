"""What a link opens: the answer that it names, by the model that wrote it, with the settings it was asked with."""

from __future__ import annotations

import streamlit as st

from core.records import GenerationParams, ModelSpec
from core.ui.asking import answering, parameters, prompt_box
from core.ui.shell import address, getting, library, model_box, problem, state
from core.ui.shell.model_list import catalog
from core.ui.shell.services import service


def take_linked_answer() -> None:
    """Take over the answer that the link names, and the model and settings that it was asked with.

    Comes before any widget. A model that is not here is said to be so (`opened`), never another one shown.
    """
    if library.empty():
        return
    _name_the_shipped_answer()
    held = answering.linked(library.example())
    if held is None:
        return
    parameters.take_parameters(held.params, held.sent, held.spec)
    prompt_box.take_way_of_sending(library.example(), held.sent)
    specs = [spec for spec in catalog().specs() if _same(spec, held.spec)]
    if not specs:
        state.MODEL_NOT_HERE.set((held.key, held.spec))
    elif specs[0].name != model_box.chosen().name:
        model_box.choose(specs[0].name)
        st.rerun()


def _name_the_shipped_answer() -> None:
    """A story of a real model that was come to by a menu or a table opens with the answer that ships for it."""
    model, example = getting.real_model_of(model_box.chosen()), library.example()
    if model is None or st.query_params.get("answer") or answering.has_answer(example, model_box.chosen()):
        return
    story = next((one for one in getting.stories_of(model) if one.example.id == example.id), None)
    if story is not None and model_box.chosen().precision == model.spec().precision:
        address.put("answer", getting.answer_key(model, story))


def opened() -> tuple[ModelSpec, GenerationParams]:
    """The model and settings of the page; where the model of the link's answer is not here, still that one."""
    if answering.linked_answer_is_missing():
        st.warning("The answer that this link names is not kept here. Press Run to ask the model again.")
    key, spec = state.MODEL_NOT_HERE.get(("", None))
    if spec is not None and st.query_params.get("answer") == key:
        st.warning(
            problem.plain(
                f"This answer is by {spec.name} ({spec.precision}), which is not among the models here. "
                "It can be read; to run it again, add that model on the Models page or choose another."
            )
        )
        return spec, _params(spec)
    return model_box.chosen(), _params(model_box.chosen())


def _params(spec: ModelSpec) -> GenerationParams:
    if library.empty():
        return parameters.params(spec=spec)
    example = library.example()
    return parameters.params(prompt_box.sent(example.prompt, example), spec=spec)


def _same(one: ModelSpec, other: ModelSpec) -> bool:
    resolve = service().resolve
    return resolve(one).precision == other.precision and resolve(one).path == other.path
