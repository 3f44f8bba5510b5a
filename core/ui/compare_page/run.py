"""One comparison, of models on one prompt or of prompts on one model: answers, judgements, explanations.

Every side (a model with a prompt) answers, then says how likely it finds the others' answers, then is
explained.

Models take turns, because two may not fit on one device: all answers first, then for each model in turn (the
one that is loaded first) what it thinks of the others' answers and the map of its own. Kept in the session;
what is finished is in the store, so that the same comparison costs nothing the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.records import Generation, GenerationParams, Message, ModelSpec, SalienceMatrix, SalienceRequest
from core.salience import Method
from core.ui.explaining.controls import Cut
from core.ui.explaining.maps import Parts, options, parts_or_lines, rows
from core.ui.shell import library, looking, state
from core.ui.shell.services import owner, service

if TYPE_CHECKING:
    from core.jobs import Job
    from core.service.maps import Matrices

Prompt = str | tuple[Message, ...]


@dataclass
class Side:
    """One column: a model with a prompt, and what it is called."""

    name: str
    example_id: str
    prompt: Prompt
    spec: ModelSpec
    generation: Generation | None = None
    error: AppError | None = None
    job: Job[Generation] | None = None
    scores: dict[int, Generation | AppError | Job[Generation]] = field(default_factory=dict)
    """What it makes of the answer of another side, by that side's place."""
    maps: dict[str, AppError | Job[Matrices]] = field(default_factory=dict)
    """By the key of the request."""

    @property
    def settled(self) -> bool:
        return self.generation is not None or self.error is not None

    def parts(self, cut: Cut) -> Parts | None:
        """What is compared of its answer; None where there is none."""
        if self.generation is None or not self.generation.tokens.response:
            return None
        return parts_or_lines(self.generation, cut.granularity, cut.pattern)

    def request(self, method: Method, cut: Cut) -> SalienceRequest | None:
        """The question "why this answer", None where there is none."""
        if self.generation is None:
            return None
        here = self.parts(cut)
        if here is None:
            return None
        chosen = options(method, here)
        return service().maps.request(self.generation.tokens, self.spec, method.name, chosen, rows(here))


