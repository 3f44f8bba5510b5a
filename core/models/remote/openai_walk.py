"""How likely a server finds a given text that it will not score as such (`echo`): asked token after token.

The server is asked to go on from the prompt and the text so far, and to tell the likeliest tokens at each place. As
long as it writes the wanted text itself, one request tells many tokens; where it would write something else, the
wanted token is looked for among the likeliest, and the next request goes on behind it. A token that is not among them
has a bound only: it is at most as likely as the least likely that was told. A server that does not go on from a
beginning of its answer is known up to the first place where it would write something else.
Wire: OpenAI API reference, "Completions", "Chat completions" (`top_logprobs`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.models.language_model import ResponseReading
from core.models.remote.openai_stream import Told, ToldPlace
from core.models.remote.remote_tokens import pieces
from core.records import Tokens

FEW, MANY = 20, 1000
"""Alternatives asked for at first, and where the wanted one was not among them."""
HELD_BACK = 8
AT_ONCE = 64
"""Most tokens of one request."""
Ask = Callable[[str, int, int], Sequence[ToldPlace]]
"""(the answer so far, how many tokens, how many alternatives) -> what was told; [] where it cannot be asked."""


@dataclass(frozen=True, slots=True)
class WalkedToken:
    """One token of the wanted text, as half-open bytes. `bound`: it is at most so likely."""

    start: int
    stop: int
    nats: float
    bound: bool
    likeliest: bool


def walk(
    ask: Ask, text: str, starts: Sequence[int], first: int, last: int, *, goes_on: bool
) -> list[WalkedToken]:
    """The tokens of `text` (the answer) from byte `first` on until `last` is reached.

    `starts` are the bytes where tokens of it are known to begin. `goes_on`: the server can be asked to go on from a
    beginning of the answer; else it is asked once, from the answer's start.
    """
    data, steps = text.encode("utf-8", "surrogatepass"), []
    at = first if goes_on else 0
    borders = sorted({*starts, len(data)})
    while at < last:
        begun = _whole(data, at)
        if begun is None:  # within a character, where no text can be asked about: at most certain
            stop = next(i for i in range(at + 1, len(data) + 1) if _whole(data, i) is not None)
            steps.append(WalkedToken(at, stop, 0.0, True, False))
            at = stop
            continue
        left = sum(1 for start in borders if at <= start < last)
        places = ask(begun, min(max(left, 1), AT_ONCE), FEW) or ask(begun, HELD_BACK, FEW)
        before, broke = at, False
        for place in places:
            step = _step(place, data, at, borders)
            if step is None:
                break
            steps.append(step)
            at = step.stop
            if not step.likeliest or at >= last:
                broke = not step.likeliest
                break
        if at == before:
            step = _looked_for(ask, begun, places, data, at, borders, goes_on)
            steps.append(step)
            at, broke = step.stop, True
        if broke and not goes_on and at < last:
            known = at > first
            steps.append(WalkedToken(at, len(data), 0.0 if known else math.nan, True, False))
            at = len(data)
        elif not goes_on and at < last and not broke:
            steps.append(WalkedToken(at, len(data), 0.0, True, False))  # it ended its answer before
            at = len(data)
    return steps


def reading(tokens: Tokens, rows: Sequence[int], ask: Ask, *, goes_on: bool) -> ResponseReading:
    """What `ask` tells of the response's tokens `rows`; NaN for the others."""
    count = len(tokens) - tokens.prompt_len
    nats = np.full(count, np.nan, np.float32)
    likeliest, bound = np.zeros(count, bool), np.zeros(count, bool)
    text, border = tokens.response, tokens.prompt_chars
    at_byte = np.cumsum([0, *(len(char.encode("utf-8", "surrogatepass")) for char in text)])
    spans = at_byte[np.clip(tokens.char_spans[tokens.prompt_len :] - border, 0, len(text))]
    for group in _neighbours(rows):
        first, last = int(spans[group[0], 0]), int(spans[group[-1], 1])
        sums = dict.fromkeys(group, 0.0)
        sure, vague = dict.fromkeys(group, True), dict.fromkeys(group, False)
        for step in walk(ask, text, spans[:, 0].tolist(), first, last, goes_on=goes_on):
            if step.stop <= first or step.start >= last:
                continue
            inside = [row for row in group if spans[row, 0] <= max(step.start, first)] or [group[0]]
            sums[inside[-1]] += step.nats
            for row in group:
                if spans[row, 0] < step.stop and step.start < max(spans[row, 1], spans[row, 0] + 1):
                    sure[row] = sure[row] and step.likeliest
                    vague[row] = vague[row] or step.bound
        for row in group:
            nats[row], likeliest[row], bound[row] = sums[row], sure[row], vague[row]
    return ResponseReading(nats, likeliest, len(tokens) - 1, bound)


def _neighbours(rows: Sequence[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for row in sorted(set(rows)):
        if groups and row == groups[-1][-1] + 1:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _raw(token: Told) -> bytes:
    return token.raw if token.raw is not None else token.text.encode("utf-8", "surrogatepass")


def _whole(data: bytes, at: int) -> str | None:
    """The text up to byte `at`; None where a character is cut there."""
    try:
        return data[:at].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None


def _step(place: ToldPlace, data: bytes, at: int, borders: Sequence[int]) -> WalkedToken | None:
    """The wanted text's token at `at` among those told, the known one first, then the likeliest that fits."""
    fits = [
        (one, _raw(one))
        for one in (place.token, *place.others)
        if _raw(one) and data.startswith(_raw(one), at) and not math.isnan(one.nats)
    ]
    if not fits:
        return None
    known = next((stop - at for stop in borders if stop > at), 0)
    one, raw = next(
        (pair for pair in fits if len(pair[1]) == known), max(fits, key=lambda pair: pair[0].nats)
    )
    return WalkedToken(at, at + len(raw), one.nats, False, raw == _raw(place.token))


def _looked_for(
    ask: Ask,
    begun: str,
    places: Sequence[ToldPlace],
    data: bytes,
    at: int,
    borders: Sequence[int],
    goes_on: bool,
) -> WalkedToken:
    """The wanted token among many, else how likely it is at most."""
    told = list(places[:1])
    if goes_on or not begun:
        # A server holds half a character back, and all that it tells of it: then a few tokens are asked for.
        wider = list(ask(begun, 1, MANY)[:1]) or list(ask(begun, HELD_BACK, MANY)[:1])
        if wider and (step := _step(wider[0], data, at, borders)) is not None:
            return step
        told = wider or told
    values = [one.nats for place in told for one in (place.token, *place.others) if not math.isnan(one.nats)]
    stop = next((stop for stop in borders if stop > at), len(data))
    if stop - at > 1 and _whole(data, at) is not None:
        rest = data[at:].decode("utf-8", "surrogatepass")
        stop = min(stop, at + len(rest[: pieces(rest)[0][1]].encode("utf-8", "surrogatepass")))
    return WalkedToken(at, stop, min(values, default=math.nan), True, False)
