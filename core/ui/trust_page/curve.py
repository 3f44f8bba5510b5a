"""The lower half of the Trust page: the deletion (or insertion) curve of the example at hand.

No known cause is needed, so this works for every model that tells log-probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import target_choice
from core.errors import AppError
from core.faithfulness import Trace, countable_parts, curves
from core.figures.captions import DELETION
from core.figures.curves import Curve, deletion_curves
from core.records import Segment, Tokens
from core.salience import METHODS, method
from core.segments import GRANULARITIES
from core.store.keys import question_key
from core.ui.asking import answering
from core.ui.asking.answering import Answer
from core.ui.explaining import maps
from core.ui.explaining.marks import of_method
from core.ui.shell import frame, job_box, looking, problem, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import JobContext
    from core.models.language_model import LanguageModel

JOB = "deletion"
REMOVE, PUT_IN = "remove", "put in"
DEFAULT = ("grad_l2", "grad_dot_input", "leave_one_out")
INSERTION = (
    "How likely the answer becomes while parts of the prompt are put back, the strongest first: the faster "
    "it rises, the better the map found what the answer rests on."
)
MOST_PARTS = 400


@dataclass(frozen=True, slots=True)
class CurveQuestion:
    """What a curve is of."""

    tokens: Tokens
    target: tuple[int, int]
    text: str
    parts: tuple[Segment, ...]
    methods: tuple[str, ...]
    insertion: bool
    asks: tuple[Any, ...]
    key: str
    """Of the finished curve, in the session."""


def draw_curve(answer: Answer | None) -> None:
    """Draw the choices, the button, the job's progress and the curve."""
    if answer is None or answer.generation is None:
        st.info(
            "This model has not answered this prompt yet. Press Run under “Why this answer?”, then come back."
        )
        st.page_link("pages/salience.py", label="Why this answer?")
        return
    names, granularity, way = _choices()
    asked = _asked(answer, names, granularity, way == PUT_IN)
    if asked is None:
        st.caption("The answer is empty, so there is nothing to explain.")
        return
    st.caption(
        problem.plain(
            f"Explained: “{asked.text}” Select another part of the answer under “Why this answer?”."
        )
    )
    known = state.DELETION_CURVES.setdefault({})
    if asked.key not in known and not job_box.is_running(JOB):
        passes = len(asked.methods) * 11 + 55
        if st.button("Draw the curve", type="primary", disabled=not names):
            begin_deletion(asked, answer)
            st.rerun()
        st.caption(f"About {passes:,} short passes of the model, more for methods that look at every part.")
    job_box.draw_job(JOB, _keep)
    if asked.key in known:
        _show(known[asked.key], asked.insertion)


def _choices() -> tuple[list[str], str, str]:
    members = {m.name: m for m in METHODS}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect(
            "Methods",
            list(members),
            default=[name for name in DEFAULT if name in members],
            format_func=lambda name: members[name].label,
            key=state.TRUST_METHODS.name,
            persist_state="session",
        )
        granularity = st.selectbox(
            "Parts",
            [g.name for g in GRANULARITIES if g.name not in ("token", "custom")],
            index=2,
            format_func={g.name: g.label for g in GRANULARITIES}.__getitem__,
            key=state.TRUST_PARTS.name,
            persist_state="session",
            width=150,
        )
        way = st.radio(
            "Strongest parts first",
            [REMOVE, PUT_IN],
            format_func=str.capitalize,
            key=state.TRUST_WAY.name,
            persist_state="session",
            horizontal=True,
        )
    return list(names), granularity, way or REMOVE


def _asked(answer: Answer, names: Sequence[str], granularity: str, insertion: bool) -> CurveQuestion | None:
    assert answer.generation is not None
    tokens = answer.generation.tokens
    here = maps.parts_or_lines(answer.generation, state.GRANULARITY.get("line"), state.PATTERN.get())
    chosen = target_choice.carried_over(
        answering.target(tokens.response), here.response, tokens.response, tokens.prompt_chars
    )
    span = maps.span_of(chosen, here.response)
    if span is None and chosen:
        span = here.response[chosen[-1]].tokens
    if span is None or span[0] == span[1]:
        return None
    first, last = int(tokens.char_spans[span[0], 0]), int(tokens.char_spans[span[1] - 1, 1])
    parts = countable_parts(maps.parts(answer.generation, granularity, None).prompt)
    asks = (tokens.ids.tolist(), span, granularity, list(names), insertion)
    key = question_key(JOB, service().resolve(answer.spec), *asks)
    text = tokens.text[first:last].strip()
    return CurveQuestion(tokens, span, text, parts, tuple(names), insertion, asks, key)


def begin_deletion(asked: CurveQuestion, answer: Answer) -> None:
    """Start the job. Raises: AppError for more parts than anybody waits for."""
    if len(asked.parts) > MOST_PARTS:
        raise AppError(
            f"The prompt has {len(asked.parts):,} parts; at most {MOST_PARTS:,} are tried.",
            hint="Choose lines or paragraphs.",
        )

    def work(model: LanguageModel, context: JobContext) -> tuple[str, tuple[Trace, ...]]:
        def tick(share: float, what: str) -> None:
            context.check()
            context.progress(share, what)

        members = [method(name) for name in asked.methods]
        made = curves(
            model, asked.tokens, asked.target, asked.parts, members,
            insertion=asked.insertion, tick=tick, stop=context.stop,
        )  # fmt: skip
        return asked.key, made

    job_box.hold_job(
        JOB,
        service().with_model(
            work,
            answer.spec,
            kind=JOB,
            asks=asked.asks,
            owner=owner(),
            view=looking.view_on_show(),
            label="Deletion curve",
        ),
    )


def _keep(result: Any) -> None:
    key, traces = result
    state.DELETION_CURVES.setdefault({})[key] = traces


def in_words(traces: Sequence[Trace]) -> str:
    """Which order beat chance, and by how much."""
    said = [
        f"{trace.label}: {abs(trace.area_nats):.2f} nats {'better' if trace.area_nats > 0 else 'worse'}"
        for trace in sorted(traces, key=lambda t: -t.area_nats)
        if not trace.control
    ]
    return f"Against random orders, on the average over the curve: {', '.join(said)}." if said else ""


def _show(traces: Sequence[Trace], insertion: bool) -> None:
    named = {m.label: of_method(m.name) for m in METHODS}
    drawn = [
        Curve(t.label, t.parts, t.logprob_nats, t.steps, t.low, t.high, t.control, named.get(t.label))
        for t in traces
    ]
    st.plotly_chart(
        deletion_curves(drawn, theme=frame.theme(), removed=not insertion),
        theme=None,
        config={"displayModeBar": False},
        key=state.DELETION_CURVE.name,
        alt="Log-probability of the answer as parts of the prompt are removed or put in, strongest first",
    )
    st.markdown(problem.plain(in_words(traces)))
    st.caption(f"{INSERTION if insertion else DELETION} The shaded band spans the random orders.")
