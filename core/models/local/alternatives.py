"""What else a model would have written: the likeliest tokens in each place of a response. One forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from core.records import Tokens

if TYPE_CHECKING:
    from core.models.local.hugging_face import HuggingFaceModel

TIE = 0.02
"""Two tokens whose probabilities differ by less than this, and that are at least 0.05 likely, are tied."""
LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Alternatives:
    """For each token of the response (R) the likeliest `count` in its place: what each shows, and how likely
    it is (0 to 1), the likeliest first.
    """

    texts: tuple[tuple[str, ...], ...]
    probabilities: tuple[tuple[float, ...], ...]
    ids: tuple[tuple[int, ...], ...] = ()

    @property
    def ties(self) -> tuple[int, ...]:
        """Places where the two likeliest tokens are next to equally likely."""
        return tuple(
            place
            for place, (one, other, *_) in enumerate(self.probabilities)
            if other >= LEAST and one - other < TIE
        )


@torch.inference_mode()
def alternatives(model: HuggingFaceModel, tokens: Tokens, count: int = 5) -> Alternatives:
    """The `count` likeliest tokens in each place of the response, whatever was written there."""
    rows = torch.arange(tokens.prompt_len, len(tokens), device=model.device)
    if not len(rows):
        return Alternatives((), ())
    ids = torch.tensor(tokens.ids, device=model.device)
    logits = model.model(input_ids=ids[None, :-1], use_cache=False, logits_to_keep=rows - 1).logits[0]
    best = logits.float().softmax(-1).topk(min(count, logits.shape[-1]), -1)
    return Alternatives(
        tuple(tuple(model.tokenizer.decode([int(i)]) for i in row) for row in best.indices.cpu()),
        tuple(tuple(float(p) for p in row) for row in best.values.cpu()),
        tuple(tuple(int(i) for i in row) for row in best.indices.cpu()),
    )
