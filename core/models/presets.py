"""Well-known models that a person can choose, with their sizes as their configurations have them.

Knows names only; nothing is loaded or downloaded here.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.models.local.sizes import Facts
from core.settings import DEMO_MODEL, ROOT


@dataclass(frozen=True, slots=True)
class Preset:
    """A well-known model: where it is, how large, and whether its licence must be accepted first."""

    name: str
    path: str
    sizes: Facts
    """As its published configuration has them, so that its needs can be told before it is fetched."""
    gated: bool = False


def _sizes(
    parameters: int,
    vocabulary: int,
    width: int,
    inner: int,
    layers: int,
    heads: int,
    *,
    tied: bool = True,
    eager: bool = False,
) -> Facts:
    embedding = vocabulary * width * (1 if tied else 2)
    return Facts(parameters, embedding, width, inner, layers, heads, vocabulary, eager)


PRESETS: tuple[Preset, ...] = (
    Preset(
        "Gemma 2 2B instruct",
        "google/gemma-2-2b-it",
        _sizes(2_614_341_888, 256_000, 2304, 9216, 26, 8, eager=True),
        gated=True,
    ),
    Preset(
        "Gemma 3 1B instruct",
        "google/gemma-3-1b-it",
        _sizes(999_885_952, 262_144, 1152, 6912, 26, 4),
        gated=True,
    ),
    Preset(
        "Gemma 3 4B instruct",
        "google/gemma-3-4b-it",
        _sizes(4_300_079_472, 262_208, 2560, 10_240, 34, 8),
        gated=True,
    ),
    Preset(
        "Llama 3.2 1B instruct",
        "meta-llama/Llama-3.2-1B-Instruct",
        _sizes(1_235_814_400, 128_256, 2048, 8192, 16, 32),
        gated=True,
    ),
    Preset(
        "Llama 3.2 3B instruct",
        "meta-llama/Llama-3.2-3B-Instruct",
        _sizes(3_212_749_824, 128_256, 3072, 8192, 28, 24),
        gated=True,
    ),
    Preset(
        "Mistral 7B instruct",
        "mistralai/Mistral-7B-Instruct-v0.3",
        _sizes(7_248_023_552, 32_768, 4096, 14_336, 32, 32, tied=False),
        gated=True,
    ),
    Preset(
        "Qwen 2.5 0.5B instruct",
        "Qwen/Qwen2.5-0.5B-Instruct",
        _sizes(494_032_768, 151_936, 896, 4864, 24, 14),
    ),
    Preset(
        "Qwen 2.5 1.5B instruct",
        "Qwen/Qwen2.5-1.5B-Instruct",
        _sizes(1_543_714_304, 151_936, 1536, 8960, 28, 12),
    ),
    Preset("Qwen 3 0.6B", "Qwen/Qwen3-0.6B", _sizes(596_049_920, 151_936, 1024, 3072, 28, 16)),
    Preset("Qwen 3 1.7B", "Qwen/Qwen3-1.7B", _sizes(1_720_574_976, 151_936, 2048, 6144, 28, 16)),
    Preset(
        "SmolLM2 135M instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        _sizes(134_515_008, 49_152, 576, 1536, 30, 9),
    ),
    Preset(
        "SmolLM2 360M instruct",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        _sizes(361_821_120, 49_152, 960, 2560, 32, 15),
    ),
    Preset("GPT-2", "openai-community/gpt2", _sizes(124_439_808, 50_257, 768, 3072, 12, 12)),
    Preset("Demo model", str(ROOT / DEMO_MODEL), Facts(0)),  # it is here: its own files tell its sizes
)
