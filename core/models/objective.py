"""What gradients are taken of: the log-probability of each target, or its log-odds."""

from __future__ import annotations

import torch

from core.models.language_model import Backward


def objective(
    logits: torch.Tensor, targets: torch.Tensor, backward: Backward
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is differentiated at each target, (M,), and its log p (M,), from `logits` (M, V).

    The log-odds z_t − log Σ_{v≠t} e^{z_v} are seeded from the logits: near p = 1 a division by 1 − p would be
    rounding noise.
    """
    nats = torch.log_softmax(logits, -1).gather(1, targets[:, None])[:, 0]
    if not backward.log_odds:
        return nats, nats.detach()
    others = logits.scatter(1, targets[:, None], float("-inf"))
    return logits.gather(1, targets[:, None])[:, 0] - others.logsumexp(-1), nats.detach()
