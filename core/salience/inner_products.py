"""Inner products of rows' gradients: what makes the norm of any sum of rows exact (`core.aggregate.select`)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

TOKENS_A_PRODUCT = 64
"""Tokens whose inner products are taken at once: bounds the float32 copy."""


def inner_products(kept: torch.Tensor, total: int) -> NDArray[np.float32]:
    """Inner products (T, N, N) float32 of gradients (T', N, D) at every token; 0 from T' to `total`."""
    out = np.zeros((total, kept.shape[1], kept.shape[1]), np.float32)
    for start in range(0, len(kept), TOKENS_A_PRODUCT):
        part = kept[start : start + TOKENS_A_PRODUCT].float()
        out[start : start + len(part)] = torch.bmm(part, part.transpose(1, 2)).cpu().numpy()
    return out
