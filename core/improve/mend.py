"""The whole way from wrong rows to a better prompt: causes of wrong rows, repairs of what carried them, trials.

Half of the rows is worked on, the other half only judges. Knows no store and no page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from core.errors import AppError
from core.improve.carriers import Carriers, carriers
from core.improve.causes_of_rows import row_cause
from core.improve.needless import Count, OnShare
from core.improve.prompt_parts import PromptParts
from core.improve.repairs import Rewrite, propose
from core.improve.rows import RowsAsked, halves
from core.improve.trials import Repaired, RepairTrial, try_repairs
from core.models.language_model import LanguageModel
from core.records import Tokens

MOST_ROWS, SUSPECTS = 6, 2
Hold = Callable[[], AbstractContextManager[LanguageModel]]
"""The model, held while a row is read."""
Answered = Callable[[int, str], Tokens]
"""The prompt of a row with the answer that the model gave, as the ids that it produced."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What carried the wrong rows that were looked at, and the repairs of it; None where there is nothing to repair."""

    parts: PromptParts
    carriers: Carriers
    repaired: Repaired | None
    wrong: int
    """Wrong rows of all."""


def mend(
    hold: Hold,
    parts: PromptParts,
    ask: RowsAsked,
    answered: Answered,
    count: Count,
    *,
    most_rows: int = MOST_ROWS,
    rewrite: Rewrite | None = None,
    on_share: OnShare | None = None,
    on_trial: Callable[[RepairTrial], None] | None = None,
    stop: threading.Event | None = None,
    between: Callable[[], None] | None = None,
) -> Mended:
    """Looks at up to `most_rows` wrong rows of the half to work on, and runs repairs of what carried most.

    Raises: AppError where no row is wrong, or the model tells no log-probabilities; Stopped.
    """
    before = ask([parts.text])
    wrong = np.flatnonzero(before.outcomes[0] == 0)
    if not len(wrong):
        raise AppError(
            "No row that this version was asked is wrong by the checks, so there is nothing to mend.",
            hint="Ask the table first, or choose checks.",
        )
    work, _held = halves(len(before.outcomes[0]), before.outcomes[0])
    looked = [row for row in work if row in wrong][:most_rows] or [int(wrong[0])]
    found = []
    for done, row in enumerate(looked):
        if on_share is not None:
            on_share(0.4 * done / len(looked), f"Reading wrong row {done + 1} of {len(looked)}")
        prompt = ask.prompt(parts.text, row)
        assert isinstance(prompt, str)
        tokens = answered(row, prompt)
        with hold() as model:
            cause = row_cause(model, ask.rows[row].id, tokens, prompt, parts, stop=stop, between=between)
        if cause is not None:
            found.append(cause)
    told = carriers(len(parts.spans), found)
    suspects = [
        one.part for one in told.parts if one.part in parts.free and (one.caused or one.effect_nats > 0)
    ]
    repairs = propose(parts, suspects[:SUSPECTS], rewrite)
    if not repairs:
        return Mended(parts, told, None, len(wrong))

    def tell(share: float, said: str) -> None:
        if on_share is not None:
            on_share(0.4 + 0.6 * share, said)

    repaired = try_repairs(parts.text, repairs, ask, count, on_share=tell, on_trial=on_trial)
    return Mended(parts, told, repaired, len(wrong))
