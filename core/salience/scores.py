"""What every method's scores must be before they are shown. Knows numbers only, no model and no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError


def finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """`values` unchanged. Raises: AppError when any is NaN or infinite."""
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise AppError(
            f"{bad:,} of {values.size:,} scores are not numbers (NaN or infinite), so they cannot be shown.",
            hint="Load the model in float32 or bfloat16: float16 overflows in many models.",
            code="not_finite",
        )
    return values
