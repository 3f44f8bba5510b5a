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
from core.records import Generation, Reduce, SalienceMatrix, Segment
from core.segments import segments
from core.ui.salience_page.session import Answer
from core.ui.salience_text import Scores, chosen_weights, pack
from core.ui.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job


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


def matrix(answer: Answer, method: str) -> SalienceMatrix | None:
    """The finished matrix, if it is known; loads no model."""
    assert answer.generation is not None
    request = service().salience_request(answer.generation.tokens, answer.spec, method)
    return service().cached_salience(request)


def job(answer: Answer, method: str, first: tuple[int, int] | None) -> Job[SalienceMatrix]:
    """The job that fills the matrix, started on first asking; `first` is explained before the rest."""
    held = answer.map_jobs.get(method)
    if held is None or (held.finished and held.error is not None and held.state == "stopped"):
        assert answer.generation is not None
        held = service().salience(answer.generation.tokens, answer.spec, method, owner=owner(), first=first)
        answer.map_jobs[method] = held
    return held


def span_of(indices: Sequence[int], response: Sequence[Segment]) -> tuple[int, int] | None:
    """The token span of the chosen response segments, where they are next to each other."""
    chosen = sorted(set(indices))
    if not chosen or chosen != list(range(chosen[0], chosen[-1] + 1)):
        return None
    return response[chosen[0]].tokens[0], response[chosen[-1]].tokens[1]


def scores_now(
    found: SalienceMatrix | None,
    held: Job[SalienceMatrix] | None,
    here: Parts,
    chosen: Sequence[int],
    reduce: Reduce,
) -> Scores:
    """What the browser can show now: all selections from the matrix, else the clicked one alone."""
    selection = tuple(sorted(set(chosen)))
    if found is not None:
        packed = _packed(found.request.key, here, reduce, found)
        if packed.kind != "single" or not selection:
            return packed
        return replace(packed, exact={selection: column_scores(found, here, selection, reduce)})
    exact: dict[tuple[int, ...], NDArray[np.float32]] = {}
    partial = held.partial if held is not None else None
    if partial and partial.get("span") == span_of(selection, here.response):
        exact[selection] = aggregate.column_scores(partial["scores"], here.prompt, reduce)
    return pack(None, here.response, here.prompt, reduce, exact=exact)


def column_scores(
    found: SalienceMatrix, here: Parts, chosen: Sequence[int], reduce: Reduce
) -> NDArray[np.float32]:
    """Scores (C,) of the prompt's segments for the chosen response segments together, exactly."""
    return aggregate.column_scores(
        aggregate.select(found, chosen_weights(found, here.response, chosen)), here.prompt, reduce
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _packed(key: str, here: Parts, reduce: Reduce, _found: SalienceMatrix) -> Scores:
    return pack(_found, here.response, here.prompt, reduce)


def failure(held: Job[SalienceMatrix] | None) -> AppError | None:
    return held.error if held is not None and held.state == "failed" else None
