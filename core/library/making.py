"""The map behind an explanation: which method, for which rows, computed by the same code as in the app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core import aggregate
from core.errors import AppError
from core.records import Option, Role, SalienceMatrix, Tokens
from core.segments import segments

if TYPE_CHECKING:
    from core.library.opening import OpenedModel
    from core.salience import Method

Span = tuple[int, int]
Options = tuple[tuple[str, Option], ...]


@dataclass(frozen=True, slots=True, eq=False)
class MadeMap:
    """A matrix and the method that made it (another than the one asked for, where the model has not that one)."""

    matrix: SalienceMatrix
    method: Method
    options: Options
    own: Mapping[Span, NDArray[np.float32]] = field(default_factory=dict)
    """Scores (T,) of spans that are no union of rows, by a pass of their own."""

    def scores(self, span: Span) -> NDArray[np.float32]:
        """(T,) of `span`; all 0 where neither its rows nor a pass of its own make it (`with_scores_of`)."""
        own = self.own.get(span)
        return own if own is not None else aggregate.select(self.matrix, self.weights(span))

    def weights(self, span: Span) -> NDArray[np.float32]:
        """(N,) of the rows that together are `span`; all 0 where none are."""
        targets = self.matrix.request.targets
        chosen = [at for at, row in enumerate(targets) if span[0] <= row[0] and row[1] <= span[1]]
        weights = np.zeros(len(self.matrix.values), np.float32)
        held = [targets[at] for at in chosen]
        whole = bool(held) and held[0][0] == max(span[0], 1) and held[-1][1] == span[1]
        if whole and (self.matrix.combines != "alone" or len(held) == 1):
            weights[chosen] = 1.0
        return weights


def make_map(
    opened: OpenedModel,
    tokens: Tokens,
    rows: Sequence[Span],
    name: str,
    options: Mapping[str, Option],
    by: str,
    pattern: str | None,
) -> MadeMap:
    """The map of `rows` (token spans) by the method `name` ("": the best that the model has).

    Raises: AppError for an unknown method or option, or what the model cannot do.
    """
    from core.models import backend
    from core.salience import best_map, method, plan_rows
    from core.settings import settings

    with opened.use() as held:
        if name:
            chosen, given = method(name), dict(options)
        else:
            best, best_options = best_map(held.capabilities)
            if best is None:
                best, best_options = method("leave_one_out"), ()
            chosen, given = best, {**dict(best_options), **options}
        known = {option.name: option for option in chosen.options}
        strange = sorted(set(given) - set(known))
        if strange:
            raise AppError(
                f"{chosen.label} has no option {', '.join(strange)}.",
                hint=f"It has: {', '.join(known) or 'none'}.",
            )
        if "columns" in known and "columns" not in given:
            given["columns"] = _columns(tokens, by, pattern)
        most = backend(opened.spec.backend).rows
        targets, note = plan_rows(tokens, settings().salience_budget_bytes, most, rows)
        told = tuple(given.items())
        matrix = run_method(held, tokens, chosen, targets, told)
    return MadeMap(replace(matrix, note=f"{matrix.note} {note}".strip()), chosen, told)


def with_scores_of(made: MadeMap, opened: OpenedModel, tokens: Tokens, span: Span) -> MadeMap:
    """`made` with the scores of `span`, by a pass of its own where its rows do not make it."""
    if span in made.own or made.weights(span).any():
        return made
    with opened.use() as held:
        own = run_method(held, tokens, made.method, (span,), made.options).values[0]
    return replace(made, own={**made.own, span: own})


def _columns(tokens: Tokens, by: str, pattern: str | None) -> Option:
    """The parts that a method which takes parts out is asked for: as in the app, without the cue at the end."""
    from core.cause import proposed_locks
    from core.salience.leave_one_out import columns_option

    own = [part for part in segments(tokens, by, "prompt", pattern) if part.role is Role.PROMPT]
    locked = proposed_locks(own)
    return columns_option([part.tokens for at, part in enumerate(own) if at not in locked])[1]


def run_method(
    held: Any, tokens: Tokens, method: Method, targets: Sequence[Span], options: Options
) -> SalienceMatrix:
    """Scores (N, T) of `targets` (N token spans)."""
    from core.salience import request_for

    request = request_for(held, tokens, method.name, targets=tuple(targets), options=options)
    return method.run(held, request, tokens=tokens)
