"""What really happens without a part of the prompt: the words chosen become more or less likely, and the model
answers anew. Measured by running the model, never read from a map.

The effect is the change of the chosen words' log-probability, their tokens kept as they are (nats). One trial
is one part taken out, for one choice of words of one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.counterfactuals import times
from core.errors import AppError
from core.models.control_text import read_prompt
from core.records import Generation, Segment
from core.ui.asking import conversation
from core.ui.asking.answering import Answer
from core.ui.asking.conversation import Prompt
from core.ui.explaining.maps import Parts
from core.ui.salience_text.why import Kind, ShownEffect
from core.ui.shell import looking, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job

NOTHING_NATS = 0.05
"""A change below this (5 %) is called none."""
STAYS = ShownEffect("stays in", more="when others are taken out")
"""Of a locked part."""
Chars = tuple[int, int]


@dataclass
class TakeOutTrial:
    """Parts of the prompt taken out together: `chars` of the text that the model read; `rows` are the explained
    tokens of the response. `name` is what the page calls the parts.
    """

    chars: tuple[Chars, ...]
    name: str
    rows: tuple[int, ...]
    target: str
    sent: Prompt
    before: Generation
    writing: Job[Generation]
    scoring: Job[float]

    @property
    def done(self) -> bool:
        return self.writing.finished and self.scoring.finished

    @property
    def error(self) -> AppError | None:
        if not self.done or (self.writing.result is not None and self.scoring.result is not None):
            return None
        return self.writing.error or self.scoring.error or AppError("The model gave no answer.")

    @property
    def nats(self) -> float:
        """How much likelier (above 0) or less likely the chosen words became."""
        return self.scoring.result if self.scoring.result is not None else 0.0

    @property
    def answer(self) -> str:
        return self.writing.result.text if self.writing.result is not None else ""

    @property
    def turns(self) -> bool:
        """Whether the model now writes something else."""
        return self.answer.split() != self.before.text.split()


def trials(answer: Answer) -> list[TakeOutTrial]:
    """Those of this answer, the oldest first."""
    return state.TRIALS.setdefault({}).setdefault(answer.key, [])


def rows_of(answer: Answer, here: Parts, chosen: Sequence[int]) -> tuple[int, ...]:
    """The response's tokens that are explained, counted from its first."""
    assert answer.generation is not None
    start = answer.generation.tokens.prompt_len
    spans = [here.response[i].tokens for i in sorted(set(chosen))]
    return tuple(sorted({row - start for a, b in spans for row in range(a, b)}))


def found_trial(answer: Answer, rows: tuple[int, ...], parts: Sequence[Segment]) -> TakeOutTrial | None:
    """The newest trial without just these `parts`, for just these rows."""
    chars = tuple(part.chars for part in parts)
    same = (t for t in reversed(trials(answer)) if t.chars == chars and t.rows == rows)
    return next(same, None)


def start_trial(
    answer: Answer, parts: Sequence[Segment], name: str, here: Parts, chosen: Sequence[int]
) -> None:
    """Ask the model again without `parts`, and how likely the chosen words are then; once for each question."""
    generation = answer.generation
    assert generation is not None
    rows = rows_of(answer, here, chosen)
    known = found_trial(answer, rows, parts)
    if not rows or (known is not None and known.error is None):
        return
    tokens = generation.tokens
    chars = tuple(part.chars for part in parts)
    sent = conversation.without(answer.sent, tokens, chars)
    at = np.array(rows)
    before = float(generation.logprob_nats[at].sum())

    def score(model: Any, _context: Any) -> float:
        after = model.logprobs(tokens.after(read_prompt(model, sent, as_text=answer.params.as_text)))
        return float(after[at].sum()) - before

    plain = sent if isinstance(sent, str) else conversation.turns_as_field(sent)
    asks = (plain, tokens.ids.tolist(), list(rows), answer.params.as_text)
    mine = f"{owner()} what if {len(trials(answer))}"
    trials(answer).append(
        TakeOutTrial(
            chars=chars,
            name=name,
            rows=rows,
            target=" ".join("".join(here.response[i].text for i in sorted(set(chosen))).split()),
            sent=sent,
            before=generation,
            scoring=service().with_model(
                score,
                answer.spec,
                kind="what if",
                asks=asks,
                owner=mine,
                view=looking.view_on_show(),
                label=f"What happens without {name}",
            ),
            writing=service().answers.generate(
                sent, answer.spec, answer.params, owner=mine, view=looking.view_on_show()
            ),
        )
    )


def effect(trial: TakeOutTrial) -> ShownEffect:
    """What stands beside the part in the list."""
    if trial.error is not None:
        return ShownEffect("could not be measured", "failed", more=str(trial.error))
    if not trial.done:
        return ShownEffect("measuring …", "asked")
    return effect_in_words(trial.nats, trial.turns)


def effect_in_words(nats: float, turns: bool | None) -> ShownEffect:
    """An effect in words: `nats` is how much likelier (above 0) or less likely the chosen words became."""
    if nats != nats:
        return ShownEffect("cannot be left out", "failed", more="nothing would stay before the answer")
    size = "no effect" if abs(nats) < NOTHING_NATS else times(nats)
    if turns:
        return ShownEffect("answer turns", "turns", nats, size)
    kind: Kind = "none" if abs(nats) < NOTHING_NATS else "less" if nats < 0 else "more"
    return ShownEffect(size, kind, nats)


def measured_effects(answer: Answer, here: Parts, chosen: Sequence[int]) -> dict[int, TakeOutTrial]:
    """The trials of single parts for the words chosen, by index of the prompt's part."""
    rows = rows_of(answer, here, chosen)
    found = {part.index: found_trial(answer, rows, (part,)) for part in here.prompt}
    return {index: trial for index, trial in found.items() if trial is not None}


def is_measuring(answer: Answer | None) -> bool:
    """Whether a trial of this answer is under way."""
    return (
        answer is not None
        and answer.generation is not None
        and any(not trial.done for trial in trials(answer))
    )


def stop_measuring(answer: Answer) -> None:
    """End what is being measured; what is measured stays."""
    for trial in trials(answer):
        if not trial.done:
            trial.writing.stop()
            trial.scoring.stop()
    held = state.TRIALS.there()
    held[answer.key] = [t for t in trials(answer) if t.done and t.error is None]
