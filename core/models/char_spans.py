"""Where each token stands in the text, in characters.

Two ways in: the tokenizer's own offset mapping for text that was typed, and the bytes behind each token for
ids that a model produced (never decoded and tokenised again). Both end in the same form: half-open character
spans that cover the text, where tokens that share a character share one span. Knows no model.

Source of the byte table: GPT-2's byte-level BPE (Radford et al. 2019): printable Latin-1 bytes stand for
themselves, the other 68 are moved to U+0100 and on, in order.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

Spans = list[tuple[int, int]]

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_MOVED = [byte for byte in range(256) if byte not in set(_PRINTABLE)]
BYTE_OF_CHAR: dict[str, int] = {chr(byte): byte for byte in _PRINTABLE} | {
    chr(0x100 + index): byte for index, byte in enumerate(_MOVED)
}
_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def decode_with_spans(pieces: Sequence[bytes]) -> tuple[str, Spans]:
    """The UTF-8 text of the joined `pieces`, and each piece's character span.

    A piece spans every character that one of its bytes belongs to; invalid bytes become U+FFFD, an empty
    piece an empty span.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    chars: list[str] = []
    owners: list[int] = []  # character index of every byte
    for byte in b"".join(pieces):
        out = decoder.decode(bytes((byte,)))
        pending = bool(decoder.getstate()[0])
        if out and (len(out) == 2 or pending):
            # The bytes held back were cut short: they are the first U+FFFD, and this byte starts anew.
            owners.append(len(chars) + 1)
        else:
            owners.append(len(chars))
        chars.extend(out)
    chars.extend(decoder.decode(b"", final=True))
    spans: Spans = []
    at = 0
    for piece in pieces:
        if piece:
            spans.append((owners[at], owners[at + len(piece) - 1] + 1))
        else:
            here = owners[at - 1] + 1 if at else 0
            spans.append((here, here))
        at += len(piece)
    return "".join(chars), share_characters(spans)


def complete_length(raw: bytes) -> int:
    """How many leading bytes of `raw` end on a whole character (what may already be shown)."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    decoder.decode(raw)
    return len(raw) - len(decoder.getstate()[0])


def share_characters(spans: Spans) -> Spans:
    """`spans` with every run of overlapping ones widened to their union (parts of one character)."""
    out = list(spans)
    start = 0
    while start < len(out):
        low, high = out[start]
        end = start + 1
        while end < len(out) and (out[end][0] < high or out[end][0] == out[end][1]):
            if out[end][0] < out[end][1]:
                low, high = min(low, out[end][0]), max(high, out[end][1])
            end += 1
        for index in range(start, end):
            if out[index][0] < out[index][1]:
                out[index] = (low, high)
        start = end
    return out


def cover(offsets: Spans, special: Sequence[bool], length: int) -> Spans:
    """A tokenizer's offset mapping mended to cover all `length` characters.

    Some tokenizers trim white space from their offsets, or give the later bytes of one character no width:
    a gap joins the token after it (at the end, the one before), and such tokens get the whole character.
    """
    spans = list(offsets)
    text_tokens = [
        index for index, flag in enumerate(special) if not flag or spans[index][0] < spans[index][1]
    ]
    starts = [spans[index][0] for index in text_tokens]
    if len(set(starts)) > 1 and all(spans[index][0] == spans[index][1] for index in text_tokens):
        # Starts without ends, as Llama 3's tokenizer once gave: each reaches to the next one that is further on.
        for index, start in zip(text_tokens, starts):
            spans[index] = (start, min((other for other in starts if other > start), default=length))
    reached = 0
    for index in text_tokens:
        low, high = spans[index]
        if low > reached:
            low = reached
        spans[index] = (low, high)
        reached = max(reached, high)
    if text_tokens and reached < length:
        spans[text_tokens[-1]] = (spans[text_tokens[-1]][0], length)
    for order, index in enumerate(text_tokens):
        low, high = spans[index]
        if low == high:  # a byte of a character whose width another of its tokens carries
            later = next((spans[i] for i in text_tokens[order + 1 :] if spans[i][0] < spans[i][1]), None)
            before = spans[text_tokens[order - 1]] if order else None
            if later is not None and later[0] <= low:
                spans[index] = (later[0], later[1])
            elif before is not None:
                spans[index] = before
    at = 0
    for index, flag in enumerate(special):
        if index in set(text_tokens):
            at = max(at, spans[index][1])
        elif flag:
            spans[index] = (at, at)
    return share_characters(spans)


class TokenBytes:
    """The bytes that each id of a fast tokenizer stands for, read from the tokenizer's own decoder."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._added = {int(i): str(token.content) for i, token in tokenizer.added_tokens_decoder.items()}
        self._special = set(tokenizer.all_special_ids) | {
            int(i) for i, token in tokenizer.added_tokens_decoder.items() if token.special
        }

    @cached_property
    def _described(self) -> dict[str, Any]:
        """The tokenizer's own description: its model and its decoder."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        whole = json.loads(backend.to_str()) if backend is not None else {}
        return {"model": whole.get("model") or {}, "decoder": whole.get("decoder") or {}}

    @cached_property
    def _steps(self) -> dict[str, dict[str, Any]]:
        """The decoder's steps by their type."""
        decoder = self._described["decoder"]
        return {step["type"]: step for step in (decoder.get("decoders", [decoder]) if decoder else [])}

    @cached_property
    def _words(self) -> tuple[str, str]:
        """How pieces become words where a piece is no text by itself: the mark that joins a piece to the one before
        ("##") and the one that ends a word ("</w>"); both empty where neither is used."""
        model = self._described["model"].get("type")
        if "WordPiece" in self._steps or model == "WordPiece":
            step = self._steps.get("WordPiece", self._described["model"])
            return str(step.get("prefix") or step.get("continuing_subword_prefix") or "##"), ""
        if "BPEDecoder" in self._steps:
            return "", str(self._steps["BPEDecoder"].get("suffix") or "</w>")
        if model == "BPE" and not self._steps and self._described["model"].get("end_of_word_suffix"):
            return "", str(self._described["model"]["end_of_word_suffix"])
        return "", ""

    def is_special(self, token_id: int) -> bool:
        return token_id in self._special

    def __call__(self, token_id: int) -> bytes:
        """Empty for special tokens: they are shown apart, never as text."""
        if token_id in self._special:
            return b""
        if token_id in self._added:
            return self._added[token_id].encode()
        piece = self._tokenizer.convert_ids_to_tokens(int(token_id))
        if piece is None:  # an id that the vocabulary leaves unused
            return "\ufffd".encode()
        if "ByteLevel" in self._steps:
            return bytes(BYTE_OF_CHAR[char] for char in piece if char in BYTE_OF_CHAR)
        found = _FALLBACK.fullmatch(piece)
        if found and "ByteFallback" in self._steps:
            return bytes((int(found.group(1), 16),))
        joins, ends = self._words
        if joins:
            return (piece.removeprefix(joins) if piece.startswith(joins) else f" {piece}").encode()
        if ends:
            return (f"{piece.removesuffix(ends)} " if piece.endswith(ends) else piece).encode()
        if self._described["model"].get("type") == "WordLevel" and not self._steps:
            return f" {piece}".encode()
        return piece.replace("\u2581", " ").encode()