@dataclass
class SideBySide:
    """Sides in the order of the columns."""

    params: GenerationParams
    sides: list[Side]

    def same(self, sides: Sequence[Side], params: GenerationParams) -> bool:
        """Whether it asks just this."""
        mine, theirs = ([(s.name, s.prompt, s.spec) for s in listed] for listed in (self.sides, sides))
        return self.params == params and mine == theirs

    @property
    def one_prompt(self) -> bool:
        """Whether all sides read the same prompt, so that models are compared and not prompts."""
        return all(side.prompt == self.sides[0].prompt for side in self.sides)

    @property
    def answered(self) -> bool:
        return all(side.settled for side in self.sides)

    def jobs(self) -> list[Job[Any]]:
        """What is under way."""
        held: list[Any] = []
        for side in self.sides:
            held += [side.job, *side.scores.values(), *side.maps.values()]
        return [job for job in held if hasattr(job, "finished") and not job.finished]

    def step(self, method: Method, cut: Cut) -> None:
        """Take over what has ended and ask for what comes next."""
        for place, side in enumerate(self.sides):
            self._answer(place, side)
        if self.answered:
            for place in reversed(range(len(self.sides))):  # the last one to answer is still loaded
                self._judge(place)
                self._explain(place, method, cut)

    def stop(self) -> None:
        for job in self.jobs():
            job.stop()

    @property
    def finished_pieces(self) -> int:
        """Grows whenever there is something new to draw."""
        held = [piece for side in self.sides for piece in (*side.scores.values(), *side.maps.values())]
        done = sum(piece.finished if hasattr(piece, "finished") else True for piece in held)
        return done + sum(side.settled for side in self.sides)

    def matrix(self, place: int, method: Method, cut: Cut) -> SalienceMatrix | None:
        """The finished map of a side; loads no model."""
        side = self.sides[place]
        here = side.parts(cut)
        if side.generation is None or here is None:
            return None
        tokens, chosen = side.generation.tokens, options(method, here)
        return service().maps.known_for(tokens, side.spec, method.name, chosen, rows(here))

    def map_error(self, place: int, method: Method, cut: Cut) -> AppError | None:
        """Why a side has no map."""
        side = self.sides[place]
        request = side.request(method, cut)
        held = side.maps.get(request.key) if request is not None else None
        return held if isinstance(held, AppError) else None

    def mean_nats(self) -> NDArray[np.float64]:
        """(answers, judges): mean log-probability of a token of an answer; NaN where it is not known."""
        size = len(self.sides)
        out = np.full((size, size), np.nan)
        for judge, side in enumerate(self.sides):
            for writer in range(size):
                found = side.generation if judge == writer else side.scores.get(writer)
                if isinstance(found, Generation) and len(found.logprob_nats):
                    out[writer, judge] = float(found.logprob_nats.mean())
        return out

    def _owner(self, place: int, what: object) -> str:
        # A newer request of one owner stops the older one of its kind; here all go on side by side.
        return f"{owner()} comparison {place} {what}"

    def _answer(self, place: int, side: Side) -> None:
        if side.settled:
            return
        if side.job is None:
            side.job = service().answers.generate(
                side.prompt,
                side.spec,
                self.params,
                owner=self._owner(place, "answer"),
                example_id=side.example_id,
                view=looking.view_on_show(),
            )
        if side.job.finished:
            side.generation = side.job.result
            if side.generation is None:
                side.error = side.job.error or AppError("The model wrote nothing.", hint="Run it again.")

    def _judge(self, place: int) -> None:
        side = self.sides[place]
        for other, writer in enumerate(self.sides):
            held = side.scores.get(other)
            if held is None and other != place and writer.generation is not None and side.error is None:
                text = writer.generation.tokens.response
                if not text:
                    side.scores[other] = AppError("The answer is empty.")
                    continue
                held = side.scores[other] = service().answers.score(
                    side.prompt, text, side.spec, owner=self._owner(place, other), view=looking.view_on_show()
                )
            if held is not None and not isinstance(held, (Generation, AppError)) and held.finished:
                side.scores[other] = held.result or held.error or AppError("Nothing came back.")

    def _explain(self, place: int, method: Method, cut: Cut) -> None:
        side = self.sides[place]
        request = side.request(method, cut)
        if request is None or side.generation is None:
            return
        held = side.maps.get(request.key)
        if isinstance(held, AppError):
            return
        if held is not None and held.finished and held.unseen:
            del side.maps[request.key]  # whoever looks again gets it after all
            held = None
        if held is None and self.matrix(place, method, cut) is None:
            side.maps[request.key] = service().maps.explain(
                request,
                side.generation.tokens,
                owner=self._owner(place, "map"),
                replaces=True,
                view=looking.view_on_show(),
                until="view",
                label=f"Map of {side.name}, {method.label}",
            )
        elif held is not None and held.finished and held.error:
            side.maps[request.key] = held.error


def comparison_on_show(key: str) -> SideBySide | None:
    """The comparison that the page `key` shows."""
    return state.COMPARISON(key).get()


def start_comparison(key: str, sides: Sequence[Side], params: GenerationParams) -> SideBySide:
    """Begin a comparison in the place of the one before, which is stopped."""
    before = comparison_on_show(key)
    if before is not None:
        before.stop()
    made = SideBySide(params, list(sides))
    if any(side.generation is None for side in sides):
        library.workspace().did(f"ran a comparison of {', '.join(side.name for side in sides)}")
    state.COMPARISON(key).set(made)
    return made


def known_comparison(key: str, sides: Sequence[Side], params: GenerationParams) -> SideBySide | None:
    """A comparison whose answers are all known already; loads no model."""
    for side in sides:
        side.generation = service().answers.known(side.prompt, side.spec, params, example_id=side.example_id)
        if side.generation is None:
            return None
    return start_comparison(key, sides, params)
