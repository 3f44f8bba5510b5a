"""Cuts a text into the parts that people look at: tokens, words, sentences, lines, paragraphs, blocks.

Every granularity is an exact partition of the text on character offsets; white space belongs to the part
before it, and no cut falls inside a character as a reader sees it (a grapheme cluster). Words and sentences
follow Unicode's rules (UAX #29, https://www.unicode.org/reports/tr29/), line by line; blocks are this project's own
reading of few-shot prompts. Every cut is made in one pass and stopped by the clock. Knows nothing of scores, models or
colours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from core.errors import AppError
from core.expressions import matches
from core.family import find
from core.records import Role, Segment, Tokens
from core.structure_breaks import document_cuts, field_cuts, turn_cuts
from core.text_breaks import TextClock, sentence_ends, word_ends
from core.thinking import answer_starts

Part = Literal["prompt", "response"]
Span = tuple[int, int]

_LINE_END = regex.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
# Flags are paired here, because \X counts back through a whole run of them at each.
_CLUSTER = regex.compile(r"\p{RI}{1,2}+[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*+|\X", regex.VERSION1)
_TERMINATOR = regex.compile(r"[\p{SB=ATerm}\p{SB=STerm}]")
_NUMBERING = regex.compile(r"\s*[\p{N}#(\[]+[.)\]]\s*")
_GLUE = regex.compile(r"[\p{P}\p{Sc}]+")
_HEADING = regex.compile(r"^#{1,6}[ \t]", regex.MULTILINE)
_LABEL = regex.compile(
    r"^[ \t]*(?:<(\w[\w-]*)[^>\n]*>|\**([\p{L}][\p{L}\p{M}\p{N} '’_-]{0,40}?)[\p{N}# ]*\**:)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granularity:
    """One way to cut a text, and how a menu names it."""

    name: str
    label: str
    description: str
    cuts: Callable[[str], Iterable[int]] | None
    """Where parts of a text end (any order, 0 and the end optional); None: needs more than the text."""


def _lines(text: str) -> Iterator[Span]:
    start = 0
    for end in _LINE_END.finditer(text):
        yield start, end.end()
        start = end.end()
    if start < len(text):
        yield start, len(text)


def _line_cuts(text: str) -> Iterable[int]:
    return (stop for _, stop in _lines(text))


@lru_cache(maxsize=8192)
def _words_of_line(line: str) -> tuple[int, ...]:
    """Ends of words; punctuation goes with the word before it, after a space with the next."""
    cuts: list[int] = []
    at, open_ = 0, True
    for end in word_ends(line):
        piece = line[at:end]
        glue = _GLUE.fullmatch(piece) is not None
        if not (open_ or glue or piece.isspace()):
            cuts.append(at)
        at = end
        if piece.isspace():
            cuts.append(at)
        open_ = piece.isspace() or (glue and open_)
    return (*cuts, at)


@lru_cache(maxsize=8192)
def _sentences_of_line(line: str) -> tuple[int, ...]:
    """Ends of sentences; a list's numbering ("1. ") stays with the sentence it numbers."""
    if not _TERMINATOR.search(line):
        return (len(line),)
    cuts: list[int] = []
    for at in sentence_ends(line):
        if not (len(cuts) == 0 and _NUMBERING.fullmatch(line[:at])):
            cuts.append(at)
    return (*cuts, len(line))


def _by_line(rule: Callable[[str], tuple[int, ...]]) -> Callable[[str], Iterable[int]]:
    # Both rules of UAX #29 always break after a line's end (WB3a, SB4), so lines can be cut, and kept, alone.
    def cuts(text: str) -> Iterator[int]:
        clock = TextClock()
        for start, stop in _lines(text):
            clock.left()
            yield from (start + cut for cut in rule(text[start:stop]))

    return cuts


def _paragraph_cuts(text: str) -> Iterable[int]:
    return (stop for start, stop in _lines(text) if text[start:stop].isspace())


def _block_cuts(text: str) -> Iterable[int]:
    """Headings start blocks; so does each few-shot example, known by the first label that opens several.

    A label is what stands before a colon at a line's start ("Question:", "Example 2:", numbers left off)
    or an opening tag. Before the first heading or example, empty lines part blocks.
    """
    headings = {m.start() for m in _HEADING.finditer(text)}
    paragraphs = {0, *_paragraph_cuts(text)}
    labels: dict[str, list[int]] = {}
    for start, stop in _lines(text):
        if start not in headings and (found := _LABEL.match(text[start:stop])):
            labels.setdefault((found[1] or found[2]).strip().casefold(), []).append(start)
    examples = next((at for at in labels.values() if _opens(at, paragraphs)), [])
    starts = headings | set(examples)
    first = min(starts, default=len(text))
    return starts | {cut for cut in paragraphs if cut <= first}


