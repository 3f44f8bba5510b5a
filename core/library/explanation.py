"""One answer, explained: what it came from, for all of it or for the words that are chosen.

Every method that narrows or measures gives a new `Explanation`; none changes one. A map is computed once and shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError
from core.library import forms, notebook
from core.library.making import MadeMap, make_map, with_scores_of
from core.library.part import Part
from core.library.words import span_of_words
from core.read_turns import turns_not_read
from core.records import Generation, Message, Option, Role, Segment, SegmentSalience, Tokens
from core.segments import segments
from core.target_choice import default_choice
from core.token_view import part_names

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from core.cause import Cause, CauseRequest, CauseSettings
    from core.improve.minimal_sets import MinimalSets
    from core.library.comparison import Comparison
    from core.library.opening import OpenedModel
    from core.library.widget import SalienceWidget
    from core.report import ShownMap

Span = tuple[int, int]
Options = tuple[tuple[str, Option], ...]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Made by `explain`. `target` is the token span of the chosen words."""

    model: OpenedModel
    generation: Generation
    by: str
    pattern: str | None
    made: MadeMap
    target: Span
    cause: Cause | None = None
    """What taking parts out found; None: not measured."""
    asked: str | tuple[Message, ...] = ""
    """The prompt or the chat as it was given."""
    typed: bool = False
    """The answer was given, not written by the model."""

    @classmethod
    def of(
        cls,
        model: OpenedModel,
        generation: Generation,
        *,
        by: str = "line",
        method: str = "",
        pattern: str | None = None,
        options: Mapping[str, Option] | None = None,
        asked: str | tuple[Message, ...] = "",
        typed: bool = False,
    ) -> Explanation:
        """Explains an answer that is there: its last line, where a conclusion stands, as the app does at first.

        Raises: AppError for an empty answer or what the model cannot do.
        """
        tokens = generation.tokens
        rows = tuple(part.tokens for part in segments(tokens, by, "response", pattern))
        if not rows:
            raise AppError("The answer is empty, so there is nothing to explain.", hint="Run it again.")
        made = make_map(model, tokens, rows, method, options or {}, by, pattern)
        whole = cls(model, generation, by, pattern, made, (rows[0][0], rows[-1][1]), asked=asked, typed=typed)
        lines = segments(tokens, "line", "response")
        last = default_choice(lines)
        return whole.select_span(lines[last[0]].tokens) if last else whole

    # What was asked and answered

    @property
    def tokens(self) -> Tokens:
        return self.generation.tokens

    @property
    def prompt(self) -> str:
        """The prompt as the model read it, a chat's template included."""
        return self.tokens.text[: self.tokens.prompt_chars]

    @property
    def answer(self) -> str:
        return self.generation.text

    @property
    def chosen(self) -> str:
        """The words that are explained."""
        start, stop = self.target
        spans = self.tokens.char_spans[start:stop]
        return self.tokens.text[int(spans[:, 0].min()) : int(spans[:, 1].max())]

    @property
    def method(self) -> str:
        """The name of the method whose map this is."""
        return self.made.method.name

    @property
    def note(self) -> str:
        """What was done differently than asked, in a sentence; usually empty."""
        return " ".join(filter(None, [self.made.matrix.note, *self.turns_not_read]))

    @property
    def turns_not_read(self) -> tuple[str, ...]:
        """A sentence for each turn of a chat that the model did not read as it was written; usually empty."""
        return turns_not_read(self.tokens, self.asked)

    # What it came from

    @cached_property
    def prompt_segments(self) -> tuple[Segment, ...]:
        return segments(self.tokens, self.by, "prompt", self.pattern)

    @cached_property
    def answer_segments(self) -> tuple[Segment, ...]:
        return segments(self.tokens, self.by, "response", self.pattern)

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(S,) of the prompt's segments for the chosen words together, in the method's units."""
        return aggregate.column_scores(self._token_scores(), self.prompt_segments)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The prompt's own parts in reading order; those of a chat template are left out."""
        return tuple(self._part(index) for index in self._counted)

    def top(self, count: int = 5) -> tuple[Part, ...]:
        """The parts that mattered most: by measured effect where one was measured, then by the map."""
        if count < 1:
            raise AppError(f"At least one part should be asked for, but count is {count}.")
        order = {entry.segment.index: entry.rank for entry in self._ranked}
        effects = self._effects
        first = sorted(
            (at for at in self._counted if at not in self._unmeasured or at in effects),
            key=lambda at: (at not in effects, -effects.get(at, (0.0, None))[0], order[at]),
        )
        return tuple(self._part(index) for index in first[:count])

    @property
    def sentence(self) -> str:
        """What was found, in words: from measurement where there is one, else from the map."""
        from core.cause import sentence
        from core.figures.captions import NOTHING_DECISIVE

        if self.cause is not None:
            numbers = [_number(self.names[index]) for index in self._counted]
            return sentence(self.cause, "line" if self.by in ("line", "word", "token") else self.by, numbers)
        if self.shown().flat:
            return NOTHING_DECISIVE
        best = self._ranked[0]
        return f"Mostly because of {self.names[best.segment.index]} ({best.share:.0%} of the influence). Not measured."

    # Other words, proof, another version

    def select_all(self) -> Explanation:
        """The same answer, for all of it."""
        return self.select_span((self.tokens.prompt_len, len(self.tokens)))

    def select(self, text: str, occurrence: int = 1) -> Explanation:
        """The same answer, for the words `text` in it; `occurrence` where they stand there more than once.

        Words that begin or end within a token take the whole token. Raises: AppError where they are not there.
        """
        return self.select_span(span_of_words(self.tokens, text, occurrence))

    def select_part(self, index: int) -> Explanation:
        """The same answer, for one of its parts (`answer_segments`)."""
        if not 0 <= index < len(self.answer_segments):
            raise AppError(
                f"The answer's parts are 0 to {len(self.answer_segments) - 1}, but asked was {index}."
            )
        return self.select_span(self.answer_segments[index].tokens)

    def select_span(self, span: Span) -> Explanation:
        """The same answer, for the tokens `span` of it (half-open, counted from the prompt's first)."""
        if not self.tokens.prompt_len <= span[0] < span[1] <= len(self.tokens):
            raise AppError(
                f"The answer's tokens are {self.tokens.prompt_len} to {len(self.tokens)}, but asked was "
                f"{span[0]}:{span[1]}."
            )
        return replace(
            self, target=span, made=with_scores_of(self.made, self.model, self.tokens, span), cause=None
        )

    def measure(self, top: int = 5, *, locked: Sequence[int] | None = None) -> Explanation:
        """Takes the `top` strongest parts out and measures what it does to the chosen words (*Find the cause*).

        `locked` are indices of `parts` that stay in; None: the question or cue at the end. See `cause`, `sentence`.
        Raises: AppError where the model tells no log-probabilities.
        """
        from core.cause import CauseSettings
        from core.salience.find_cause import find_cause

        request = self._request(locked, CauseSettings(candidates=top, map_method=self.method))
        with self.model.use() as held:
            found = find_cause(held, request, self.tokens, map_scores=self.scores[list(self._counted)])
        return replace(self, cause=found)

    def needs(self, *, locked: Sequence[int] | None = None) -> MinimalSets:
        """The smallest parts (indices of `parts`) that keep the chosen words, the smallest whose removal turns them.

        `locked`: as of `measure`. Raises: AppError where the model tells no log-probabilities.
        """
        from core.cause import CauseSettings
        from core.improve.needed_parts import needed_parts

        request = self._request(locked, CauseSettings())
        scores = self.scores[list(self._counted)]
        order = sorted(request.free, key=lambda index: -abs(float(scores[index])))
        with self.model.use() as held:
            return needed_parts(held, request, self.tokens, order)

    def _request(self, locked: Sequence[int] | None, settings: CauseSettings) -> CauseRequest:
        """The question about the chosen words and the counted parts."""
        from core.cause import CauseRequest, proposed_locks

        own = [self.prompt_segments[index] for index in self._counted]
        return CauseRequest(
            self.model.spec,
            tuple(int(i) for i in self.tokens.ids),
            self.tokens.prompt_len,
            (self.target,),
            tuple(part.tokens for part in own),
            tuple(proposed_locks(own) if locked is None else sorted(set(locked))),
            settings,
        )

    def compare(self, other: Explanation) -> Comparison:
        """This one as before, `other` as after: what changed in the words, and which parts gained or lost."""
        from core.library.comparison import Comparison

        return Comparison(self, other)

    # To take away

    def to_pandas(self) -> pd.DataFrame:
        """One row a part of the prompt, in reading order: name, text, share, score, effect_nats, turns."""
        return forms.parts_table(self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-serialisable data: how it was made, the words, the parts, what was measured."""
        return forms.as_data(self)

    def to_html(self) -> str:
        """The app's report: one file with the coloured prompt, the heat map and how it was made (about 5 MB)."""
        from core.report import to_html

        return to_html(self.shown()).decode()

    def figure(self, theme: str = "light") -> go.Figure:
        """The heat map, Plotly: parts of the answer against parts of the prompt."""
        return forms.heat_map(self.shown(), theme)

    def shown(self) -> ShownMap:
        """The record that the app's downloads are made of."""
        return forms.shown_map(self)

    def widget(self) -> SalienceWidget:
        """The coloured text to hover and click in a notebook. Raises: AppError without the extra `notebook`."""
        return notebook.widget_of(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The widget where a notebook's kernel runs, and still pictures of it for where none does."""
        return notebook.mime_bundle(self)

    def _repr_html_(self) -> str:
        from core.library.static import to_static_html

        return to_static_html(self)

    def __repr__(self) -> str:
        from core.cause import less_likely

        lines = [f"{self.chosen.strip()!r} by {self.model.name}: {self.sentence}"]
        for part in self.top(5):
            measured = "" if part.effect_nats is None else f"  {less_likely(part.effect_nats)} without it"
            lines.append(f"{part.share:7.1%}  {part.name}: {' '.join(part.text.split()):.70}{measured}")
        return "\n".join(lines)

    # Within

    @cached_property
    def names(self) -> list[str]:
        """What each of the prompt's segments is called."""
        return part_names(self.prompt_segments, self.by)

    @cached_property
    def _counted(self) -> tuple[int, ...]:
        return tuple(part.index for part in self.prompt_segments if part.role is Role.PROMPT)

    @cached_property
    def _unmeasured(self) -> frozenset[int]:
        """Segments that the method could not measure, or was not asked about: their 0 is no score."""
        return frozenset(self.made.method.unmeasured_parts(self.made.matrix.request, self.prompt_segments))

    @cached_property
    def _shares(self) -> NDArray[np.float32]:
        return aggregate.shares(self.scores, aggregate.countable(self.prompt_segments))

    @cached_property
    def _ranked(self) -> tuple[aggregate.Ranked, ...]:
        return aggregate.ranked(self.prompt_segments, self.scores, by=self.made.method.rank_by)

    @cached_property
    def _effects(self) -> dict[int, tuple[float, bool | None]]:
        """Measured effects by segment."""
        if self.cause is None:
            return {}
        told = zip(self._counted, self.cause.effect_nats.tolist(), self.cause.turns)
        return {index: (effect, turns) for index, effect, turns in told if effect == effect}

    def _part(self, index: int) -> Part:
        effect, turns = self._effects.get(index, (None, None))
        known = index not in self._unmeasured
        return Part(
            self.names[index], self.prompt_segments[index].text, float(self._shares[index]) if known else float("nan"),
            float(self.scores[index]) if known else float("nan"), effect, turns,
        )  # fmt: skip

    def _token_scores(self) -> NDArray[np.float32]:
        return self.made.scores(self.target)

    def target_salience(self) -> SegmentSalience:
        """The chosen words as the one row of a map."""
        start = int(self.tokens.char_spans[self.target[0], 0])
        row = Segment(0, self.chosen, (start, start + len(self.chosen)), self.target, Role.RESPONSE)
        return SegmentSalience((row,), self.prompt_segments, self.scores[None], "sum")


def _number(name: str) -> int:
    return int(name.rsplit(" ", 1)[-1])
