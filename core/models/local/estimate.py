"""What a model will need, before it is loaded, against what is free.

Sizes come from the configuration and the headers of the weights; nothing is read whole. The salience peak
counts what the layers keep for the backward pass when weights are frozen: inputs of the norms, the parts of
attention and of the gated product, no inputs of linear layers. It is an estimate, checked in the tests
against what really is kept. Knows sizes, not tensors; torch is asked only about a GPU's free memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from core.errors import AppError
from core.models.local import configuration, folder, gguf_header, real_models
from core.models.local.folder_checks import is_gguf
from core.models.local.sizes import (
    Facts,
    attention_written_out,
    count_parameters,
    facts_from_config,
    facts_from_gguf,
)
from core.models.presets import PRESETS
from core.records import ModelSpec

DTYPE_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
# nf4: half a byte, an 8-bit scale for every 64 weights, and scales of those (Dettmers et al. 2023).
LINEAR_BYTES = {"int8": 1.0, "nf4": 0.5 + 1 / 64}
RESERVE = 1.1
"""Free memory is not filled to the last byte: the allocator and the libraries need some."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes that a model would take and bytes that are free; None where they cannot be told."""

    name: str
    precision: str
    weight_bytes: int
    salience_bytes: int | None
    free_bytes: int
    tokens: int
    rows: int

    @property
    def needed_bytes(self) -> int:
        return int(RESERVE * (self.weight_bytes + (self.salience_bytes or 0)))

    @property
    def loads(self) -> bool:
        """Whether the weights fit, if perhaps not the salience of `tokens`."""
        return RESERVE * self.weight_bytes <= self.free_bytes

    @property
    def fits(self) -> bool:
        return self.needed_bytes <= self.free_bytes

    @property
    def sentence(self) -> str:
        """What it says on the page."""
        parts = f"{self.name} in {self.precision} needs about {gigabytes(self.weight_bytes)} for its weights"
        if self.salience_bytes is not None:
            parts += (
                f" and {gigabytes(self.salience_bytes)} to explain {self.rows:,} of {self.tokens:,} tokens "
                "at once"
            )
        return f"{parts}; {gigabytes(self.free_bytes)} are free."


def gigabytes(count: float) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"


def facts(spec: ModelSpec) -> Facts | None:
    """Sizes of a local folder, a `.gguf` file or a preset; None when nothing is known before it is fetched."""
    path = folder.local(spec.path)
    if path is not None and path.is_file() and is_gguf(path):
        return facts_from_gguf(gguf_header.read(path))
    if spec.path.startswith(real_models.PREFIX):
        return Facts(real_models.real_model(spec.path).parameters)
    if path is not None and (path / "config.json").is_file():
        config = configuration.read(path)
        parameters, tensors = count_parameters(path)
        if tensors:
            configuration.check_layers(config, tensors, path)
        return facts_from_config(config, parameters)
    for preset in PRESETS:
        if preset.path == spec.path:
            return preset.sizes
    return None


def weight_bytes(sizes: Facts, spec: ModelSpec) -> int:
    """Bytes of the weights in the spec's precision."""
    full = DTYPE_BYTES.get(spec.dtype, 4)
    if spec.quantization == "none":
        return sizes.parameters * full
    linear = max(sizes.parameters - sizes.embedding_parameters, 0)
    return int(sizes.embedding_parameters * full + linear * LINEAR_BYTES[spec.quantization])


def salience_bytes(
    sizes: Facts, dtype: str, tokens: int, rows: int, *, rows_a_pass: int = 0, checkpoint: bool = False
) -> int:
    """Peak bytes above the weights for a matrix of `rows` over `tokens` with its Gram matrices.

    `rows_a_pass` bounds the rows that share a forward pass (0: all); `checkpoint` keeps layer borders only.
    """
    full = DTYPE_BYTES.get(dtype, 4)
    eager = sizes.eager or (not checkpoint and attention_written_out(sizes.heads, sizes.layers, tokens))
    attention = sizes.heads * tokens * tokens * (4 + 2 * full) if eager else 0
    layer = tokens * full * (10 * sizes.width + 4 * sizes.inner) + attention
    trunk = (
        sizes.layers * tokens * full * sizes.width + 2 * layer if checkpoint else (sizes.layers + 1) * layer
    )
    shared = min(rows, rows_a_pass or rows)
    head = shared * sizes.vocabulary * (full + 3 * 4)
    kept = rows * tokens * sizes.width * full
    return int(trunk + head + kept + 4 * tokens * rows * rows)


def free_bytes(device: str) -> int:
    """Bytes free now on `device` ("auto": all GPUs together, else this machine's memory)."""
    if device.startswith("cuda") or device == "auto":
        import torch

        if torch.cuda.is_available():
            devices = range(torch.cuda.device_count()) if device == "auto" else [device]
            return sum(torch.cuda.mem_get_info(one)[0] for one in devices)
    return min(psutil.virtual_memory().available, _container_bytes())


def _container_bytes() -> int:
    """What a container's limit leaves (control groups, version 2); very much where there is none."""
    root = Path("/sys/fs/cgroup")
    try:
        limit = (root / "memory.max").read_text().strip()
        used = int((root / "memory.current").read_text())
        cached = next(
            int(line.split()[1])
            for line in (root / "memory.stat").read_text().splitlines()
            if line.startswith("inactive_file ")
        )
    except (OSError, StopIteration, ValueError):
        return 1 << 62
    return (1 << 62) if limit == "max" else max(int(limit) - used + cached, 0)


def estimate(spec: ModelSpec, tokens: int = 576, rows: int = 64, *, freed: int = 0) -> MemoryEstimate | None:
    """What `spec` would take; None when its sizes are not known yet. `freed`: bytes that go before."""
    sizes = facts(spec)
    if sizes is None:
        return None
    salience = salience_bytes(sizes, spec.dtype, tokens, rows) if sizes.layers else None
    return MemoryEstimate(
        spec.name,
        spec.precision,
        weight_bytes(sizes, spec),
        salience,
        free_bytes(spec.device) + freed,
        tokens,
        rows,
    )


def check(spec: ModelSpec) -> None:
    """Raises: AppError with the figures when the weights of `spec` cannot fit."""
    expected = estimate(spec)
    if expected is None or expected.loads:
        return
    smaller = {"none": "int8 or nf4", "int8": "nf4"}.get(spec.quantization)
    raise AppError(
        f"{spec.name} in {spec.precision} does not fit: it needs about "
        f"{gigabytes(RESERVE * expected.weight_bytes)} and {gigabytes(expected.free_bytes)} are free on "
        f"{spec.device}.",
        hint=f"Choose {smaller}, or a smaller model." if smaller else "Choose a smaller model.",
        code="memory",
    )
