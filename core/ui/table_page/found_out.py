"""What the table page found out about a prompt: carriers and repairs, places of an edit, needless parts."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from core.cause import less_likely
from core.compare import Run, word_diff
from core.improve.edit_places import EditPlaces
from core.improve.few_shot import called
from core.improve.mend import Mended
from core.improve.needless import Needless, Shortest, WithoutParts
from core.improve.place_effects import EditEffects
from core.improve.rows import Change
from core.improve.trials import RepairTrial
from core.ui.shell import diff, problem

SHOWN = 12


def draw_mended(found: Mended) -> str | None:
    """Draw causes and repairs. Returns the winner's text; None where none helped."""
    text = found.parts.text
    names = [called(text, span) for span in found.parts.spans]
    st.markdown(f"**{problem.plain(found.carriers.sentence(names))}**")
    some = [one for one in found.carriers.parts if one.measured or one.caused][:SHOWN]
    st.dataframe(
        pd.DataFrame(
            {
                "Part of the prompt": [names[one.part] for one in some],
                "Cause in": [f"{one.caused} of {found.carriers.rows}" for one in some],
                "Without it the wrong words are": [
                    less_likely(one.effect_nats) if one.measured else "not measured" for one in some
                ],
                "Share of the map": [None if math.isnan(one.share) else one.share for one in some],
            }
        ),
        hide_index=True,
        height="content",
        column_config={"Share of the map": st.column_config.NumberColumn(format="percent")},
        alt="Which parts carried the wrong answers",
    )
    if found.repaired is None:
        st.caption("No repair of these parts could be proposed.")
        return None
    repaired = found.repaired
    winner = repaired.winner
    if winner is None:
        st.markdown(f"**None of {len(repaired.trials)} repairs is right on more rows.**")
    else:
        st.markdown(f"**{problem.plain(winner_sentence(winner, repaired.right, repaired.rows))}**")
        diff.draw_diff(_changed_lines(text, winner.repair.text))
    st.dataframe(
        pd.DataFrame([_trial_line(one, repaired.tokens) for one in repaired.trials]),
        hide_index=True,
        height="content",
        alt="Every repair, run on the rows",
    )
    st.caption(
        "Every repair was run on every row. The order is chosen on one half of the rows; the rows held out took no "
        "part in it and tell whether a repair only fits the rows that it was chosen on. p: McNemar, exact, two-sided."
    )
    return winner.repair.text if winner else None


def winner_sentence(winner: RepairTrial, right: int, rows: int) -> str:
    """The best repair, what it did, and whether the rows held out agree."""
    said = f"Best repair: {winner.repair.said}. Right on {winner.all.right:,} of {rows:,} rows instead of {right:,}"
    if winner.held is None:
        return f"{said}; there was no row to hold out."
    held = f"on {winner.held.rows:,} rows held out {_went(winner.held)}"
    return f"{said}; {held}{': it fits the rows it was chosen on, and no others' if winner.overfits else ''}."


def draw_edit(places: EditPlaces, found: EditEffects) -> None:
    """Draw the effect of each place, and the pairs that only work together."""
    best = found.ranked[0]
    whole = found.new - found.old
    st.markdown(
        f"**{problem.plain(f'Right on {found.old:.0%} of {found.rows:,} rows before, {found.new:.0%} after. ')}"
        f"{problem.plain(_edit_sentence(places, found, best.place, whole))}**"
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Place": places.places[one.place].label,
                    "Line": places.places[one.place].line,
                    "Brought (points)": f"{100 * one.effect:+.1f} [{100 * one.low:+.1f}, {100 * one.high:+.1f}]",
                    "Better on": one.better,
                    "Worse on": one.worse,
                    "Alone in the old": f"{100 * one.alone:+.1f}",
                    "Lost if left out": f"{100 * one.last:+.1f}",
                }
                for one in found.ranked
            ]
        ),
        hide_index=True,
        height="content",
        alt="What each place of the edit brought",
    )
    for pair in found.together[:3]:
        first, second = (places.places[at].label for at in pair.places)
        st.markdown(
            problem.plain(
                f"Only together: {first} and {second} bring {100 * pair.both:+.1f} points, alone "
                f"{100 * pair.first:+.1f} and {100 * pair.second:+.1f}."
            )
        )
    how = "Every mixture of the places was asked" if found.exact else f"{found.asked:,} mixtures were drawn"
    left = (
        f" {found.left_out:,} rows could not be judged under each and are left out." if found.left_out else ""
    )
    st.caption(
        f"{how}. What a place brought is its share of the whole change, averaged over every order in which the places "
        f"could have been edited (Shapley), in points of the share right, with a 95 % interval.{left}"
    )


