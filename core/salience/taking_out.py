"""The chosen words' log-probability with parts of the prompt taken out: f of any set of parts, in nats.

f = sum over the chosen tokens of log p(token | the prompt without the parts, the answer before it). Ids are
cut, never made again from text; the answer's ids stay. Passes go on from the beginning that a text shares
with the whole one, where the model can. Knows no map and no verdict.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from core.cause import Removal
from core.errors import AppError, Stopped
from core.models.language_model import AskedModel, LanguageModel, ResponseReading, SharingModel
from core.records import Role, Tokens

Span = tuple[int, int]
Instead = Callable[[int], Tokens]
"""Gives the text that stands in the place of a part: a `Tokens` of which the response counts."""


class TakingOut:
    """Measures sets of parts of one text, each once; `tokens_read` grows with every pass."""

    def __init__(
        self,
        model: LanguageModel,
        tokens: Tokens,
        targets: Sequence[Span],
        parts: Sequence[Span],
        *,
        chained: bool = False,
        instead: Instead | None = None,
        stop: threading.Event | None = None,
        between: Callable[[], None] | None = None,
    ) -> None:
        """`between` is called before each pass, where other work may go first.

        `chained`: each run shares its beginning with the one before it, not with the whole text, for sets that are
        asked in such an order. `instead`: what stands in the place of a part that is taken out (nothing: cut).
        """
        self.tokens, self.parts = tokens, tuple(parts)
        self.stop, self.between, self.instead = stop, between, instead
        self.rows = np.concatenate([np.arange(a, b) for a, b in targets]) - tokens.prompt_len
        self.tokens_read = len(tokens) - 1 if isinstance(model, SharingModel) else 0
        self._known: dict[frozenset[int], Removal] = {}
        self._check()
        self._ask = reader(model, tokens, moving=chained, rows=self.rows.tolist(), stop=stop)
        self.whole = self._read(tokens)
        if self._bounded(self.whole) or np.isnan(self.whole.logprob_nats[self.rows]).any():
            raise AppError(
                f"{model.spec.name} does not tell how likely it finds the chosen words: they are not among its "
                "likeliest even with the whole prompt.",
                hint="Choose words that it wrote itself.",
                code="unsupported",
            )
        self.total_nats = float(self.whole.logprob_nats[self.rows].sum())

    def __call__(self, out: Collection[int]) -> Removal:
        """The effect of taking `out` (indices of parts) out together. Raises: Stopped before a pass."""
        key = frozenset(out)
        if key not in self._known:
            self._check()
            self._known[key] = self._measure(key, tuple(out))
        found = self._known[key]
        return replace(found, parts=tuple(out))

    @property
    def passes(self) -> float:
        """What was read so far, in passes over the whole text."""
        return self.tokens_read / max(len(self.tokens) - 1, 1)

    def _measure(self, key: frozenset[int], order: tuple[int, ...]) -> Removal:
        rest = self.tokens
        for index in sorted(key, reverse=True):
            rest = replaced(rest, self.parts[index], self.instead(index) if self.instead else None)
        if rest.prompt_len == 0:
            return Removal(order, float("nan"))
        reading = self._read(rest)
        effect = self.total_nats - float(reading.logprob_nats[self.rows].sum())
        return Removal(order, effect, self._turns(reading), self._bounded(reading))

    def _bounded(self, reading: ResponseReading) -> bool:
        return reading.bound is not None and bool(reading.bound[self.rows].any())

    def _turns(self, reading: ResponseReading) -> bool | None:
        """Whether one of the chosen tokens is no longer the likeliest in its place; None: not told.

        An answer that was drawn, so that its words were not the likeliest to begin with, cannot turn.
        """
        if self.whole.likeliest is None or reading.likeliest is None:
            return None
        if not self.whole.likeliest[self.rows].all():
            return None
        return not bool(reading.likeliest[self.rows].all())

    def _read(self, tokens: Tokens) -> ResponseReading:
        reading = self._ask(tokens)
        self.tokens_read += reading.tokens_read
        return reading

    def _check(self) -> None:
        if self.stop is not None and self.stop.is_set():
            raise Stopped
        if self.between is not None:
            self.between()


def replaced(tokens: Tokens, span: Span, instead: Tokens | None) -> Tokens:
    """`tokens` with the prompt's tokens at `span` cut out, and the response of `instead` in their place."""
    rest = without(tokens, *span)
    if instead is None or len(instead) == instead.prompt_len:
        return rest
    new = instead.ids[instead.prompt_len :]
    start = span[0]
    cut = int(rest.char_spans[:start, 1].max(initial=0))
    spans = instead.char_spans[instead.prompt_len :] - instead.prompt_chars + cut
    after = rest.char_spans[start:] + len(instead.response)
    return Tokens(
        ids=np.concatenate([rest.ids[:start], new, rest.ids[start:]]),
        text=rest.text[:cut] + instead.response + rest.text[cut:],
        char_spans=np.concatenate([rest.char_spans[:start], spans, after]),
        special=np.concatenate([rest.special[:start], np.zeros(len(new), np.bool_), rest.special[start:]]),
        role=np.concatenate([rest.role[:start], np.full(len(new), Role.PROMPT, np.int8), rest.role[start:]]),
        prompt_len=rest.prompt_len + len(new),
    )


