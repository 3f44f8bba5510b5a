"""Leave one out: log p(target | whole prompt) − log p(target | prompt without a segment), in nats.

Nothing is approximated: every segment costs one forward pass (from where the segment stood, where the model
can go on from there), and any model that tells log-probabilities will do. Segments are the ones on the page
(option `columns`); a segment's score is spread evenly over its tokens, so that their sum is the measured
change. Removing text also moves what follows it, which is part of what is measured. Ids are cut, never made
again from text. Response tokens are never removed: their columns stay 0.

Source: Li et al. 2016, "Understanding Neural Networks through Representation Erasure", equation 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.family import Field
from core.records import Role, SalienceMatrix, SalienceRequest, Tokens
from core.salience.declaration import Method, Work
from core.salience.scores import finite
from core.salience.taking_out import reader, without

Spans = list[tuple[int, int]]
BOUNDED = (
    "The server tells its likeliest words alone: where the chosen ones were not among them, the figure is the least "
    "that was lost."
)


def _compute(work: Work) -> SalienceMatrix:
    """Signed scores (N, T) in nats; progress moves with every segment.

    Raises: AppError for spans that are none; Stopped.
    """
    request = work.request
    tokens = work.tokens if work.tokens is not None else _bare(request)
    columns = spans(str(work.options["columns"] or ""), request.prompt_len)
    columns = columns or [
        (i, i + 1)
        for i in range(request.prompt_len)
        if not tokens.special[i] and tokens.role[i] == Role.PROMPT
    ]
    values = np.zeros((len(request.targets), len(request.ids)), np.float32)
    asked = sorted({row - tokens.prompt_len for a, b in request.targets for row in range(a, b)})
    ask = reader(work.model, tokens, rows=asked, stop=work.stop)
    whole = ask(tokens).logprob_nats
    note, bounded = "", False
    for done, (start, end) in enumerate(columns):
        if done and work.on_progress is not None:
            work.on_progress(done / len(columns))
        if work.stop is not None and work.stop.is_set():
            raise Stopped()
        rest = without(tokens, start, end)
        if rest.prompt_len == 0:
            note = "The segment is the whole prompt, so there is nothing left to compare it with."
            continue
        reading = ask(rest)
        lost = whole - reading.logprob_nats
        finite(lost[asked])
        bounded = bounded or (reading.bound is not None and bool(reading.bound[asked].any()))
        for row, (first, last) in enumerate(request.targets):
            inside = slice(max(first - tokens.prompt_len, 0), last - tokens.prompt_len)
            values[row, start:end] = lost[inside].sum() / (end - start)
    if work.on_progress is not None:
        work.on_progress(1.0)
    note = note or locked_note(tokens, columns)
    if bounded:
        note = f"{note} {BOUNDED}".strip()
    for row in range(len(values)):
        if work.on_row is not None:
            work.on_row(row, values[row])
    return SalienceMatrix(request, values, None, METHOD.signed, METHOD.units, note)


def locked_note(tokens: Tokens, columns: Spans) -> str:
    """What to say where a part of the prompt's own text is in none of `columns`: it stays in, unmeasured."""
    own = ~tokens.special[: tokens.prompt_len] & (tokens.role[: tokens.prompt_len] == Role.PROMPT)
    for start, end in columns:
        own[start:end] = False
    if not own.any():
        return ""
    return "What is locked (the question or the cue at the end) stays in: it is not measured, and its 0 says nothing."


def unmeasured(request: SalienceRequest) -> NDArray[np.bool_]:
    """(T,) the prompt's tokens that stand in no segment (they are locked), or in one that is the whole prompt."""
    found = spans(str(dict(request.options).get("columns") or ""), request.prompt_len)
    unknown = np.arange(len(request.ids)) < request.prompt_len
    for start, end in found or [(i, i + 1) for i in range(request.prompt_len)]:
        unknown[start:end] = end - start == request.prompt_len
    return unknown


def spans(text: str, prompt_len: int) -> Spans:
    """`first:last,first:last` as half-open token spans within the prompt, in order and apart.

    Raises: AppError for anything else.
    """
    found: Spans = []
    for part in filter(None, text.split(",")):
        first, colon, last = part.partition(":")
        good = colon and first.strip().isdecimal() and last.strip().isdecimal()
        span = (int(first), int(last)) if good else (0, 0)
        if not (found[-1][1] if found else 0) <= span[0] < span[1] <= prompt_len:
            raise AppError(
                f"Segments should be token spans within the prompt's {prompt_len:,} tokens, in order "
                f"and apart, such as 0:4,4:9, but there is {part!r}."
            )
        found.append(span)
    return found


def columns_option(parts: Sequence[tuple[int, int]]) -> tuple[str, str]:
    """The option that carries the spans of the segments shown."""
    return "columns", ",".join(f"{first}:{last}" for first, last in parts)


def _bare(request: SalienceRequest) -> Tokens:
    """Tokens without text, enough for a model that reads ids."""
    size = len(request.ids)
    role = np.where(np.arange(size) < request.prompt_len, Role.PROMPT, Role.RESPONSE)
    return Tokens(
        np.array(request.ids),
        "",
        np.zeros((size, 2), np.int64),
        np.zeros(size, bool),
        role,
        request.prompt_len,
    )


METHOD = Method(
    name="leave_one_out",
    label="Leave one out",
    description="How much less likely the answer becomes when a segment is taken out of the prompt: measured, "
    "one pass of the model a segment.",
    units="nats",
    signed=True,
    combines="add",
    compute=_compute,
    needs="logprobs",
    unmeasured=unmeasured,
    negligible=0.1,  # a tenth more or less likely: a convention, see docs/methods/leave_one_out.md
    options=(
        Field(
            name="columns",
            label="Segments",
            kind="line",
            default="",
            description="Token spans of the segments, as first:last,first:last; empty: every token of the prompt.",
            hidden=True,
        ),
    ),
)
