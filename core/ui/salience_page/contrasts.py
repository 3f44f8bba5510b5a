"""*Why this and not that*: a click on what else the model weighed, typed words, or another version's answer.

For each part that may be taken out: what that does to the words that were written against the others, measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.part_scores import HOW, HOW_TOLD, PartScores, contrast_sentence
from core.records import Tokens
from core.service.causes import asked_parts
from core.service.part_tests import OtherWords, leaves_at
from core.ui.asking.answering import Answer
from core.ui.explaining.maps import Parts
from core.ui.salience_page import part_tests
from core.ui.shell import forms, looking, problem, state
from core.ui.shell.row_names import names_of
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job
    from core.models.local.alternatives import Alternatives

MEMBER = "contrast"


def draw_contrasts(
    answer: Answer,
    here: Parts,
    chosen: Sequence[int],
    names: Sequence[str],
    unit: str,
    found: Alternatives | None,
) -> None:
    """What can stand against the words chosen, and what came of it."""
    generation = answer.generation
    if generation is None or not chosen:
        return
    tokens = generation.tokens
    st.markdown("**Why this and not that?**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if found is not None and found.ids:
            _alternatives(answer, here, chosen, found)
        _typed(answer, here, chosen)
        _versions(answer, here, tokens)
        with st.popover("How"):
            forms.ask_options(MEMBER, (HOW,))
            part_tests.draw_locks(here, names, key=MEMBER)
    name = state.CONTRAST.get("")
    scores = part_tests.watched(part_tests.held_test(name)) if name.startswith(answer.key) else None
    if scores is not None:
        this, that = state.CONTRAST_WORDS.get(("", ""))
        own = asked_parts(here.prompt)
        if len(own) == len(scores.score_nats):
            called = [names[part.index] for part in own]
            st.markdown(f"**{problem.plain(contrast_sentence(scores, called, this, that))}**")
            part_tests.draw_scores(scores, here, names, unit, adds="For this, against that (nats)")


def _start(answer: Answer, here: Parts, spans: Sequence[tuple[int, int]], other: OtherWords) -> None:
    generation = answer.generation
    assert generation is not None
    how = str(forms.given(MEMBER, (HOW,))["how"])
    tokens = generation.tokens
    lines = part_tests.other_lines(tokens.text) if how == "other" else []
    this = "".join("".join(tokens.strings[a:b]) for a, b in spans)
    state.CONTRAST_WORDS.set((_short(this), _short(other.text)))

    def start() -> tuple[str, Job[PartScores]]:
        request = part_tests.question_of(answer, here, spans)
        job = service().part_tests.contrast(
            request, tokens, other, how, lines=lines, owner=owner(), view=looking.view_on_show()
        )
        name = f"{answer.key} contrast {request.key} {other.start} {other.text} {HOW_TOLD[how]}"
        state.CONTRAST.set(name)
        return name, job

    part_tests.start_or_refuse(start)


def _short(text: str) -> str:
    words = " ".join(text.split()) or "(white space)"
    return words if len(words) <= 40 else f"{words[:28]}… {words[-9:]}"


def _alternatives(answer: Answer, here: Parts, chosen: Sequence[int], found: Alternatives) -> None:
    """The likeliest tokens at one place of the words chosen, but the written one: a click asks."""
    assert answer.generation is not None
    tokens = answer.generation.tokens
    places = [
        row - tokens.prompt_len
        for index in sorted(set(chosen))
        for row in range(*here.response[index].tokens)
        if row - tokens.prompt_len < len(found.ids)
    ]
    if not places:
        return
    place = st.selectbox(
        "At the token",
        places,
        min(range(len(places)), key=lambda at: _margin(answer, places[at])),
        format_func=lambda at: tokens.strings[tokens.prompt_len + at].strip() or "(end)",
        key=state.CONTRAST_AT(answer.key[:12], places[0], len(places)).name,
        width=130,
    )
    written = int(tokens.ids[tokens.prompt_len + place])
    others = [rank for rank, one in enumerate(found.ids[place]) if one != written]
    box = state.CONTRAST_WITH(f"{answer.key[:12]} {place}")

    def ask() -> None:
        rank = box.get()
        if rank is not None:
            start = tokens.prompt_len + place
            other = OtherWords(start, found.texts[place][rank], (found.ids[place][rank],))
            _start(answer, here, [(start, start + 1)], other)

    st.pills(
        "Rather than",
        others,
        format_func=lambda rank: (
            f"{found.texts[place][rank].strip() or '(end)'} {found.probabilities[place][rank]:.3f}"
        ),
        key=box.name,
        on_change=ask,
    )


def _margin(answer: Answer, place: int) -> float:
    """How sure the model was of its token there: the least sure is proposed."""
    assert answer.generation is not None
    value = float(answer.generation.logprob_nats[place])
    return value if np.isfinite(value) else 0.0


def _typed(answer: Answer, here: Parts, chosen: Sequence[int]) -> None:
    box = state.CONTRAST_WITH(f"typed {answer.key[:12]}")
    spans = [here.response[index].tokens for index in sorted(set(chosen))]

    def ask() -> None:
        assert answer.generation is not None
        words = box.get("")
        if words.strip():
            _start(
                answer,
                here,
                spans,
                OtherWords(spans[0][0], _spaced(answer.generation.tokens, spans[0], words)),
            )

    st.text_input("Or than these words", key=box.name, on_change=ask, width=170)


def _spaced(tokens: Tokens, span: tuple[int, int], words: str) -> str:
    """`words` with the white space that stands before the words that were written."""
    written = "".join(tokens.strings[slice(*span)])
    return written[: len(written) - len(written.lstrip())] + words.strip()


def _versions(answer: Answer, here: Parts, tokens: Tokens) -> None:
    """Other answers of the same model that were seen in this visit."""
    seen = {
        held.example_id: held
        for held in state.ANSWERS.get({}).values()
        if held.generation is not None
        and held.spec == answer.spec
        and held.generation.tokens.response != tokens.response
    }
    if not seen:
        return
    called = names_of(list(seen))
    box = state.CONTRAST_WITH(f"version {answer.key[:12]}")

    def ask() -> None:
        held = seen.get(str(box.get()))
        if held is None or held.generation is None:
            return
        theirs = held.generation.tokens
        ids = tuple(int(i) for i in theirs.ids[theirs.prompt_len :])
        start = leaves_at(tokens, ids)
        kept = start - tokens.prompt_len
        text = "".join(theirs.strings[theirs.prompt_len + kept :])
        _start(answer, here, [(start, len(tokens))], OtherWords(start, text, ids[kept:]))

    st.selectbox(
        "Or than the answer of",
        list(seen),
        None,
        format_func=lambda one: called.get(one, one),
        key=box.name,
        on_change=ask,
        width=190,
    )
