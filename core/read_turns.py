"""Where the turns of a chat stand in what a model read, and which of them it did not read as they were written.

One rule for the pages, runs, the server and Python: a template may leave a turn out, rewrite it, or put the system
message into the first user turn; each is a sentence. Pure functions; knows no page, no template and no tokenizer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.records import Message, Role, Tokens
from core.thinking import answer_of


def places(tokens: Tokens, messages: Sequence[Message]) -> list[tuple[int, int] | None]:
    """Half-open character range of each turn's words in `tokens.text`; None where they do not stand there.

    A template's own words ("user") are never taken for a turn: its tokens have the role of a template.
    """
    text = tokens.text[: tokens.prompt_chars]
    written = np.zeros(len(text) + 1, bool)
    for start, stop in tokens.char_spans[tokens.role == Role.PROMPT]:
        written[start:stop] = True
    found: list[tuple[int, int] | None] = []
    at = 0
    for message in messages:
        place = next(
            (
                place
                for form in (message.content, message.content.strip())  # many templates strip what was said
                if form.strip() and (place := _find(text, form, at, written))
            ),
            None,
        )
        found.append(place)
        at = place[1] if place else at
    return found


def turns_not_read(tokens: Tokens, sent: str | Sequence[Message]) -> tuple[str, ...]:
    """A sentence for each turn that the model did not read as it was written: left out, cut, or moved.

    `tokens` are what the model read of `sent`; of plain text there is nothing to tell.
    """
    if isinstance(sent, str):
        return ()
    messages = sent
    found, told = places(tokens, messages), []
    for number, (message, place) in enumerate(zip(messages, found), 1):
        if place is not None or not message.content.strip():
            continue
        what = "the system message" if message.role == "system" else f"turn {number} ({message.role})"
        bare = replace(message, content=answer_of(message.content))
        if bare.content.strip() and bare != message and places(tokens, [bare])[0] is not None:
            told.append(f"The model's chat template leaves out what was thought in {what}.")
        else:
            told.append(
                f"The model's chat template leaves out or rewrites {what}: the model did not read it as it stands."
            )
    if len(messages) > 1 and messages[0].role == "system" and found[0] and found[1]:
        between = slice(found[0][1], found[1][0])
        template = tokens.char_spans[tokens.role == Role.TEMPLATE]
        inside = (template[:, 0] < between.stop) & (template[:, 1] > between.start)
        if len(template) and not inside.any() and not tokens.text[between].strip():
            told.append(
                "The model's chat template has no system turn: the system message begins the first user turn."
            )
    return tuple(told)


def told_of_rows(rows: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """What was told of each row's turns (`turns_not_read`), once each, with the number of rows: the commonest first."""
    counted = Counter(sentence for told in rows for sentence in dict.fromkeys(told))
    return tuple(
        f"In {count:,} row{'' if count == 1 else 's'}: {sentence[:1].lower()}{sentence[1:]}"
        for sentence, count in counted.most_common()
    )


def _find(text: str, form: str, at: int, written: Any) -> tuple[int, int] | None:
    lead = len(form) - len(form.lstrip())
    start = text.find(form, at)
    while start >= 0 and not written[start + lead]:
        start = text.find(form, start + 1)
    return (start, start + len(form)) if start >= 0 else None
