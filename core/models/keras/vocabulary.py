"""The tokenizer of a KerasHub preset as ids and bytes: byte-level BPE or SentencePiece.

KerasHub's tokenizers give ids without offsets; where each token stands follows from the bytes behind it.
Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.models.char_spans import BYTE_OF_CHAR, decode_with_spans
from core.models.remote import remote_tokens

_TURN_ENDS = ("<end_of_turn>", "<|eot_id|>")


class Vocabulary:
    """A preset's tokenizer as bytes: byte-level BPE or SentencePiece."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._byte_level = hasattr(tokenizer, "merges")
        self._special = {int(i) for i in tokenizer.special_token_ids}
        self.end_ids = {int(tokenizer.end_token_id)}
        if hasattr(tokenizer, "end_token2_id"):
            self.end_ids.add(int(tokenizer.end_token2_id))
        known = set(tokenizer.get_vocabulary())
        self.end_ids |= {int(tokenizer.token_to_id(mark)) for mark in _TURN_ENDS if mark in known}
        self._special |= self.end_ids

    def ids(self, text: str) -> list[int]:
        return [int(i) for i in self._tokenizer.tokenize(text)] if text else []

    def is_special(self, token_id: int) -> bool:
        return token_id in self._special

    def piece(self, token_id: int) -> bytes:
        """The bytes that an id stands for; empty for special ones."""
        if token_id in self._special:
            return b""
        name = str(self._tokenizer.id_to_token(token_id))
        if self._byte_level:
            if all(char in BYTE_OF_CHAR for char in name):
                return bytes(BYTE_OF_CHAR[char] for char in name)
            return name.encode()
        if len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            return bytes((int(name[3:5], 16),))
        return name.replace("\u2581", " ").encode()

    def spans(self, ids: Sequence[int], text: str) -> list[tuple[int, int]]:
        """Where each of `ids` stands in the `text` that they were made from."""
        found, spans = decode_with_spans([self.piece(i) for i in ids])
        if found == text:
            return spans
        # A SentencePiece model may put a space before the text, or change characters on the way.
        return remote_tokens.align(text, [found[a:b] for a, b in spans])[0]
