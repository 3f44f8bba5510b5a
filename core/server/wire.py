"""Token strings and masks as LIT 1.3.1 sends them, from and to Whence's records. Pure functions.

LIT marks a space by `▁` (U+2581), gives one string a token, and aligns `target_mask` with the tokens of
prompt + target, of which the first is never explained. Its `grad_dot_input` is that of the loss: the sign is
turned in `lit_sign` and nowhere else in this package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.records import Tokens

SPACE = "\u2581"


def token_strings(tokens: Tokens, name: Callable[[int], str] | None = None) -> list[str]:
    """One string a token, (T,).

    Of tokens that are parts of one character, the first has the character and the others are empty, so that
    the strings joined are the text. A special token without text is shown by `name(id)`.
    """
    strings: list[str] = []
    before = (-1, -1)
    for index, (start, stop) in enumerate(tokens.char_spans.tolist()):
        if start == stop:
            hidden = bool(tokens.special[index]) and name is not None
            strings.append(name(int(tokens.ids[index])) if hidden and name else "")
        elif (start, stop) == before:
            strings.append("")
        else:
            strings.append(tokens.text[start:stop].replace(" ", SPACE))
            before = (start, stop)
    return strings


def explained(tokens: Tokens, mask: Sequence[float] | None, where: str) -> NDArray[np.int64]:
    """Positions of the tokens to explain, ascending; without a mask, the whole target.

    Raises: AppError for a mask of another length (naming both), and when there is no target to explain.
    """
    size = len(tokens)
    if not mask:
        if tokens.prompt_len == size:
            raise AppError(
                f"{where} has neither a target nor a target_mask, so there is nothing to explain.",
                hint="Send the text to explain as `target`.",
            )
        return np.arange(max(tokens.prompt_len, 1), size)
    if len(mask) != size:
        raise AppError(
            f"{where}: target_mask has {len(mask):,} values, but the prompt and target have {size:,} tokens.",
            hint="One value a token, as /tokenize gives them for the same prompt and target.",
            code="mask_length",
        )
    positions = np.flatnonzero(np.asarray(mask, float))
    return positions[positions > 0]


def runs(positions: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Ascending positions as half-open spans without gaps."""
    if not len(positions):
        return ()
    breaks = np.flatnonzero(np.diff(positions) > 1)
    starts = np.concatenate([positions[:1], positions[breaks + 1]])
    stops = np.concatenate([positions[breaks], positions[-1:]]) + 1
    return tuple(zip(starts.tolist(), stops.tolist()))


def lit_sign(grad_dot_input: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whence's scores (positive supports the target) as LIT's (positive raises the loss)."""
    return 0.0 - grad_dot_input
