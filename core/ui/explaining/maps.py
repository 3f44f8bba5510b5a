"""From an answer to what the token view needs: segments, scores, and the jobs that fill them in.

Everything here is cheap once the matrix is there; the matrix is asked for once an answer is on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError
from core.records import Combines, Generation, Option, Reduce, SalienceMatrix, Segment, digest
from core.salience import Method
from core.salience import method as method_called
from core.salience.leave_one_out import columns_option
from core.segments import segments
from core.ui.asking.answering import Answer
from core.ui.explaining import locks
from core.ui.salience_text import Scores, chosen_weights, pack
from core.ui.shell import forms, looking, problem
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job
    from core.service.maps import Matrices


Options = tuple[tuple[str, Option], ...]
Span = tuple[int, int]


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
    said = forms.given(method.name, method.options)
    if any(field.name == "columns" for field in method.options):
        own = [s for s, keep in zip(here.prompt, aggregate.countable(here.prompt)) if keep]
        # The question or the cue at the end stays in: without it there is nothing to answer.
        locked = locks.locked_parts(here.prompt)
        said |= dict([columns_option([s.tokens for place, s in enumerate(own) if place not in locked])])
    return tuple(said.items())


def rows(here: Parts) -> tuple[Span, ...]:
    """Token spans of the parts of the answer that are shown: one row of the map each."""
    return tuple(part.tokens for part in here.response)


def matrix(answer: Answer, method: Method, here: Parts) -> SalienceMatrix | None:
    """The finished matrix, if it is known; loads no model."""
    assert answer.generation is not None
    return service().maps.known_for(
        answer.generation.tokens, answer.spec, method.name, options(method, here), rows(here)
    )


def job(answer: Answer, method: Method, here: Parts, first: Span | None) -> Job[Matrices]:
    """The job that fills the matrix, started on first asking; `first` is explained before the rest.

    It is wanted as long as somebody looks at this page; back here it goes on, with what was kept.
    """
    chosen, shown = options(method, here), rows(here)
    name = _name(method, here)
    held = answer.map_jobs.get(name)
    if held is None or (held.finished and held.unseen):
        assert answer.generation is not None
        held = service().maps.fill(
            answer.generation.tokens,
            answer.spec,
            method.name,
            owner=owner(),
            options=chosen,
            rows=shown,
            first=first,
            view=looking.view_on_show(),
            until="view",
            label=f"Map of the answer, {method.label}",
        )
        answer.map_jobs[name] = held
    return held


def under_way(answer: Answer, method: Method, here: Parts) -> Job[Matrices] | None:
    """The job that was asked for the map, if any."""
    return answer.map_jobs.get(_name(method, here))


def _name(method: Method, here: Parts) -> str:
    return digest(method.name, options(method, here), rows(here))


def clicked(answer: Answer, method: Method, here: Parts, span: Span | None) -> NDArray[np.float32] | None:
    """Scores (T,) of what was clicked while the matrix is not there yet; None until its own job is done."""
    if span is None or method.late:
        return None
    chosen = options(method, here)
    name = digest(method.name, span, chosen)
    held = answer.span_jobs.get(name)
    if held is None or (held.finished and held.unseen):
        assert answer.generation is not None
        held = service().maps.span(
            answer.generation.tokens,
            answer.spec,
            method.name,
            span,
            owner=owner(),
            options=chosen,
            view=looking.view_on_show(),
            until="view",
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
    held: Job[Matrices] | None,
    here: Parts,
    chosen: Sequence[int],
    reduce: Reduce,
) -> Scores:
    """What the browser can show while the matrix fills: every row that is there, and the chosen selection.

    A part that is chosen and has no row yet is computed next; several parts together, by their own backward.
    """
    selection = tuple(sorted(set(chosen)))
    there = rows_so_far(method, held)
    exact: dict[tuple[int, ...], NDArray[np.float32]] = {
        (part.index,): aggregate.column_scores(there[part.tokens], here.prompt, reduce)
        for part in here.response
        if part.tokens in there
    }
    if held is not None and selection and selection not in exact:
        scores = _selected(answer, method, held, here, selection, there)
        if scores is not None:
            exact[selection] = aggregate.column_scores(scores, here.prompt, reduce)
    return pack(
        None,
        here.response,
        here.prompt,
        reduce,
        exact=exact,
        negligible=method.negligible,
        rank_by=method.rank_by,
    )


def _selected(
    answer: Answer,
    method: Method,
    held: Job[Matrices],
    here: Parts,
    selection: tuple[int, ...],
    there: Mapping[Span, NDArray[np.float32]],
) -> NDArray[np.float32] | None:
    """Scores (T,) of a selection that is no row of the map so far."""
    spans = [here.response[index].tokens for index in selection]
    if method.combines == "add" and all(span in there for span in spans):
        return np.sum([there[span] for span in spans], 0)
    if len(spans) == 1 or span_of(selection, here.response) is None:
        for span in reversed(spans):
            service().maps.prefer(held, span)
        return None
    return clicked(answer, method, here, span_of(selection, here.response)) if held.partial else None


def rows_so_far(method: Method, held: Job[Matrices] | None) -> Mapping[Span, NDArray[np.float32]]:
    """The rows of the map that are there, by token span: scores (T,)."""
    return held.partial.of(method.name) if held is not None and held.partial is not None else {}


def selected_so_far(method: Method, held: Job[Matrices] | None, here: Parts, chosen: Sequence[int]) -> bool:
    """Whether the rows that are there tell the chosen selection exactly."""
    there = rows_so_far(method, held)
    known = [here.response[index].tokens in there for index in chosen]
    return bool(known) and all(known) and (len(known) == 1 or method.combines == "add")


def told(answer: Answer, method: Method, here: Parts, chosen: Sequence[int]) -> SalienceMatrix | None:
    """The finished matrix, or what is there of it where that tells the chosen selection exactly."""
    found = matrix(answer, method, here)
    held = answer.map_jobs.get(_name(method, here))
    if found is None and selected_so_far(method, held, here, chosen):
        found = matrix_so_far(answer, method, held, here)
    return found


def matrix_so_far(
    answer: Answer, method: Method, held: Job[Matrices] | None, here: Parts
) -> SalienceMatrix | None:
    """The rows that are there as a matrix of their own, in reading order; None while there is none.

    Each row is exact by itself; what rows make together is known when the whole map is there.
    """
    there = rows_so_far(method, held)
    shown = [span for span in rows(here) if span in there]
    if not shown:
        return None
    assert answer.generation is not None
    request = service().maps.request(
        answer.generation.tokens, answer.spec, method.name, options(method, here), shown
    )
    values = np.array([there[span] for span in shown], np.float32)
    combines: Combines = "add" if method.combines == "add" else "alone"
    shown_rows = replace(request, targets=tuple(shown))
    return SalienceMatrix(shown_rows, values, None, method.signed, method.units, combines=combines)


def column_scores(
    found: SalienceMatrix, here: Parts, chosen: Sequence[int], reduce: Reduce
) -> NDArray[np.float32]:
    """Scores (C,) of the prompt's segments for the chosen response segments together, exactly."""
    return aggregate.column_scores(
        aggregate.select(found, chosen_weights(found, here.response, chosen)), here.prompt, reduce
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _packed(key: str, here: Parts, reduce: Reduce, _found: SalienceMatrix) -> Scores:
    method = method_called(_found.request.method)
    return pack(
        _found, here.response, here.prompt, reduce, negligible=method.negligible, rank_by=method.rank_by
    )


def failed(answer: Answer, method: Method, here: Parts) -> bool:
    """Whether the map was asked for and will not come by itself: it cannot be had, or the person stopped it."""
    held = answer.map_jobs.get(_name(method, here))
    return held is not None and held.state in ("failed", "stopped") and not held.unseen


def go_on(answer: Answer, method: Method, here: Parts) -> None:
    """Ask for the map again after it was stopped; rows of before cost nothing but their backward passes."""
    answer.map_jobs.pop(_name(method, here), None)


def parts_or_lines(
    generation: Generation, granularity: str, pattern: str | None, *, tell: bool = False
) -> Parts:
    """The segments; lines where the person's own expression is at fault, which `tell` says on the page."""
    try:
        return parts(generation, granularity, pattern)
    except AppError as error:
        if tell:
            problem.show_error(error)
        return parts(generation, "line", None)
