"""What this browser session knows of one example's answer: the job that writes it, the answer, its maps.

Kept in the session so that a rerun of the page finds it again; what is finished is also in the store. The
answer on the screen stays until the next one is there; an edited prompt becomes a version of its own only
with an answer, so that a run that failed leaves the draft as it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import target_choice
from core.errors import AppError
from core.records import Example, Generation, GenerationParams, Message, ModelSpec
from core.store.keys import generation_key
from core.target_choice import Target
from core.ui.asking import conversation, parameters
from core.ui.asking.conversation import Prompt
from core.ui.shell import address, library, looking, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job
    from core.service.maps import Matrices


@dataclass
class Answer:
    """The newest answer of a model to one example, finished or on its way.

    `keeps` makes the example that holds what was run, once it has an answer; `before` is the answer that was
    on the screen when this one was asked for.
    """

    example_id: str
    sent: Prompt
    spec: ModelSpec
    params: GenerationParams
    generation: Generation | None = None
    job: Job[Generation] | None = None
    error: AppError | None = None
    keeps: Callable[[], Example] | None = None
    before: Answer | None = None
    map_jobs: dict[str, Job[Matrices]] = field(default_factory=dict)
    span_jobs: dict[str, Job[NDArray[np.float32]]] = field(default_factory=dict)

    @property
    def writing(self) -> bool:
        return self.job is not None and self.generation is None and self.error is None

    @property
    def key(self) -> str:
        """The answer's content id: what a link names."""
        return generation_key(self.sent, service().resolve(self.spec), self.params)

    def settle(self) -> bool:
        """Take over what the job has made; True when it has ended just now."""
        job = self.job
        if job is None or not self.writing or not job.finished:
            return False
        self.generation = job.result
        if self.generation is None:
            self.error = job.error or AppError("The model wrote nothing.", hint="Run it again.")
        return True


Held = dict[tuple[str, str, str], Answer]


def _answers() -> Held:
    return state.ANSWERS.setdefault({})


def _asked() -> Held:
    return state.ASKED.setdefault({})


def _key(example_id: str, spec: ModelSpec) -> tuple[str, str, str]:
    return (example_id, spec.name, spec.precision)


def answer_on_show(
    example: Example, sent: Prompt, spec: ModelSpec, params: GenerationParams
) -> Answer | None:
    """The answer on the screen: this session's newest one, else one that is known already; loads no model."""
    held = _answers().get(_key(example.id, spec))
    if held is None:
        found = service().answers.known(sent, spec, params, example_id=example.id)
        if found is None:
            wanted = partial(parameters.fits, wanted=params)
            found = service().answers.alike(sent, spec, wanted, example_id=example.id)
        if found is None:
            return None
        held = Answer(example.id, sent, spec, found.params, generation=found)
        _answers()[_key(example.id, spec)] = held
    return held


def has_answer(example: Example, spec: ModelSpec) -> bool:
    """Whether this session has an answer of the model to `example`, or has asked for one."""
    key = _key(example.id, spec)
    return key in _answers() or key in _asked()


def linked(example: Example) -> Answer | None:
    """Take over the answer that the link names, made by whatever model and settings; None where it names none.

    A link names its answer by content, so that it opens without loading the model, and without the model.
    """
    key = address.asked("answer", state.LINK_TAKEN.get(""))
    if not key or state.LINK_TAKEN.get() == key:
        return None
    state.LINK_TAKEN.set(key)
    found = service().store.generation(key, example_id=example.id)
    if found is None:
        state.LINK_MISSING.set(key)
        return None
    sent: Prompt = example.prompt
    ways: tuple[Prompt, ...] = (
        example.prompt,
        (*(conversation.turns_of(example) or ()), Message("user", example.prompt)),
    )
    for way in ways:
        if generation_key(way, found.model, found.params) == key:
            sent = way
            break
    else:
        state.LINK_MISSING.set(key)
        return None
    held = Answer(example.id, sent, found.model, found.params, generation=found)
    _answers()[_key(example.id, found.model)] = held
    return held


