"""A part that was taken out can stay out: what was measured is kept as a version of the example."""

from __future__ import annotations

from core.records import Example, Message
from core.ui.asking import conversation, versions
from core.ui.asking.answering import Answer
from core.ui.salience_page import measuring
from core.ui.shell import state


def keep_without(example: Example, answer: Answer, number: int) -> Example | None:
    """The version without the part of trial `number`; None where there is no such trial."""
    found = measuring.trials(answer)
    if not 0 <= number < len(found):
        return None
    trial = found[number]
    if isinstance(trial.sent, str):
        return versions.keep_version(example, trial.sent, edit=f"without {trial.name}")
    turns: tuple[Message, ...] = tuple(trial.sent)
    fields = {conversation.FIELD: conversation.turns_as_field(turns[:-1])}
    return versions.keep_version(example, turns[-1].content, edit=f"without {trial.name}", fields=fields)


def closed() -> bool:
    """Whether the person closed what stands above the list."""
    return state.CARD_CLOSED.get(False)
