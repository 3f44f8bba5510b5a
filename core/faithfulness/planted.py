"""Prompts whose cause is known because it was planted: checking it by intervention, finding it by methods.

A `Case` says where its causes stand and how the prompt reads without them. It counts only when the model
itself agrees: it writes the target, and no longer does once the cause is mended or removed. A method then
ranks the prompt's lines exactly as the Salience page would (`core.aggregate.ranked`, sums of token scores).
Knows no grammar, no file and no torch: the model is a `LanguageModel`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.cause import proposed_locks
from core.faithfulness.controls import Control
from core.faithfulness.measures import Finding, ranks_of
from core.models.language_model import LanguageModel
from core.records import GenerationParams, Option, Segment, Tokens
from core.salience import Method, span
from core.segments import segments

Span = tuple[int, int]
Verdict = Literal["verified", "answered otherwise", "did not flip"]
VERDICTS: tuple[Verdict, ...] = ("verified", "answered otherwise", "did not flip")
Tick = Callable[[int], None]
"""Called with the number of prompts that have been dealt with."""


@dataclass(frozen=True, slots=True)
class Case:
    """One prompt: `causes` are character spans of it, `mended` the prompt without them (None: no cause)."""

    prompt: str
    target: str
    causes: tuple[Span, ...] = ()
    mended: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlantedPrompt:
    """What the model did with a case. `tokens` hold its own answer, `target` the token span to explain."""

    case: Case
    verdict: Verdict
    tokens: Tokens | None = None
    target: Span = (0, 0)

    @property
    def lines(self) -> tuple[Segment, ...]:
        """The prompt's lines, those of a chat template and special tokens left out."""
        assert self.tokens is not None
        return tuple(
            s for s, keep in zip(*_parts(self.tokens, segments(self.tokens, "line", "prompt"))) if keep
        )

    def causes(self) -> frozenset[int]:
        """Positions in `lines` of those that a cause stands in."""
        return frozenset(
            place
            for place, line in enumerate(self.lines)
            for start, stop in self.case.causes
            if line.chars[0] < stop and start < line.chars[1]
        )


def _parts(tokens: Tokens, parts: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], NDArray[np.bool_]]:
    return parts, aggregate.countable(parts)


def said(text: str, target: str) -> Span | None:
    """Where `text` ends with `target`, characters; only punctuation and white space may follow.

    None where it does not, or where the target is only the tail of a longer word.
    """
    start = text.rfind(target.strip())
    stop = start + len(target.strip())
    if start < 0 or any(char.isalnum() for char in text[stop:]) or (start and text[start - 1].isalnum()):
        return None
    return start, stop


def target_tokens(tokens: Tokens, chars: Span) -> Span:
    """The response tokens that write the characters `chars` of the response."""
    spans = tokens.char_spans[tokens.prompt_len :] - tokens.prompt_chars
    inside = np.flatnonzero((spans[:, 0] < chars[1]) & (spans[:, 1] > chars[0])) + tokens.prompt_len
    return int(inside[0]), int(inside[-1]) + 1


def verify(
    model: LanguageModel,
    cases: Sequence[Case],
    params: GenerationParams,
    *,
    batch_size: int = 16,
    tick: Tick | None = None,
    stop: threading.Event | None = None,
) -> list[PlantedPrompt]:
    """Ask the model each case and, where it writes the target, its mended form; in the cases' order."""
    before = _answers(model, [case.prompt for case in cases], params, batch_size, tick, stop)
    found = [said(tokens.response, case.target) for tokens, case in zip(before, cases)]
    asked = [row for row, case in enumerate(cases) if found[row] is not None and case.mended is not None]
    mended = [cases[row].mended or "" for row in asked]
    after = dict(zip(asked, _answers(model, mended, params, batch_size, None, stop)))
    trials = []
    for row, (case, tokens, chars) in enumerate(zip(cases, before, found)):
        if chars is None:
            trials.append(PlantedPrompt(case, "answered otherwise"))
        elif row in after and said(after[row].response, case.target) is not None:
            trials.append(PlantedPrompt(case, "did not flip"))
        else:
            trials.append(PlantedPrompt(case, "verified", tokens, target_tokens(tokens, chars)))
    return trials


def _answers(
    model: LanguageModel,
    prompts: Sequence[str],
    params: GenerationParams,
    batch_size: int,
    tick: Tick | None,
    stop: threading.Event | None,
) -> list[Tokens]:
    """The model's answers, made in batches of like length."""
    asked = [model.tokenize(prompt) for prompt in prompts]
    order = sorted(range(len(asked)), key=lambda row: len(asked[row]))
    answers: dict[int, Tokens] = {}
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        made = model.generate_batch([asked[row] for row in rows], params, stop=stop)
        answers.update((row, generation.tokens) for row, generation in zip(rows, made))
        if tick is not None:
            tick(len(answers))
    return [answers[row] for row in range(len(asked))]


def options_for(method: Method, lines: Sequence[Segment]) -> tuple[tuple[str, Option], ...]:
    """The method's options at their defaults, with the segments filled in where it works on segments.

    The question or the cue at the end is locked, as on the page.
    """
    locked = proposed_locks(lines)
    spans = ",".join(f"{a}:{b}" for i, (a, b) in enumerate(line.tokens for line in lines) if i not in locked)
    return tuple((o.name, spans) for o in method.options if o.name == "columns")


def line_scores(
    model: LanguageModel,
    tokens: Tokens,
    target: Span,
    method: Method,
    lines: Sequence[Segment],
    *,
    stop: threading.Event | None = None,
) -> NDArray[np.float32]:
    """Scores (len(lines),) of the lines for one target span: a click on the page, by one backward."""
    scores = span(model, tokens, method.name, target, options=options_for(method, lines), stop=stop)
    return aggregate.column_scores(scores, lines)


def finding(model: LanguageModel, trial: PlantedPrompt, method: Method) -> Finding:
    """Where `method` puts the causes of a verified trial."""
    assert trial.tokens is not None
    lines = trial.lines
    values = line_scores(model, trial.tokens, trial.target, method, lines)
    order = [lines.index(one.segment) for one in aggregate.ranked(lines, values, by=method.rank_by)]
    negligible = aggregate.share_of(method.negligible, values)
    flat = aggregate.nothing_decisive(aggregate.shares(values), None, negligible, method.rank_by)
    return Finding(ranks_of(order, trial.causes()), len(lines), flat)


def control_finding(trial: PlantedPrompt, control: Control, seed: int) -> Finding:
    """Where a control puts them: it sees the lines and the answer alone, and is never undecided."""
    assert trial.tokens is not None
    lines = trial.lines
    order = control.order([line.text for line in lines], trial.tokens.response, seed)
    return Finding(ranks_of(order, trial.causes()), len(lines))
