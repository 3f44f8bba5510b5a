"""Prompts of the grammar as padded batches of token ids, with the tokens that the loss counts.

A prompt is written as plain text or in the chat template. Loss counts on the response, on the end token, and
on those spans of the prompt that its earlier text determines. Batches hold prompts of similar length, padded
on the right to one of a few widths, so that a compiled model meets few shapes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from tools.demo_model.grammar import GrammarPrompt
from tools.demo_model.tokenizer import BOS, END_OF_TURN, EOS, START_OF_TURN

WIDTHS = (96, 160, 256, 384, 512, 1024)
TOKENS_A_BATCH = 4096
IGNORED = -100


@dataclass(frozen=True)
class Sequence:
    """Token ids with the label of each place: the id itself where the loss counts, else `IGNORED`."""

    ids: list[int]
    labels: list[int]


def as_text(prompt: str, response: str, *, chat: bool) -> tuple[str, str]:
    """Returns what the model reads before the response, and the response with its end token."""
    if chat:
        before = f"{BOS}{START_OF_TURN}user\n{prompt}{END_OF_TURN}\n{START_OF_TURN}model\n"
        return before, f"{response.lstrip(' ')}{END_OF_TURN}"
    return f"{BOS}{prompt}", f"{response}{EOS}"


def encode(record: GrammarPrompt, tokenizer: PreTrainedTokenizerBase, *, chat: bool) -> Sequence:
    """Returns the ids and labels of one prompt with its response; the boundary is never merged."""
    before, after = as_text(record.prompt, record.response, chat=chat)
    shift = before.index(record.prompt)
    read = tokenizer(before, add_special_tokens=False, return_offsets_mapping=True)
    written = tokenizer(after, add_special_tokens=False)["input_ids"]
    spans = [(start + shift, end + shift) for start, end in record.learnable]
    labels = [
        token if any(start <= a and b <= end for start, end in spans) else IGNORED
        for token, (a, b) in zip(read["input_ids"], read["offset_mapping"], strict=True)
    ]
    return Sequence([*read["input_ids"], *written], [*labels, *written])


def pad(sequences: list[Sequence], width: int, pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns ids and labels, each (B, width), padded on the right."""
    ids = torch.full((len(sequences), width), pad_id)
    labels = torch.full((len(sequences), width), IGNORED)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence.ids)] = torch.tensor(sequence.ids)
        labels[row, : len(sequence.labels)] = torch.tensor(sequence.labels)
    return ids, labels


class Batcher:
    """Collects sequences by width and hands out a batch as soon as one width has enough of them."""

    def __init__(self, source: Iterator[Sequence], pad_id: int, *, tokens: int = TOKENS_A_BATCH) -> None:
        self.source = source
        self.pad_id = pad_id
        self.tokens = tokens
        self.waiting: dict[int, list[Sequence]] = {width: [] for width in WIDTHS}

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the next full batch: ids and labels (B, width) with B × width about `tokens`."""
        while True:
            sequence = next(self.source)
            width = next((w for w in WIDTHS if len(sequence.ids) <= w), None)
            if width is None:
                continue  # longer than the longest width: left out of training
            bucket = self.waiting[width]
            bucket.append(sequence)
            if len(bucket) == self.tokens // width:
                self.waiting[width] = []
                return pad(bucket, width, self.pad_id)


def shuffled_rng(seed: int, stream: str) -> random.Random:
    """Returns a generator of its own for a named stream of one seed."""
    return random.Random(f"{seed}/{stream}")
