"""*Remove it and see*, *Edit it and see*: what really happens without a part of the prompt, or with another.

The causal check of the map: the part's share of the influence and its measured effect stand side by side. The
effect is the change of the chosen text's log-probability, its tokens kept as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.compare import word_diff
from core.counterfactuals import times
from core.errors import AppError
from core.records import Generation, Segment
from core.ui.asking import conversation
from core.ui.asking.answering import Answer
from core.ui.explaining.maps import Parts
from core.ui.shell import diff, problem
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

POLL_SECONDS = 0.3


@dataclass
class TakeOutTrial:
    """One part of the prompt, taken out or replaced, and what came of it."""

    part: str
    instead: str
    share: float
    target: str
    answer: Generation
    writing: Job[Generation]
    scoring: Job[float]

    @property
    def done(self) -> bool:
        return self.writing.finished and self.scoring.finished

    @property
    def error(self) -> AppError | None:
        return self.writing.error or self.scoring.error


def _trials(answer: Answer) -> list[TakeOutTrial]:
    held: dict[int, list[TakeOutTrial]] = st.session_state.setdefault("trials", {})
    return held.setdefault(id(answer.generation), [])


def pick(
    answer: Answer, action: str, segment: Segment, share: float, chosen: Sequence[int], here: Parts
) -> None:
    """A button beside a part was pressed: remove at once, or ask for the new words first."""
    if action == "remove":
        start(answer, segment, "", share, chosen, here)
    else:
        st.session_state["what if"] = (id(answer.generation), segment, share)


def start(
    answer: Answer, segment: Segment, instead: str, share: float, chosen: Sequence[int], here: Parts
) -> None:
    """Ask the model again without (or with other words for) `segment`, and how likely the target is then."""
    generation = answer.generation
    assert generation is not None
    tokens = generation.tokens
    sent = conversation.replaced(answer.sent, tokens, segment.chars, instead)
    spans = [here.response[i].tokens for i in chosen]
    rows = np.concatenate([np.arange(*span) for span in spans]) - tokens.prompt_len
    before = float(generation.logprob_nats[rows].sum())

    def score(model: Any, _context: Any) -> float:
        after = model.logprobs(tokens.after(model.tokenize(sent)))
        return float(after[rows].sum()) - before

    plain = sent if isinstance(sent, str) else conversation.kept(sent)
    asks = (plain, tokens.ids.tolist(), rows.tolist())
    name = f"{owner()} what if {len(_trials(answer))}"
    _trials(answer).append(
        TakeOutTrial(
            part=segment.text.strip(),
            instead=instead.strip(),
            share=share,
            target="".join(here.response[i].text for i in chosen).strip(),
            answer=generation,
            scoring=service().with_model(score, answer.spec, kind="what if", asks=asks, owner=name),
            writing=service().answers.generate(sent, answer.spec, answer.params, owner=name),
        )
    )


def draw(answer: Answer, chosen: Sequence[int], here: Parts) -> None:
    """The words being changed, then every trial of this answer, the newest first."""
    asked = st.session_state.get("what if")
    if asked is not None and asked[0] == id(answer.generation):
        _edit(answer, asked[1], asked[2], chosen, here)
    trials = _trials(answer)
    if not trials:
        return
    st.subheader("What happened when it was changed", anchor=False)
    st.caption(
        "The share is what the map says; the effect is what was measured: how much likelier or less likely "
        "the explained text became. Where the two disagree, believe the effect."
    )
    for number, trial in reversed(list(enumerate(trials))):
        _trial(number, trial)


def _edit(answer: Answer, segment: Segment, share: float, chosen: Sequence[int], here: Parts) -> None:
    with st.container(border=True):
        words = st.text_area(
            "Other words for this part", segment.text.strip("\n"), key=f"instead {segment.index}", height=90
        )
        with st.container(horizontal=True):
            see = st.button("See what happens", key="what if see")
            leave = st.button("Leave it", key="what if leave", type="tertiary")
    if see:
        tail = segment.text[len(segment.text.rstrip("\n")) :]
        start(answer, segment, (words or "") + tail, share, chosen, here)
    if see or leave:
        del st.session_state["what if"]
        st.rerun(scope="fragment")


def _trial(number: int, trial: TakeOutTrial) -> None:
    with st.container(border=True, key=f"trial-{number}"):
        verb = "With other words" if trial.instead else "Without"
        st.markdown(f"**{verb}:** {problem.plain(trial.part)}")
        if trial.instead:
            diff.draw(word_diff(trial.part, trial.instead))
        if not trial.done:
            st.caption("Asking the model …")
            return
        if trial.error is not None or trial.writing.result is None or trial.scoring.result is None:
            problem.show(trial.error or AppError("The model gave no answer."))
            return
        share, effect, verdict = st.columns(3)
        share.metric("Share of the influence", f"{trial.share:.0%}")
        effect.metric("The explained text became", times(trial.scoring.result))
        same = trial.writing.result.text.strip() == trial.answer.text.strip()
        verdict.metric("The new answer", "the same" if same else "changed")
        if not same:
            diff.draw(word_diff(trial.answer.text.strip(), trial.writing.result.text.strip()))


def busy(answer: Answer) -> bool:
    """Whether a trial of this answer is under way."""
    return answer.generation is not None and any(not trial.done for trial in _trials(answer))
