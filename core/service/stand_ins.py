"""A stand-in's map: an answer of a model that cannot be mapped, read and explained by a local one that can.

The stand-in reads the same prompt and the same answer with its own tokenizer. What it says is about itself; how likely
it finds the answer tells how well it stands in, and its first parts are to be checked on the model that wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError
from core.jobs import Job, JobContext
from core.records import ModelSpec, SalienceRequest
from core.segments import segments
from core.service.causes import asked_parts
from core.service.workshop import Prompt, Workshop

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Chars = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class StandInMap:
    """What the stand-in makes of it: `shares` (S,) of the prompt's own parts for the chosen words."""

    spec: ModelSpec
    method: str
    shares: NDArray[np.float32]
    order: tuple[int, ...]
    """The parts, the strongest first, as the method ranks them."""
    logprob_nats: float
    """Of the whole answer."""
    tokens: int
    """The answer's length in the stand-in's tokens."""

    @property
    def sentence(self) -> str:
        """How likely the stand-in finds the answer, and what that means."""
        each = float(np.exp(self.logprob_nats / max(self.tokens, 1)))
        fits = (
            "so it stands in poorly"
            if each < 0.1
            else "so it might have written it"
            if each > 0.5
            else "so neither well nor poorly"
        )
        whole = float(np.exp(self.logprob_nats))
        said = f"{whole:.2g}" if whole >= 1e-9 else "less than one in a billion"
        return f"{self.spec.name} finds this answer {said} likely ({each:.2f} a token), {fits}."


def read_as_stand_in(
    model: LanguageModel,
    sent: Prompt,
    response: str,
    words: Sequence[Chars],
    own: Sequence[str],
    granularity: str,
    pattern: str | None = None,
) -> StandInMap:
    """The map of `model` for the characters `words` of `response`; `own` are the texts of the prompt's own parts.

    Raises: AppError where it cannot be mapped or cuts the prompt into other parts.
    """
    from core.salience import best_map

    method, options = best_map(model.capabilities)
    if method is None:
        raise AppError(
            f"{model.spec.name} cannot be mapped either.", hint="Choose a model that runs on this machine."
        )
    tokens = model.tokenize(sent, response)
    parts = asked_parts(segments(tokens, granularity, "prompt", pattern))
    if [part.text.strip() for part in parts] != [text.strip() for text in own]:
        raise AppError(
            f"{model.spec.name} reads the prompt in other parts than the model that wrote the answer.",
            hint="Choose lines or blocks, or send the prompt as it is instead of as a chat.",
        )
    inside = tokens.char_spans[tokens.prompt_len :] - tokens.prompt_chars
    rows = [
        tokens.prompt_len + at
        for at, (a, b) in enumerate(inside.tolist())
        if any(a < last and b > first for first, last in words)
    ]
    if not rows:
        raise AppError("No words of the answer are chosen.", hint="Choose the words to explain.")
    ids = tuple(int(i) for i in tokens.ids)
    targets = tuple((row, row + 1) for row in rows)
    request = SalienceRequest(model.spec, ids, tokens.prompt_len, method.name, targets, options)
    scores = aggregate.select(method.run(model, request, tokens=tokens), np.ones(len(targets), np.float32))
    values = aggregate.column_scores(scores, parts)
    ranked = aggregate.ranked(parts, values, by=method.rank_by)
    place = {part.index: at for at, part in enumerate(parts)}
    logprobs = model.logprobs(tokens)
    return StandInMap(
        model.spec, method.label, aggregate.shares(values), tuple(place[one.segment.index] for one in ranked),
        float(logprobs.sum()), len(logprobs),
    )  # fmt: skip


def ask_stand_in(
    workshop: Workshop,
    spec: ModelSpec,
    sent: Prompt,
    response: str,
    words: Sequence[Chars],
    own: Sequence[str],
    granularity: str,
    pattern: str | None,
    *,
    owner: str,
    view: str = "",
) -> Job[StandInMap]:
    """`read_as_stand_in` as a job on the stand-in `spec`."""

    def work(model: LanguageModel, _context: JobContext) -> StandInMap:
        return read_as_stand_in(model, sent, response, words, own, granularity, pattern)

    plain = sent if isinstance(sent, str) else [[turn.role, turn.content] for turn in sent]
    asks = (plain, response, [list(span) for span in words], list(own), granularity, pattern or "")
    return workshop.with_model(
        work, spec, kind="stand-in", asks=asks, owner=owner, view=view, label=f"{spec.name} stands in"
    )
