"""Log-probabilities of many texts that begin like one text, whose states are computed once.

A causal model's keys and values at a position depend on what stands before it alone, so a text that differs
from another from some place on needs a pass from that place only: about half the work when segments all over
a prompt are left out one by one. Every layer keeps its whole past here, also one with a sliding window, whose
mask still hides what is too far away. Knows no text and no salience.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from core.models.language_model import ResponseReading
from core.models.local.decoding import finite


class SharedBeginning:
    """The states of `ids` (T,); answers for other ids as far as they begin alike."""

    @torch.inference_mode()
    def __init__(self, model: Any, ids: NDArray[np.int64], *, moving: bool = False) -> None:
        """`moving`: after each text that text's states are kept in their place, for a row of alike texts."""
        self.model, self.moving = model, moving
        self.ids = ids[:-1]
        cache = DynamicCache()
        last = torch.tensor([len(self.ids) - 1], device=model.device)
        model(input_ids=self._tensor(self.ids), cache=cache, use_cache=True, logits_to_keep=last)
        self._keep(cache)

    def _keep(self, cache: DynamicCache) -> None:
        layers: list[Any] = list(cache.layers)
        self.states: list[tuple[torch.Tensor, torch.Tensor]] = [(one.keys, one.values) for one in layers]

    def _tensor(self, ids: NDArray[np.int64]) -> torch.Tensor:
        return torch.tensor(ids, device=self.model.device)[None]

    def logprobs(self, ids: NDArray[np.int64], prompt_len: int) -> NDArray[np.float32]:
        """log p of `ids` (T,) from `prompt_len` (at least 1) on, given all before: (T - prompt_len,) nats."""
        return self.read(ids, prompt_len).logprob_nats

    @torch.inference_mode()
    def read(self, ids: NDArray[np.int64], prompt_len: int) -> ResponseReading:
        """What the model makes of `ids` (T,) from `prompt_len` (at least 1) on."""
        if len(ids) <= prompt_len:
            return ResponseReading(np.zeros(0, np.float32), np.zeros(0, np.bool_), 0)
        size = min(len(ids), len(self.ids))
        unlike = np.flatnonzero(ids[:size] != self.ids[:size])
        # The last token of the prompt is read again: it is what the first answer token is told from.
        alike = min(int(unlike[0]) if len(unlike) else size, prompt_len - 1)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(self.states if alike else ()):
            cache.update(keys[..., :alike, :], values[..., :alike, :], layer)
        read = len(ids) - 1 - alike
        # Positions as a tensor: cut by an integer, torch copies frozen bf16 vocabulary matrices whole.
        kept = torch.arange(read - (len(ids) - prompt_len), read, device=self.model.device)
        logits = self.model(
            input_ids=self._tensor(ids[alike:-1]), cache=cache, use_cache=True, logits_to_keep=kept
        ).logits[0]
        if self.moving:
            self.ids = ids[:-1]
            self._keep(cache)
        wide = logits.float()
        targets = torch.tensor(ids[prompt_len:], device=wide.device)
        own = wide.gather(1, targets[:, None])[:, 0]
        likeliest = own >= wide.amax(-1)
        return ResponseReading(
            finite((own - wide.logsumexp(-1)).cpu().numpy()), likeliest.cpu().numpy(), read
        )