def neutral(model: LanguageModel, tokens: Tokens, parts: Sequence[Span], line: str = "…") -> Instead:
    """Puts a line that says nothing in the place of a part, with the white space that ended it."""
    return stand_ins(model, tokens, parts, [line])


def stand_ins(model: LanguageModel, tokens: Tokens, parts: Sequence[Span], lines: Sequence[str]) -> Instead:
    """Puts one of `lines` (of another example, say) in the place of each part, with the white space that ended it."""

    def instead(index: int) -> Tokens:
        own = "".join(tokens.strings[slice(*parts[index])])
        end = own[len(own.rstrip()) :]
        return model.tokenize("x", lines[index % len(lines)].rstrip() + end)

    return instead


def reader(
    model: LanguageModel,
    tokens: Tokens,
    *,
    moving: bool = False,
    rows: Sequence[int] | None = None,
    stop: threading.Event | None = None,
) -> Callable[[Tokens], ResponseReading]:
    """How texts like `tokens` (`moving`: like the last one) are read: from what they share where the model can.

    `rows`: the response's tokens that matter; a model that is asked for each may leave the others NaN.
    """
    if model.capabilities.requests and isinstance(model, AskedModel):
        asked = model
        chosen = range(len(tokens) - tokens.prompt_len) if rows is None else rows
        return lambda other: asked.reading(other, chosen, stop=stop)
    if isinstance(model, SharingModel):
        return model.beside(tokens, moving=moving)
    return lambda other: ResponseReading(model.logprobs(other), None, len(other) - 1)


def without(tokens: Tokens, start: int, end: int) -> Tokens:
    """`tokens` with the prompt's tokens `start` to `end` and their text cut out."""
    keep = np.r_[0:start, end : len(tokens)]
    cut = tokens.char_spans[start:end]
    filled = cut[cut[:, 0] < cut[:, 1]]
    low, high = (int(filled[0, 0]), int(filled[-1, 1])) if len(filled) else (0, 0)
    char_spans = tokens.char_spans[keep].copy()
    # A character shared with a token that stays is cut from the text all the same.
    char_spans[char_spans >= high] -= high - low
    char_spans = np.minimum(char_spans, len(tokens.text) - (high - low))
    return Tokens(
        ids=tokens.ids[keep],
        text=tokens.text[:low] + tokens.text[high:],
        char_spans=np.stack([char_spans.min(1), char_spans.max(1)], 1),
        special=tokens.special[keep],
        role=tokens.role[keep],
        prompt_len=tokens.prompt_len - (end - start),
    )
