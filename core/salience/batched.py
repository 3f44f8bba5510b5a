"""Grad L2 and grad · input of one loss each for several texts, from one forward and one backward pass in all.

What LIT's wire asks: for each text the gradient of the summed loss of some of its tokens. Texts of different
lengths are padded on the right, where a causal model cannot look; rows of a batch do not touch each other, so
the gradient of the sum of all losses is every text's own gradient. Definitions as in `grad_l2.py` and
`grad_dot_input.py`. Knows no queue and no wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.salience.scores import finite

Item = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Ids (T,) and the positions (M,) to explain, ascending and at least 1; none gives zeros."""
Scores = tuple[NDArray[np.float32], NDArray[np.float32]]
"""`grad_l2` (T,) and `grad_dot_input` (T,; positive supports the target)."""


def together(model: Any, items: Sequence[Item]) -> list[Scores]:
    """Scores of each item, in order. `model` holds a causal model of transformers as `.model`.

    Raises: AppError when scores are not numbers.
    """
    found: list[Scores] = [
        (np.zeros(len(ids), np.float32), np.zeros(len(ids), np.float32)) for ids, _ in items
    ]
    asked = [index for index, (_, positions) in enumerate(items) if len(positions)]
    if not asked:
        return found
    gradient, embeddings = _backward(model, [items[index] for index in asked])
    for row, index in enumerate(asked):
        reach = int(items[index][1][-1])
        g, e = gradient[row, :reach].float(), embeddings[row, :reach].float()
        found[index][0][:reach] = finite(g.norm(dim=-1).cpu().numpy())
        found[index][1][:reach] = finite(-(g * e).sum(-1).cpu().numpy())
    return found


def _backward(model: Any, items: Sequence[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """d (sum of all losses) / d embeddings and the embeddings, both (B, T', D), padded on the right."""
    network, device = model.model, model.device
    lengths = [int(positions[-1]) for _, positions in items]
    ids = torch.zeros((len(items), max(lengths)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, ((all_ids, _), length) in enumerate(zip(items, lengths)):
        ids[row, :length] = torch.tensor(all_ids[:length])
        mask[row, :length] = 1
    rows = torch.as_tensor(np.repeat(np.arange(len(items)), [len(p) for _, p in items]), device=device)
    places = torch.as_tensor(np.concatenate([p for _, p in items]) - 1, device=device)
    labels = torch.as_tensor(np.concatenate([all_ids[p] for all_ids, p in items]))
    caught: dict[str, torch.Tensor] = {}

    def on_embedding(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
        caught["embeddings"] = output.detach().requires_grad_(True)
        return caught["embeddings"]

    def on_head(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # Only the rows that are explained meet the vocabulary.
        return (args[0][rows, places][None], *args[1:])

    hooks = [
        network.get_input_embeddings().register_forward_hook(on_embedding),
        network.get_output_embeddings().register_forward_pre_hook(on_head),
    ]
    padded = {"attention_mask": mask.to(device)} if len(set(lengths)) > 1 else {}
    try:
        with torch.enable_grad():
            logits = network(input_ids=ids.to(device), use_cache=False, **padded).logits[0]
    finally:
        for hook in hooks:
            hook.remove()
    with torch.enable_grad():
        nats = torch.log_softmax(logits.float(), -1).gather(1, labels.to(logits.device)[:, None])
        (gradient,) = torch.autograd.grad(-nats.sum(), caught["embeddings"])
    return gradient, caught["embeddings"].detach()
