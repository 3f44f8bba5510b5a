"""What else the model weighed at each place of its answer: asked for once, when somebody looks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.records import Generation
from core.ui.asking.answering import Answer
from core.ui.shell import problem, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job
    from core.models.local.alternatives import Alternatives

POLL_SECONDS = 0.5


def _held() -> dict[str, Job[Alternatives | None]]:
    return state.ALTERNATIVES.setdefault({})


def _job(answer: Answer) -> Job[Alternatives | None]:
    held = _held().get(answer.key)
    if held is None or held.state == "stopped":
        generation = answer.generation
        assert generation is not None
        tokens = generation.tokens

        def work(model: Any, _context: Any) -> Alternatives | None:
            from core.models.local.alternatives import alternatives
            from core.models.local.hugging_face import HuggingFaceModel

            return alternatives(model, tokens) if isinstance(model, HuggingFaceModel) else None

        held = service().with_model(
            work,
            answer.spec,
            kind="alternatives",
            asks=(tokens.ids.tolist(), tokens.prompt_len),
            owner=owner(),
        )
        _held()[answer.key] = held
    return held


def known_alternatives(answer: Answer) -> Alternatives | None:
    """What is known by now."""
    held = _held().get(answer.key)
    return held.result if held is not None else None


def ask_alternatives(answer: Answer) -> None:
    """Ask for it, and say so while it is on its way."""
    held = _held().get(answer.key)
    if held is None:
        if st.button(
            "What else did it weigh?", help="Asks the model for the five likeliest words at each place."
        ):
            _job(answer)
            st.rerun(scope="fragment")
        return
    if not held.finished:
        st.fragment(_wait, run_every=POLL_SECONDS)(held)
    elif held.error is not None:
        problem.show_error(held.error)


def _wait(held: Job[Any]) -> None:
    if held.finished:
        st.rerun()
    st.caption("Asking the model …")


def how_sure(generation: Generation, found: Alternatives | None) -> str:
    """How sure the model was, in words; where it was next to undecided, between which words."""
    chances = [math.exp(min(float(v), 0.0)) for v in generation.logprob_nats]
    if not chances:
        return "The answer is empty."
    least = min(chances)
    if least >= 0.99:
        words = f"Every token was at least {math.floor(100 * least) / 100:.2f} likely."
    else:
        at = chances.index(least)
        piece = generation.tokens.strings[generation.tokens.prompt_len + at].strip() or "(end)"
        words = f"The least likely token was “{piece}”: {least:.3f}."
    ties = () if found is None else found.ties
    if found is not None and ties:
        said = [
            f"“{found.texts[at][0].strip()}” {found.probabilities[at][0]:.3f} and "
            f"“{found.texts[at][1].strip()}” {found.probabilities[at][1]:.3f}"
            for at in ties[:3]
        ]
        words += f" Two words tied: {'; '.join(said)}. Another precision may answer otherwise there."
    return f"{words} Likely does not mean correct."
