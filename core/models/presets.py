"""Which models the person can choose: the operator's list and well-known ones.

Knows names only; nothing is loaded or downloaded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from core.errors import AppError
from core.models.local.estimate import DTYPE_BYTES, Facts
from core.models.local.precision import PrecisionChoice, automatic
from core.models.remote.secrets import base_address
from core.records import QUANTIZATIONS, ModelSpec, Quantization
from core.settings import DEMO_MODEL, ROOT, Settings

PRECISION_NAMES = {"bf16": "bfloat16", "fp16": "float16", "half": "float16", "fp32": "float32"}
FRAMEWORKS = {"transformers": "hugging_face", "kerasnlp": "keras_hub", "keras_hub": "keras_hub"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A well-known model: where it is, how large, and whether its licence must be accepted first."""

    name: str
    path: str
    sizes: Facts
    """As its published configuration has them, so that its needs can be told before it is fetched."""
    gated: bool = False


def parse_model_config(text: str) -> tuple[tuple[str, str], ...]:
    """`name:path,name:path` as pairs; a path may hold colons, and without a name it names itself.

    Raises: AppError for an entry without a path or a name given twice.
    """
    pairs: list[tuple[str, str]] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, colon, path = (part.strip() for part in entry.partition(":"))
        if not colon:
            name, path = Path(entry).name, entry
        if not name or not path:
            raise AppError(
                f"MODEL_CONFIG has the entry {entry!r}, which is not of the form name:path.",
                hint="For example: MODEL_CONFIG=gemma:google/gemma-2-2b-it,mine:/models/mine",
            )
        if name in {known for known, _ in pairs}:
            raise AppError(f"MODEL_CONFIG names {name!r} twice.", hint="Give every model a name of its own.")
        pairs.append((name, path))
    if not pairs:
        raise AppError("MODEL_CONFIG is empty.", hint=f"For example: MODEL_CONFIG=demo:{DEMO_MODEL}")
    return tuple(pairs)


def resolve(path: str) -> str:
    """A path relative to the project as an absolute one, where such a folder exists; else as it is."""
    inside = ROOT / path
    return str(inside) if inside.is_dir() else path


def configured_specs(settings: Settings) -> tuple[ModelSpec, ...]:
    """The operator's models (`MODEL_CONFIG`, `PRECISION` and the like), the one at start-up first.

    A web address is that of a model server (`core.server`, or LIT's). `PRECISION` may name a dtype or, as
    LIT's deployments do, a quantisation (int8, nf4).
    Raises: AppError for a precision or a framework there is not.
    """
    return tuple(_spec(name, path, settings) for name, path in parse_model_config(settings.model_config_list))


def _spec(name: str, path: str, settings: Settings) -> ModelSpec:
    if path.startswith(("http://", "https://")):
        return remote_spec(name, path)
    path = resolve(path)
    chosen = automatic(path)
    if settings.device == "cpu" != chosen.device:
        chosen = PrecisionChoice("float32", "none", "cpu")
    dtype, quantization = chosen.dtype, chosen.quantization
    if settings.precision in QUANTIZATIONS:
        quantization = cast(Quantization, settings.precision)
    elif settings.precision != "auto":
        # Who asks for a dtype means whole weights, unless a quantisation is asked for beside it.
        dtype, quantization = PRECISION_NAMES.get(settings.precision, settings.precision), "none"
    if settings.quantization != "auto":
        quantization = cast(Quantization, settings.quantization or "none")
    if dtype not in DTYPE_BYTES:
        raise AppError(
            f"PRECISION is {settings.precision!r}, which is no precision.",
            hint=f"Available: auto, {', '.join(DTYPE_BYTES)}, int8, nf4.",
        )
    device = settings.device or chosen.device
    return ModelSpec(name, path, _backend(settings.framework), "", dtype, quantization, device)


def remote_spec(name: str, address: str) -> ModelSpec:
    """A model on another machine, its kind read off the address: Google's host is Gemini's; one that names a
    model (`#…`) or ends in /v1 speaks OpenAI's wire; every other one is a LIT model server.

    Raises: AppError for what is no address.
    """
    base, _, model = address.partition("#")
    base = base_address(base)
    kind = "openai_compatible" if model or base.endswith("/v1") else "lit_server"
    if (urlsplit(base).hostname or "").endswith(".googleapis.com"):
        kind = "gemini"
    return ModelSpec(name, f"{base}#{model}" if model else base, backend=kind, dtype="", device="remote")


def _backend(framework: str) -> str:
    """The backend of local models that `DL_FRAMEWORK` names, in LIT's words or ours."""
    if framework not in FRAMEWORKS:
        raise AppError(
            f"DL_FRAMEWORK is {framework!r}, which is not known.", hint=f"Available: {', '.join(FRAMEWORKS)}."
        )
    return FRAMEWORKS[framework]


def default_spec(settings: Settings) -> ModelSpec:
    """The model that is there at start-up."""
    return configured_specs(settings)[0]


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
