"""Running the staged changes and showing what each did, the strongest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from core.checks import Outcome
from core.compare import Run
from core.counterfactuals import ORDERS, Effect, flipped, ranked, times
from core.errors import AppError
from core.metrics import METRICS, Metric
from core.records import Example, GenerationParams, ModelSpec, SendAs
from core.runs import Generate, MeasureEffects, Report, runner, to_effects
from core.store.work import WorkList
from core.ui.asking import sending, verdicts
from core.ui.counterfactuals_page.staging import Staged, shortened
from core.ui.shell import diff, job_box, library, problem, state
from core.ui.shell.bar_table import BarFigure, BarLine, BarPanel, bar_table
from core.ui.shell.row_names import row_names
from core.ui.shell.services import owner, service

NONE = "no metric"


def begin_measuring(staged: Staged, spec: ModelSpec, params: GenerationParams, way: SendAs) -> None:
    """The job that measures every kept change; originals without an answer are run first."""
    parents = [staged.originals[name] for name in dict.fromkeys(e.parent_id or "" for e in staged.kept)]
    said = {e.id: service().answers.known(e.sent(way), spec, params) for e in parents}
    missing = [e for e in parents if said[e.id] is None]
    run = runner(service()).run
    if missing:
        job = run(Generate(params, way), missing, spec, workspace=library.workspace(), owner=owner())
        state.AFTER_ANSWERS.set(lambda: begin_measuring(staged, spec, params, way))
        job_box.hold_job("counterfactuals", job)
        return
    answers = {name: found.text for name, found in said.items() if found is not None}
    originals = tuple((e.id, e.sent(way), answers[e.id]) for e in parents)
    job = run(
        MeasureEffects(originals, params, way),
        staged.kept,
        spec,
        workspace=library.workspace(),
        owner=owner(),
    )
    state.EFFECTS.set((staged, {e.id: (e, answers[e.id]) for e in parents}, None, way))
    job_box.hold_job("counterfactuals", job)


def take_over_measured(result: object) -> None:
    """Takes over a finished job: goes on to the measuring, or notes where the results are."""
    if not isinstance(result, Report):
        return
    go_on = state.AFTER_ANSWERS.pop()
    if go_on is not None:
        go_on()
    elif (held := state.EFFECTS.get()) is not None:
        staged, originals, _, way = held
        state.EFFECTS.set((staged, originals, result, way))


def is_measured(staged: Staged) -> bool:
    """Whether the effects of `staged` have been measured."""
    held = state.EFFECTS.get()
    return held is not None and held[0] is staged and held[2] is not None


def draw_effects(staged: Staged) -> None:
    """The ranked effects of `staged`, where they have been measured."""
    if not is_measured(staged):
        return
    _, originals, report, way = state.EFFECTS.there()
    edits = row_names(staged.originals.values()) | {one.id: one.edit for one in staged.examples}
    for name, reason in report.failed[:5]:
        st.warning(problem.plain(f"{edits.get(name, name)}: {reason}"))
    for told in report.told:
        st.caption(f":material/info: {problem.plain(told)}")
    results = WorkList(library.workspace()).results(report.work_id)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.selectbox(
            "Strongest first by",
            [name for name, _ in ORDERS],
            format_func=dict(ORDERS).__getitem__,
            key=state.EFFECTS_ORDER.name,
            persist_state="session",
            width=280,
        )
        metric = _metric()
    try:
        found = ranked(to_effects(staged.examples, originals, results, metric), order or "logprob")
    except AppError as error:
        problem.show_error(error)
        return
    changed, known = flipped(found)
    st.subheader(f"{changed:,} of {known:,} changes made the model answer something else", anchor=False)
    outcomes = _outcomes(found, originals)
    if outcomes:
        counted = Counter(turned(*pair) for pair in outcomes.values())
        said = ", ".join(f"{turn}: {count:,}" for turn, count in counted.most_common())
        st.caption(problem.plain(f"By the dataset's checks: {said}."))
    _table(found, metric, way, outcomes)


def _outcomes(
    found: Sequence[Effect], originals: Mapping[str, tuple[Example, str]]
) -> dict[str, tuple[Outcome, Outcome]]:
    """Verdicts of the dataset's checks before and after each change, by its id; empty where nothing is checked."""
    here, made = library.workspace(), {}
    for parent, answer in originals.values():
        mine = [one for one in found if one.example.parent_id == parent.id and one.response_after is not None]
        try:
            asked = verdicts.conditions(here, here.examples.dataset_of(parent.id))
        except AppError:  # removed since it was asked: there is nothing to check it by
            continue
        texts = [(parent, answer), *((one.example, one.response_after or "") for one in mine)]
        before, *after = verdicts.of_texts(texts, asked)
        for one, then in zip(mine, after):
            if before is not None and then is not None:
                made[one.example.id] = (before.outcome, then.outcome)
    return made


