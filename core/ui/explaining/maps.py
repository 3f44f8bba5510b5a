"""From an answer to what the token view needs: segments, scores, and the jobs that fill them in.

Everything here is cheap once the matrix is there; the matrix is asked for once an answer is on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError
from core.records import Generation, Option, Reduce, SalienceMatrix, Segment, digest
from core.salience import Method
from core.salience import method as method_called
from core.segments import segments
from core.ui.asking.answering import Answer
from core.ui.explaining.controls import option_key
from core.ui.salience_text import Scores, chosen_weights, pack
from core.ui.shell import problem
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job


Options = tuple[tuple[str, Option], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """Both texts in segments of one granularity."""

    prompt: tuple[Segment, ...]
    response: tuple[Segment, ...]


def parts(generation: Generation, granularity: str, pattern: str | None) -> Parts:
    """Raises: AppError for a pattern that is not a regular expression."""
    tokens = generation.tokens
    return Parts(
        segments(tokens, granularity, "prompt", pattern), segments(tokens, granularity, "response", pattern)
    )


def options(method: Method, here: Parts) -> Options:
    """What the person chose under *Look* for this method, and the segments shown where it needs them."""
    given: list[tuple[str, Option]] = []
    for option in method.options:
        if option.name == "columns":
            spans = [s.tokens for s, keep in zip(here.prompt, aggregate.countable(here.prompt)) if keep]
            given.append((option.name, ",".join(f"{a}:{b}" for a, b in spans)))
        else:
            given.append((option.name, st.session_state.get(option_key(method, option), option.default)))
    return tuple(given)


def matrix(answer: Answer, method: Method, here: Parts) -> SalienceMatrix | None:
    """The finished matrix, if it is known; loads no model."""
    assert answer.generation is not None
    request = service().maps.request(
        answer.generation.tokens, answer.spec, method.name, options(method, here)
    )
    return service().maps.known(request)


def job(answer: Answer, method: Method, here: Parts, first: tuple[int, int] | None) -> Job[SalienceMatrix]:
    """The job that fills the matrix, started on first asking; `first` is explained before the rest."""
    chosen = options(method, here)
    name = digest(method.name, chosen)
    held = answer.map_jobs.get(name)
    if held is None or held.state == "stopped":
        assert answer.generation is not None
        held = service().maps.fill(
            answer.generation.tokens,
            answer.spec,
            method.name,
            owner=owner(),
            options=chosen,
            # One row more than the rows themselves: worth it only where rows cost less than all together.
            first=None if method.late else first,
        )
        answer.map_jobs[name] = held
    return held


def clicked(
    answer: Answer, method: Method, here: Parts, span: tuple[int, int] | None
) -> NDArray[np.float32] | None:
    """Scores (T,) of what was clicked while the matrix is not there yet; None until its own job is done."""
    if span is None or method.late:
        return None
    chosen = options(method, here)
    name = digest(method.name, span, chosen)
    held = answer.span_jobs.get(name)
    if held is None:
        assert answer.generation is not None
        held = service().maps.span(
            answer.generation.tokens, answer.spec, method.name, span, owner=owner(), options=chosen
        )
        answer.span_jobs[name] = held
    return held.result


def span_of(indices: Sequence[int], response: Sequence[Segment]) -> tuple[int, int] | None:
    """The token span of the chosen response segments, where they are next to each other."""
    chosen = sorted(set(indices))
    if not chosen or chosen != list(range(chosen[0], chosen[-1] + 1)):
        return None
    return response[chosen[0]].tokens[0], response[chosen[-1]].tokens[1]


def scores_of(found: SalienceMatrix, here: Parts, chosen: Sequence[int], reduce: Reduce) -> Scores:
    """What the browser needs to explain any selection, from a finished matrix."""
    packed = _packed(found.request.key, here, reduce, found)
    selection = tuple(sorted(set(chosen)))
    if packed.kind != "single" or not selection:
        return packed
    return replace(packed, exact={selection: column_scores(found, here, selection, reduce)})


def scores_so_far(
    answer: Answer,
    method: Method,
    held: Job[SalienceMatrix] | None,
    here: Parts,
    chosen: Sequence[int],
    reduce: Reduce,
) -> Scores:
    """What the browser can show while the matrix fills: the clicked selection alone, by its own backward."""
    selection = tuple(sorted(set(chosen)))
    partial = held.partial if held is not None else None
    span = span_of(selection, here.response)
    scores = partial["scores"] if partial and partial.get("span") == span else None
    if scores is None and partial:
        scores = clicked(answer, method, here, span)
    exact = {} if scores is None else {selection: aggregate.column_scores(scores, here.prompt, reduce)}
    return pack(None, here.response, here.prompt, reduce, exact=exact, negligible=method.negligible)


def column_scores(
    found: SalienceMatrix, here: Parts, chosen: Sequence[int], reduce: Reduce
) -> NDArray[np.float32]:
    """Scores (C,) of the prompt's segments for the chosen response segments together, exactly."""
    return aggregate.column_scores(
        aggregate.select(found, chosen_weights(found, here.response, chosen)), here.prompt, reduce
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _packed(key: str, here: Parts, reduce: Reduce, _found: SalienceMatrix) -> Scores:
    negligible = method_called(_found.request.method).negligible
    return pack(_found, here.response, here.prompt, reduce, negligible=negligible)


def failed(answer: Answer, method: Method, here: Parts) -> bool:
    """Whether the map was asked for and cannot be had."""
    held = answer.map_jobs.get(digest(method.name, options(method, here)))
    return held is not None and held.state == "failed"


def parts_or_lines(
    generation: Generation, granularity: str, pattern: str | None, *, tell: bool = False
) -> Parts:
    """The segments; lines where the person's own expression is at fault, which `tell` says on the page."""
    try:
        return parts(generation, granularity, pattern)
    except AppError as error:
        if tell:
            problem.show(error)
        return parts(generation, "line", None)