def draw_needless(found: Needless, short: Shortest) -> str | None:
    """Draw what may go and the shortest prompt. Returns its text; None where nothing could go."""
    rows = found.singles[0].rows if found.singles else 0
    said = f"{len(found.needless):,} of {len(found.singles):,} parts change no answer on {rows:,} rows"
    st.markdown(f"**{problem.plain(f'{said} when taken out alone.')}**")
    st.dataframe(
        pd.DataFrame([_without_line(found, one) for one in sorted(found.singles, key=lambda o: o.changed)]),
        hide_index=True,
        height="content" if len(found.singles) <= SHOWN else 420,
        alt="Each part taken out",
    )
    for pair in found.pairs[:3]:
        first, second = (found.parts.label(at, 50) for at in pair.parts)
        st.markdown(
            problem.plain(
                f"Needed together: without “{first}” and “{second}” {pair.changed:,} of {pair.rows:,} answers change, "
                "without one of them none."
            )
        )
    left = f" {found.pairs_left:,} less alike pairs were not tried." if found.pairs_left else ""
    st.caption(
        "Changes: answers that read otherwise, with Wilson's 95 % interval of their true share. No change on these "
        f"rows does not mean that there is none on others.{left}"
    )
    if not short.out:
        st.markdown("**Nothing can go without a right row becoming wrong.**")
        return None
    saved = 1 - short.tokens / max(short.tokens_before, 1)
    held = f"; on {short.held.rows:,} rows held out {_went(short.held)}" if short.held else ""
    st.markdown(
        "**"
        + problem.plain(
            f"Shortest prompt: {short.tokens:,} instead of {short.tokens_before:,} tokens ({saved:.0%} saved). On the "
            f"{short.work.rows:,} rows that it was made on {_went(short.work)}{held}."
        )
        + "**"
    )
    diff.draw_diff(_changed_lines(found.parts.text, short.text))
    return short.text


def _edit_sentence(places: EditPlaces, found: EditEffects, best: int, whole: float) -> str:
    one = next(place for place in found.places if place.place == best)
    if abs(one.effect) < 1e-9:
        return "No place changed how many rows are right."
    said = f"Most came from {places.places[best].label} ({100 * one.effect:+.1f} points"
    return f"{said} of {100 * whole:+.1f})."


def _went(change: Change) -> str:
    if not change.better and not change.worse:
        return "no verdict changed"
    return f"{change.better:,} better, {change.worse:,} worse"


def _trial_line(one: RepairTrial, tokens: int) -> dict[str, object]:
    held = "–" if one.held is None else f"{one.held.better} better, {one.held.worse} worse"
    return {
        "Repair": one.repair.said,
        "Kind": one.repair.kind,
        "Better": one.all.better,
        "Worse": one.all.worse,
        "p": round(one.all.p, 4),
        "Held out": f"{held}{' (overfits)' if one.overfits else ''}",
        "Tokens": f"{one.tokens - tokens:+,}",
    }


def _without_line(found: Needless, one: WithoutParts) -> dict[str, object]:
    low, high = one.interval
    return {
        "Part of the prompt": found.parts.label(one.parts[0]),
        "Answers that change": f"{one.changed} of {one.rows}",
        "95 %": f"{low:.0%}–{high:.0%}",
        "Better": one.change.better,
        "Worse": one.change.worse,
    }


def _changed_lines(old: str, new: str, around: int = 80) -> list[Run]:
    """The differences with a little of what stands around them."""
    out: list[Run] = []
    for run in word_diff(old, new):
        text = run.text
        if run.change == "kept" and len(text) > 2 * around:
            text = f"{text[:around]} … {text[-around:]}"
        out.append(Run(run.change, text))
    return out
