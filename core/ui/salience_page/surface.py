"""The prompt as the page edits it: which text, where it stands in what the model read, and what to say of it.

Pure but for the drafts of this session. Knows no score and no job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from core.read_turns import places
from core.records import Example, Generation, Role, Tokens
from core.ui.asking import versions
from core.ui.asking.answering import Answer
from core.ui.asking.conversation import Prompt
from core.ui.salience_text.why import utf16


@dataclass(frozen=True, slots=True)
class Surface:
    """`text` stands in the field; the text that the map belongs to (`ran`) is at `span` (UTF-16 units) of the
    prompt's parts, and its first line has the number `first_line`.
    """

    key: str
    text: str
    kept: str
    fresh: bool
    ran: str = ""
    span: tuple[int, int] = (0, 0)
    first_line: int = 1


def surface_of(example: Example, answer: Answer | None) -> Surface:
    """The surface of `example`, over the map of `answer` where there is one."""
    draft = versions.draft_of(example, "prompt")
    times = versions.times_reset(example)
    key = f"{example.id} ({times})" if times else example.id
    text = example.prompt if draft is None else draft
    if answer is None or answer.generation is None:
        return Surface(key, text, example.prompt, draft is None)
    tokens = answer.generation.tokens
    start, stop = place(answer.sent, tokens)
    whole = tokens.text
    return Surface(
        key,
        text,
        example.prompt,
        draft is None,
        whole[start:stop],
        (utf16(whole[:start]), utf16(whole[:stop])),
        1 + _breaks(_written(tokens, start)),
    )


def text_of(sent: Prompt) -> str:
    """The text that is edited: the prompt, or a chat's last turn."""
    return sent if isinstance(sent, str) else sent[-1].content


def place(sent: Prompt, tokens: Tokens) -> tuple[int, int]:
    """Half-open characters of `tokens.text` where the text that is edited stands: all of the prompt, or its
    last turn. Where a tokenizer changed the text so that it is not found, all of the prompt.
    """
    if isinstance(sent, str):
        return 0, tokens.prompt_chars
    found = places(tokens, sent)[-1]
    return found or (0, tokens.prompt_chars)


def _written(tokens: Tokens, stop: int) -> str:
    """What people wrote before character `stop`: without the template's words."""
    mine = (tokens.role == Role.PROMPT) & (tokens.char_spans[:, 1] <= stop)
    spans = np.unique(tokens.char_spans[mine], axis=0)
    return "".join(tokens.text[a:b] for a, b in spans)


def _breaks(text: str) -> int:
    return len(re.findall(r"\r\n|[\r\n]", text))


def control_tokens(generation: Generation) -> list[str]:
    """Control tokens that stand in the person's own text and were read as such, each once, in order."""
    tokens = generation.tokens
    own = tokens.special[: tokens.prompt_len] & (tokens.role[: tokens.prompt_len] == Role.PROMPT)
    # What a tokenizer puts before a prompt by itself (a beginning-of-text token) shows no text.
    found = [tokens.text[a:b].strip() for a, b in tokens.char_spans[: tokens.prompt_len][own] if b > a]
    return list(dict.fromkeys(found))