def _opens(places: list[int], paragraphs: set[int]) -> bool:
    """Whether a label at `places` opens examples, rather than standing in the middle ("Answer:")."""

    ordered = sorted(paragraphs)

    def follows(before: int, here: int) -> bool:
        after = bisect_right(ordered, before)
        return here in paragraphs or after == len(ordered) or ordered[after] >= here

    return len(places) > 1 and all(follows(a, b) for a, b in pairwise(places))


GRANULARITIES: tuple[Granularity, ...] = (
    Granularity(
        name="token",
        label="Token",
        description="The pieces that the model reads; often parts of words.",
        cuts=None,
    ),
    Granularity(
        name="word",
        label="Word",
        description="Words with the punctuation that touches them.",
        cuts=_by_line(_words_of_line),
    ),
    Granularity(
        name="sentence",
        label="Sentence",
        description="Sentences; a new line starts a new one.",
        cuts=_by_line(_sentences_of_line),
    ),
    Granularity(name="line", label="Line", description="Lines of the text.", cuts=_line_cuts),
    Granularity(
        name="paragraph",
        label="Paragraph",
        description="Stretches between empty lines.",
        cuts=_paragraph_cuts,
    ),
    Granularity(
        name="block",
        label="Block",
        description="A few-shot example, or a section under a heading.",
        cuts=_block_cuts,
    ),
    Granularity(
        name="turn",
        label="Turn",
        description="A turn of a conversation, also where it is typed out as text.",
        cuts=turn_cuts,
    ),
    Granularity(
        name="document",
        label="Document",
        description="A document or tool output: what a tag encloses, a section, an item of a JSON list.",
        cuts=document_cuts,
    ),
    Granularity(
        name="field",
        label="Field",
        description="A labelled field of an example, such as “Question: …”, with what belongs to it.",
        cuts=field_cuts,
    ),
    Granularity(
        name="custom",
        label="Custom",
        description="Your own regular expression; a part ends where it matches.",
        cuts=None,
    ),
)
NAMES = tuple(g.name for g in GRANULARITIES)


def declared(name: str) -> Granularity:
    """The granularity called `name`. Raises: AppError that lists what there is."""
    return find("granularity", GRANULARITIES, name)


def _cluster_ends(text: str) -> Iterator[int]:
    clock = TextClock()
    try:
        yield from (m.end() for m in _CLUSTER.finditer(text, timeout=clock.left(), concurrent=True))
    except TimeoutError as error:
        raise clock.over() from error


def _partition_at(text: str, cuts: Iterable[int], *, join_blank: bool = True) -> tuple[Span, ...]:
    """The partition of `text` with `cuts` moved out of grapheme clusters; blank parts join the one before."""
    clusters = np.fromiter(_cluster_ends(text), np.int64)
    wanted = np.unique(np.fromiter((c for c in cuts if 0 < c < len(text)), np.int64))
    ends = np.unique(clusters[np.searchsorted(clusters, wanted)]) if len(text) else wanted
    spans: list[Span] = []
    start = 0
    for end in (*ends[ends < len(text)].tolist(), len(text)):
        if join_blank and spans and text[start:end].isspace():
            spans[-1] = (spans[-1][0], end)
        elif join_blank and len(spans) == 1 and text[: spans[0][1]].isspace():
            spans[-1] = (0, end)
        elif start < end:
            spans.append((start, end))
        start = end
    return tuple(spans)


@lru_cache(maxsize=256)
def partition(text: str, granularity: str, pattern: str | None = None) -> tuple[Span, ...]:
    """Half-open character spans that follow each other and together are `text` (none where it is empty).

    `pattern` is the expression of the granularity "custom": a part ends where a match ends, so it describes
    the separator, or with a look-ahead such as `(?=Q:)` what starts a part.

    Raises: AppError for an unknown granularity, for "token" (the tokens are needed: `segments`), and for an
    expression that is broken or does not end.
    """
    if granularity == "custom":
        return _partition_at(text, (stop for _, stop in matches(pattern or "", text)))
    cuts = declared(granularity).cuts
    if cuts is None:
        raise AppError("A text without a model has no tokens.", hint="Choose words, or run the model first.")
    return _partition_at(text, cuts(text))