def linked_answer_is_missing() -> bool:
    """Whether the link named an answer that is not kept here, or not of this prompt; told once."""
    return bool(state.LINK_MISSING.pop())


def into_link(answer: Answer | None) -> None:
    """Name the answer on the screen in the address; one that was stopped midway is not kept, so not named."""
    whole = (
        answer is not None and answer.generation is not None and answer.generation.stop_reason != "stopped"
    )
    if answer is None or not whole:
        address.drop("answer")
        return
    state.LINK_TAKEN.set(answer.key)
    address.put("answer", answer.key)


def asked(example: Example, spec: ModelSpec) -> Answer | None:
    """What was run last for `example` and has no answer yet: on its way, or failed."""
    return _asked().get(_key(example.id, spec))


def ask_model(
    example: Example, sent: Prompt, spec: ModelSpec, params: GenerationParams, keeps: Callable[[], Example]
) -> Answer:
    """Ask the model `sent`; what was asked for `example` before and is still on its way is stopped.

    `keeps` makes the version that holds what was asked, once there is an answer to it.
    Raises: AppError past the limits.
    """
    key = _key(example.id, spec)
    before = _answers().get(key)
    job = service().answers.generate(
        sent,
        spec,
        params,
        owner=owner(),
        view=looking.view_on_show(),
        example_id=example.id,
        draft=before.generation if before is not None else None,
    )
    library.workspace().did(f"ran {spec.name} on example {example.id}")
    _asked()[key] = Answer(example.id, sent, spec, params, job=job, keeps=keeps, before=before)
    return _asked()[key]


def settle_answer(example: Example, spec: ModelSpec) -> bool:
    """Put what was asked for `example` on the screen once it is answered. Returns whether that was now.

    A run that failed, or that was stopped before its first word, leaves the screen as it is.
    """
    new = asked(example, spec)
    if new is None:
        return False
    ended = new.settle()
    if new.generation is None:
        return ended
    try:
        kept = new.keeps() if new.keeps is not None else example
    except AppError as error:
        new.error, new.generation = error, None
        return True
    new.example_id = kept.id
    new.generation = replace(new.generation, example_id=kept.id)
    _answers()[_key(kept.id, spec)] = new
    library.open_example(kept.id)
    # Last: a drawing may be cut off anywhere by a newer one, which then does all of this anew.
    del _asked()[_key(example.id, spec)]
    return True


def forget_asked(example: Example, spec: ModelSpec) -> None:
    """Take a run that failed off the page."""
    _asked().pop(_key(example.id, spec), None)


def target(response: str) -> Target | None:
    """What the person chose to explain last, wherever they chose it; at first what the link says."""
    if not state.TARGET.held:
        found = target_choice.of_link(str(st.query_params.get("target", "")), response)
        if found is not None:
            state.TARGET.set(found)
        return found
    return state.TARGET.there()


def choose_target(chosen: Target | None) -> None:
    """Keep `chosen` across answers and pages, and put its place in the response into the link."""
    state.TARGET.set(chosen)
    if chosen is None:
        st.query_params.pop("target", None)
    else:
        st.query_params["target"] = chosen.link


ENDINGS = {
    "eos": "ended by itself",
    "length": "cut at the longest length allowed",
    "stop": "ended at a stop text",
    "stopped": "stopped by you",
    "filtered": "cut by the server's content filter",
}


def facts_of_answer(generation: Generation) -> str:
    """One line under the answer: how likely the model found it, how long it is, how long it took."""
    rows = generation.logprob_nats
    known = len(rows) and bool(np.isfinite(rows).all())  # a model elsewhere may not tell
    parts = []
    if known:
        least = math.exp(min(0.0, float(rows.min())))
        sure = least >= 0.5
        said = f"{math.floor(100 * least) / 100:.2f}"
        parts.append(f"every token at least {said} likely" if sure else f"least likely token {least:.2f}")
    parts.append(f"{len(rows):,} token{'' if len(rows) == 1 else 's'}")
    parts += [f"{generation.seconds:.1f} s", ENDINGS[generation.stop_reason]]
    return ", ".join(parts)