def _metric() -> Metric | None:
    members = {m.label: m for m in METRICS if m.needs == "text"}
    chosen = st.selectbox(
        "Metric", [NONE, *members], key=state.EFFECTS_METRIC.name, persist_state="session", width=240
    )
    return members.get(chosen or NONE)


def turned(before: Outcome, after: Outcome) -> str:
    """Two verdicts in words: "right → wrong", "still right"."""
    return f"still {after}" if before == after else f"{before} → {after}"


def _table(
    found: tuple[Effect, ...],
    metric: Metric | None,
    way: SendAs,
    outcomes: Mapping[str, tuple[Outcome, Outcome]],
) -> None:
    """One list, the strongest first: what changed, how far the original answer moved, what came instead."""
    lines = listed(found, metric, outcomes)
    picked = bar_table(
        [BarPanel(tuple(lines))],
        key=state.EFFECTS_LIST.name,
        about="What each change did",
        signed=True,
    )
    st.caption(
        "How likely the model finds its own original answer after the changed prompt, against before: "
        f"measured, not estimated; prompts sent as {sending.LABELS[way]}. Bars: nats, to the left less likely. "
        "Choose a row to see both texts whole."
    )
    if picked is not None:
        _one(found[int(picked)])


def listed(
    found: Sequence[Effect],
    metric: Metric | None,
    outcomes: Mapping[str, tuple[Outcome, Outcome]] | None = None,
) -> list[BarLine]:
    """A row for each effect: the change of the prompt, its effect in words, and how the new answer differs, with
    the verdicts before and after.
    """
    sizes = [abs(one.logprob_change_nats or 0.0) for one in found]
    top = max([1.0, *sizes])  # under a nat nothing looks large
    lines = []
    for place, one in enumerate(found):
        change = one.logprob_change_nats
        text = "not measured" if change is None else times(change)
        if metric is not None and one.metric_change is not None:
            text += f", {metric.label} {one.metric_change:+.{metric.decimals}f}"
        if outcomes and one.example.id in outcomes:
            text += f", {turned(*outcomes[one.example.id])}"
        figure = BarFigure(text, None if change is None else change / top, note=f"{change or 0:+.2f} nats")
        lines.append(
            BarLine(
                one.example.edit,
                (figure,),
                "",
                str(place),
                tuple(shortened(one.prompt_diff)),
                answer_changes(one),
            )
        )
    return lines


def answer_changes(one: Effect) -> tuple[Run, ...]:
    """The new answer against the old one, as runs that begin with a word on it."""
    if one.changed is None:
        return ()
    if not one.changed:
        return (Run("kept", "Same answer."),)
    return (Run("kept", "Answer: "), *shortened(one.response_diff))


def _one(effect: Effect) -> None:
    """One counterfactual whole: the prompt's change and the answer's, side by side."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("The prompt, changed")
        diff.draw_diff(shortened(effect.prompt_diff))
        with st.expander("The whole prompt"):
            diff.draw_diff(effect.prompt_diff)
    with right:
        st.caption(problem.plain(effect.sentence.capitalize()))
        diff.draw_diff(effect.response_diff)
        _why(effect)


def _why(effect: Effect) -> None:
    """The verdict on the new answer and its reasons, where the dataset of the original has checks."""
    here = library.workspace()
    try:
        asked = verdicts.conditions(here, here.examples.dataset_of(effect.example.parent_id or ""))
    except AppError:
        return
    (found,) = verdicts.of_texts([(effect.example, effect.response_after or "")], asked)
    if found is not None and effect.response_after is not None:
        st.markdown(f"{verdicts.MARKS[found.outcome]} {problem.plain(found.why)}")