def _token_cuts(spans: NDArray[np.int64]) -> Iterable[int]:
    """Starts of tokens, those inside the span of an earlier token left out."""
    shown = spans[spans[:, 0] < spans[:, 1]]
    if not len(shown):
        return ()
    reach = np.maximum.accumulate(shown[:, 1])
    apart = np.r_[True, shown[1:, 0] >= reach[:-1]]
    return (int(cut) for cut in shown[apart, 0])


def _homes(tokens: Tokens, span: Span, parts: tuple[Span, ...]) -> NDArray[np.int64]:
    """For each token of `span` the part of its first character that is not white; never falling."""
    starts = np.array([start for start, _ in parts], np.int64)
    at = np.empty(span[1] - span[0], np.int64)
    for row, (start, stop) in enumerate(tokens.char_spans[span[0] : span[1]].tolist()):
        piece = tokens.text[start:stop]
        at[row] = start + (len(piece) - len(piece.lstrip()) if piece.strip() else 0)
    home = np.searchsorted(starts, at, side="right") - 1
    return np.maximum.accumulate(np.maximum(home, 0))


def segments(
    tokens: Tokens, granularity: str, part: Part = "prompt", pattern: str | None = None
) -> tuple[Segment, ...]:
    """The segments of the prompt or of the response, with the tokens of each.

    Their characters partition the part's text and their token spans partition its tokens. Special tokens and
    those of a chat template stand in segments of their own (`Role.TEMPLATE`, perhaps without text). A token
    belongs to the segment of its first character that is not white; a segment without tokens joins the one
    before it, the first the next. What a model thought never shares a segment with its answer.

    Raises: AppError as `partition` does.
    """
    edge = tokens.prompt_chars
    first, last = (0, tokens.prompt_len) if part == "prompt" else (tokens.prompt_len, len(tokens))
    begin, end = (0, edge) if part == "prompt" else (edge, len(tokens.text))
    if granularity != "token":
        partition("", granularity, pattern)
    apart = tokens.special[first:last] | (tokens.role[first:last] == Role.TEMPLATE)
    changes = (np.flatnonzero(apart[1:] != apart[:-1]) + 1 + first).tolist()
    edges = [first, *changes, last] if last > first else []
    answer = begin + answer_starts(tokens.text[begin:end]) if part == "response" else begin
    out: list[Segment] = []
    char = begin
    for a, b in pairwise(edges):
        # A run of tokens owns the characters up to where the next run starts.
        stop = end if b == last else min(max(char, int(tokens.char_spans[b, 0])), end)
        role = Role.TEMPLATE if apart[a - first] else Role.PROMPT if part == "prompt" else Role.RESPONSE
        for chars, own in _run(tokens, (a, b), (char, stop), role, granularity, pattern, answer):
            out.append(Segment(len(out), tokens.text[slice(*chars)], chars, own, role))
        char = stop
    return tuple(out)


def _parted(parts: Sequence[Span], at: int) -> Iterator[Span]:
    """`parts` with the one that holds character `at` cut there."""
    for start, stop in parts:
        yield from ((start, at), (at, stop)) if start < at < stop else ((start, stop),)


def _run(
    tokens: Tokens, span: Span, chars: Span, role: Role, granularity: str, pattern: str | None, answer: int
) -> Iterator[tuple[Span, Span]]:
    """(characters, tokens) of each segment of one run of tokens; character `answer` always starts one."""
    begin, end = chars
    text = tokens.text[begin:end]
    if role is Role.TEMPLATE or not text:
        yield chars, span
        return
    if granularity == "token":
        inner = _partition_at(text, _token_cuts(tokens.char_spans[slice(*span)] - begin), join_blank=False)
    else:
        inner = partition(text, granularity, pattern)
    parts = tuple(_parted([(begin + a, begin + b) for a, b in inner], answer))
    homes = _homes(tokens, span, parts)
    held = np.unique(homes)
    first_token = span[0] + np.searchsorted(homes, held)
    starts = [begin, *(parts[h][0] for h in held[1:])]
    for row, (start, token) in enumerate(zip(starts, first_token.tolist())):
        is_last = row == len(held) - 1
        yield (
            (start, end if is_last else starts[row + 1]),
            (token, span[1] if is_last else int(first_token[row + 1])),
        )
