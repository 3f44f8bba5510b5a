"""Tokens for models whose tokenizer is elsewhere: pieces of text with made-up, stable ids.

Where a server tells its token strings they are laid over the text (`align`); where it tells none, the text is
cut at Unicode word borders (`pieces`), a space going with the word after it as in most tokenizers. An id is a
hash of the piece, so equal pieces have equal ids and a cache key stays true; it means nothing to the server.
A chat becomes text with one template token a turn, from which `turns` reads the messages back. Knows no
server. Word borders: UAX #29.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from core.errors import AppError
from core.models.char_spans import Spans, share_characters
from core.records import Message, Role, Tokens
from core.text_breaks import words

TURN_IDS = {"system": 1, "user": 2, "assistant": 3}
"""Ids of the template tokens that open a turn; every other id is at least 16."""
_ROLE_OF_ID = {number: role for role, number in TURN_IDS.items()}
_END_TURN = 4
_SPECIAL = re.compile(r"<[^<>\s]{1,40}>|\[(?:CLS|SEP|BOS|EOS|PAD|UNK|INST|/INST)\]|<\|[^|]*\|>")
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_LOOK_AHEAD = 64


def piece_id(piece: str) -> int:
    """A stable id below 2^48 (exact in JSON) for a piece of text."""
    return 16 + int.from_bytes(blake2b(piece.encode("utf-8", "surrogatepass"), digest_size=6).digest()) // 2


def pieces(text: str) -> Spans:
    """`text` cut at word borders, as half-open character spans that cover it exactly."""
    spans: Spans = []
    at = start = 0
    for word in words(text):
        at += len(word)
        if word.isspace() and "\n" not in word:
            continue  # a space goes with the word after it
        spans.append((start, at))
        start = at
    if start < at:
        spans.append((start, at))
    return spans


def align(text: str, strings: Sequence[str]) -> tuple[Spans, list[bool]]:
    """Lays a server's token `strings` over `text`.

    `▁` is a space, a space that a tokenizer adds before the text is none, and tokens that are no text (parts
    of one character, byte tokens) share the characters up to the next token that is found.

    Returns: a half-open character span for each token, covering the text, and whether it is special.
    """
    spans: Spans = []
    special: list[bool] = []
    waiting: list[int] = []
    at = 0
    for index, raw in enumerate(strings):
        shown = raw.replace("\u2581", " ")
        bytes_wait = any(_BYTE.fullmatch(strings[i]) or "\ufffd" in strings[i] for i in waiting)
        start = _place(text, shown, at, at + bytes_wait, reach=_LOOK_AHEAD if waiting else 0)
        plain = start is not None or _BYTE.fullmatch(raw)
        special.append(not shown or (not plain and bool(_SPECIAL.fullmatch(raw))))
        spans.append((at, at))
        if start is None:
            if not special[-1]:
                waiting.append(index)
            continue
        for held in waiting:
            spans[held] = (at, start)
            special[held] = at == start
        waiting = []
        stop = start + len(shown if text.startswith(shown, start) else shown.removeprefix(" "))
        spans[index] = (start, stop)
        at = stop
    for held in waiting:
        spans[held] = (at, len(text))
        special[held] = at == len(text)
    if at < len(text) and not waiting:
        last = max((i for i, flag in enumerate(special) if not flag), default=None)
        if last is not None:
            spans[last] = (spans[last][0], len(text))
    return share_characters(spans), special


def _place(text: str, shown: str, at: int, first: int, reach: int) -> int | None:
    """Where `shown` starts in `text`: at `at` where `first` is that too, or up to `reach` characters on."""
    if not shown:
        return None
    if first == at:
        for form in (shown, shown.removeprefix(" ")):
            if form and text.startswith(form, at):
                return at
    if reach:
        found = text.find(shown, first, first + reach + len(shown))
        return found if found >= 0 else None
    return None


def tokens_of(
    text: str,
    spans: Spans,
    *,
    prompt_chars: int,
    special: Sequence[bool] | None = None,
    template: Sequence[int | None] | None = None,
    strings: Sequence[str] | None = None,
) -> Tokens:
    """The record for `spans` over `text`, whose response starts at the character `prompt_chars`.

    A token that crosses that border is counted to the response. `template[i]` is the id of a template token.
    """
    count = len(spans)
    flags = list(special) if special is not None else [False] * count
    template = template if template is not None else [None] * count
    inside = [stop <= prompt_chars and start < prompt_chars for start, stop in spans]
    # Empty spans (special tokens) at the very border close the prompt only when they stand before it.
    prompt_len = max((i + 1 for i, part in enumerate(inside) if part), default=0)
    while prompt_len < count and flags[prompt_len] and spans[prompt_len][1] <= prompt_chars:
        if prompt_chars == len(text) or prompt_len + 1 == count:
            break
        prompt_len += 1
    cut = list(spans)
    if prompt_len and prompt_len < count and cut[prompt_len][0] < prompt_chars:
        last = max((i for i in range(prompt_len) if cut[i][0] < cut[i][1]), default=None)
        border = cut[prompt_len]
        if last is not None:
            cut[last] = (cut[last][0], prompt_chars)
            cut[prompt_len:] = [
                (prompt_chars, b) if (a, b) == border else (a, b) for a, b in cut[prompt_len:]
            ]
    role = [
        Role.TEMPLATE if template[i] is not None else Role.PROMPT if i < prompt_len else Role.RESPONSE
        for i in range(count)
    ]
    names = list(strings) if strings is not None else [text[a:b] for a, b in cut]
    ids = [piece_id(names[i]) if template[i] is None else template[i] for i in range(count)]
    return Tokens(
        ids=np.array(ids, np.int64),
        text=text,
        char_spans=np.array(cut, np.int64).reshape(count, 2),
        special=np.array(flags, bool),
        role=np.array(role, np.int8),
        prompt_len=prompt_len,
    )


def write(prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
    """`prompt` and `response` in pieces; a chat gets a template token before and after each turn.

    Raises: AppError for a chat without turns.
    """
    text = ""
    spans: Spans = []
    template: list[int | None] = []

    def add(part: str, mark: int | None = None) -> None:
        nonlocal text
        for start, stop in pieces(part) if mark is None else [(0, len(part))]:
            spans.append((len(text) + start, len(text) + stop))
            template.append(mark)
        text += part

    if isinstance(prompt, str):
        add(prompt)
    else:
        if not prompt:
            raise AppError("The chat has no turns.", hint="Write a message for the model.")
        for message in prompt:
            add(f"{message.role}: ", TURN_IDS[message.role])
            add(message.content)
            add("\n", _END_TURN)
        add("assistant: ", TURN_IDS["assistant"])
    border = len(text)
    if response:
        add(response)
    return tokens_of(text, spans, prompt_chars=border, template=template)


def turns(tokens: Tokens) -> tuple[Message, ...] | None:
    """The messages of a prompt that `write` made from a chat; None for plain text.

    Read from the template tokens, not from the text: a message may hold "user: " itself.
    """
    found: list[Message] = []
    role, content = "", ""
    seen = False
    for index in range(tokens.prompt_len):
        number = int(tokens.ids[index])
        start, stop = tokens.char_spans[index]
        if tokens.role[index] != Role.TEMPLATE:
            content += tokens.text[start:stop]
            continue
        seen = True
        if number == _END_TURN:
            found.append(Message(role, content))  # type: ignore[arg-type]
            role = ""
        else:
            role, content = _ROLE_OF_ID.get(number, "user"), ""
    return tuple(found) if seen else None


def with_response(prompt: Tokens, later: Spans | None, response: str) -> Tokens:
    """The prompt of `prompt` followed by `response`, in the server's tokens (spans over it) where it told them."""
    head = prompt.prompt_len
    border = prompt.prompt_chars
    later = pieces(response) if later is None else later
    names = [response[a:b] for a, b in later]
    spans = [(a + border, b + border) for a, b in later]
    return Tokens(
        ids=np.concatenate([prompt.ids[:head], np.array([piece_id(n) for n in names], np.int64)]),
        text=prompt.text[:border] + response,
        char_spans=np.concatenate([prompt.char_spans[:head], np.array(spans, np.int64).reshape(-1, 2)]),
        special=np.concatenate([prompt.special[:head], np.zeros(len(spans), bool)]),
        role=np.concatenate([prompt.role[:head], np.full(len(spans), Role.RESPONSE, np.int8)]),
        prompt_len=head,
    )
