"""What this browser session knows of one example's answer: the job that writes it, the answer, its maps.

Kept in the session so that a rerun of the page finds it again; what is finished is also in the store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import AppError
from core.records import Example, Generation, GenerationParams, ModelSpec, SalienceMatrix
from core.ui.asking import versions
from core.ui.asking.conversation import Prompt
from core.ui.asking.target_choice import Target
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job


@dataclass
class Answer:
    """The newest answer of a model to one example, finished or on its way."""

    example_id: str
    prompt: str
    sent: Prompt
    spec: ModelSpec
    params: GenerationParams
    generation: Generation | None = None
    job: Job[Generation] | None = None
    error: AppError | None = None
    map_jobs: dict[str, Job[SalienceMatrix]] = field(default_factory=dict)
    span_jobs: dict[str, Job[NDArray[np.float32]]] = field(default_factory=dict)

    @property
    def writing(self) -> bool:
        return self.job is not None and self.generation is None and self.error is None

    def settle(self) -> bool:
        """Take over what the job has made; True when it has ended just now."""
        job = self.job
        if job is None or not self.writing or not job.finished:
            return False
        self.generation = job.result
        if self.generation is None:
            self.error = job.error or AppError("The model wrote nothing.", hint="Run it again.")
        return True


def _answers() -> dict[tuple[str, str, str], Answer]:
    held: dict[tuple[str, str, str], Answer] = st.session_state.setdefault("answers", {})
    return held


def _key(example_id: str, spec: ModelSpec) -> tuple[str, str, str]:
    return (example_id, spec.name, spec.precision)


def current(example: Example, sent: Prompt, spec: ModelSpec, params: GenerationParams) -> Answer | None:
    """The answer on the screen: this session's newest one, else one that is known already; loads no model."""
    held = _answers().get(_key(example.id, spec))
    if held is None:
        found = service().answers.known(sent, spec, params, example_id=example.id)
        if found is None:
            return None
        held = Answer(example.id, example.prompt, sent, spec, params, generation=found)
        _answers()[_key(example.id, spec)] = held
    held.settle()
    return held


def start(
    example: Example,
    prompt: str,
    sent: Callable[[str, Example], Prompt],
    spec: ModelSpec,
    params: GenerationParams,
    fields: Mapping[str, Any] | None = None,
) -> Example:
    """Ask the model; an edited prompt becomes a version of its own first, so that nothing is lost.

    `fields` are kept beside the prompt; `sent` tells what the model is asked for the version then.
    Returns the example that now holds `prompt`.
    Raises: AppError for an empty prompt, or one past the limits.
    """
    example = versions.keep(example, prompt, edit="edited under “Why this answer?”", fields=fields)
    asked = sent(prompt, example)
    job = service().answers.generate(asked, spec, params, owner=owner(), example_id=example.id)
    answer = Answer(example.id, prompt, asked, spec, params, job=job)
    _answers()[_key(example.id, spec)] = answer
    return example


def target(response: str) -> Target | None:
    """What the person chose to explain last, wherever they chose it; at first what the link says."""
    if "target" not in st.session_state:
        start, _, stop = str(st.query_params.get("target", "")).partition("-")
        if not (start.isdigit() and stop.isdigit() and int(start) < int(stop) <= len(response)):
            return None
        st.session_state["target"] = Target((int(start), int(stop)), response)
    found: Target | None = st.session_state["target"]
    return found


def choose_target(chosen: Target | None) -> None:
    """Keep `chosen` across answers and pages, and put its place in the response into the link."""
    st.session_state["target"] = chosen
    if chosen is None:
        st.query_params.pop("target", None)
    else:
        st.query_params["target"] = f"{chosen.chars[0]}-{chosen.chars[1]}"


ENDINGS = {
    "eos": "ended by itself",
    "length": "cut at the longest length allowed",
    "stop": "ended at a stop text",
    "stopped": "stopped by you",
    "filtered": "cut by the server's content filter",
}


def facts(generation: Generation) -> str:
    """One line under the answer: how likely the model found it, how long it is, how long it took."""
    rows = generation.logprob_nats
    known = len(rows) and bool(np.isfinite(rows).all())  # a model elsewhere may not tell
    likely = f"likely {math.exp(float(rows.mean())):.2f} a token, " if known else ""
    count = f"{len(rows)} token{'' if len(rows) == 1 else 's'}"
    return f"{likely}{count}, {generation.seconds:.1f} s, {ENDINGS[generation.stop_reason]}"
