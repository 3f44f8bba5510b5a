"""A loaded model against its files: nothing missing, nothing left over, every number finite.

transformers fills what is missing at random and says so only in its log: two loads would then be two models under
one name. Knows transformers' loading report and torch's parameters, not what a model is used for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from core.errors import AppError
from core.records import ModelSpec

BUFFERS = re.compile(
    r"(^|\.)(rotary_emb\.inv_freq|attn\.(masked_)?bias|attention\.(masked_)?bias|position_ids)$"
)
"""Constants that old versions of transformers wrote beside the weights: made anew, so read by nobody."""
NAMED = 4
"""So many weights are named in a sentence."""


def check_report(spec: ModelSpec, report: Mapping[str, Any]) -> list[str]:
    """What a person should know of weights that were left out and are harmless, a sentence each.

    `report` is transformers' loading report. Raises: AppError for weights that are missing, of another shape, left
    over or unreadable.
    """
    hint = "The files are of two models, or not whole: fetch or save the model again."
    missing = sorted(report.get("missing_keys", ()))
    if missing:
        raise AppError(
            f"{spec.name} is not whole: {_count(missing, 'weight')} missing from its files ({_some(missing)}). They "
            "would be filled at random, another model at every load.",
            hint=hint,
            code="damaged",
        )
    other = sorted(report.get("mismatched_keys", ()))
    if other:
        name, found, wanted = other[0]
        raise AppError(
            f"{spec.name} does not fit its own configuration: {_count(other, 'weight')} of another shape, for "
            f"example {name}: expected {tuple(wanted)}, the file has {tuple(found)}.",
            hint=hint,
            code="damaged",
        )
    unused = sorted(report.get("unexpected_keys", ()))
    left_over = [name for name in unused if not BUFFERS.search(name)]
    if left_over:
        raise AppError(
            f"The files of {spec.name} hold {_count(left_over, 'weight', verb=False)} that its configuration has no "
            f"place for ({_some(left_over)}): what was loaded would be another model than the one in the files.",
            hint="Check the number of layers and the model_type in its config.json.",
            code="damaged",
        )
    errors = list(report.get("error_msgs", ()))
    if errors:
        raise AppError(
            f"{spec.name} could not be read whole: {str(errors[0])[:300]}", hint=hint, code="damaged"
        )
    if unused:
        return [
            f"Left out, since it is made anew: {_count(unused, 'constant', verb=False)} ({_some(unused)})."
        ]
    return []


def check_numbers(spec: ModelSpec, named: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Raises: AppError when any of the weights is NaN or infinite."""
    for name, tensor in named:
        if not tensor.is_floating_point() or tensor.device.type == "meta":
            continue
        # A sum is finite only where every number is: one pass, and no mask of the size of the weights.
        if bool(torch.isfinite(tensor.detach().sum(dtype=torch.float64))):
            continue
        wrong = int((~torch.isfinite(tensor)).sum())
        if wrong:
            raise AppError(
                f"{spec.name} holds {_count([0] * wrong, 'number', verb=False)} that are NaN or infinite in "
                f"{spec.precision} (in {name}): its answers would mean nothing.",
                hint="float16 overflows in some models: choose float32 or bfloat16. Otherwise the files are damaged: "
                "fetch them again.",
                code="damaged",
            )


def weights_of(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Everything of a torch module that comes from its files; of quantised weights their scales too."""
    return ((name, value) for name, value in model.state_dict().items() if isinstance(value, torch.Tensor))


def weights_in(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights in a folder's safetensors one by one, as they are stored: quantising would hide a NaN."""
    for file in sorted(path.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118
                yield name, opened.get_tensor(name)


def check_vocabulary(spec: ModelSpec, tokenizer: Any, rows: int) -> list[str]:
    """What a person should know of tokens that the embedding (`rows` of it) has no row for.

    Raises: AppError when ordinary tokens have none: tokenizer and weights are of two models.
    """
    beyond = [(word, number) for word, number in tokenizer.get_vocab().items() if number >= rows]
    added = set(tokenizer.added_tokens_decoder)
    plain = [word for word, number in beyond if number not in added]
    if plain:
        raise AppError(
            f"The tokenizer of {spec.name} knows {len(tokenizer):,} tokens, but its weights have rows for "
            f"{rows:,} only (without one: {_some(sorted(plain))}).",
            hint="Tokenizer and weights are not of one model.",
            code="damaged",
        )
    if beyond:
        words = sorted(word for word, _ in beyond)
        return [
            f"No weights for {_count(words, 'special token', verb=False)} ({_some(words)}): text with it is refused."
        ]
    return []


def _count(items: list[Any], word: str, *, verb: bool = True) -> str:
    plural = len(items) != 1
    return f"{len(items):,} {word}{'s' if plural else ''}{(' are' if plural else ' is') if verb else ''}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" and more" if len(names) > NAMED else "")
