"""The operator's models: `MODEL_CONFIG`, `PRECISION` and the like as specs.

Knows names only; nothing is loaded or downloaded here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from core.errors import AppError
from core.models.local import real_models, weights_address
from core.models.local.estimate import DTYPE_BYTES
from core.models.local.precision import PrecisionChoice, automatic
from core.models.remote.secrets import base_address
from core.records import QUANTIZATIONS, ModelSpec, Quantization
from core.settings import DEMO_MODEL, ROOT, Settings

PRECISION_NAMES = {"bf16": "bfloat16", "fp16": "float16", "half": "float16", "fp32": "float32"}
FRAMEWORKS = {"transformers": "hugging_face", "kerasnlp": "keras_hub", "keras_hub": "keras_hub"}
KERAS_PRESET = re.compile(r"(code_|instruct_)?(gemma|gpt2|llama|mistral)[a-z0-9.]*_([a-z0-9.]+_)*(en|multi)")
"""`gemma_2b_en`, `gpt2_base_en`: the names of KerasHub's presets."""
OTHER_BUCKETS = ("s3://", "az://", "abfs://", "hdfs://", "ftp://", "file://")


SCHEMES = ("http", "https", "gs", "s3", "az", "ftp", "file", "hf")
"""What begins an address, so that no model is called so; which of them are fetched: `weights_address`."""


def parse_model_config(text: str) -> tuple[tuple[str, str], ...]:
    """`name:path,name:path` as pairs; a path may hold colons, and without a name it names itself.

    Raises: AppError for an entry without a path or a name given twice.
    """
    pairs: list[tuple[str, str]] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, colon, path = (part.strip() for part in entry.partition(":"))
        if not colon:
            name, path = Path(entry).name, entry
        if name.lower() in SCHEMES and path.startswith(
            "//"
        ):  # an address alone: what parted it is its scheme
            name, path = _name_in(entry), entry
        if entry.startswith(real_models.PREFIX):
            name, path = entry.removeprefix(real_models.PREFIX), entry
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


def _name_in(address: str) -> str:
    """`mine` of https://a.example/mine.tar.gz?x=1; the host where there is no path."""
    parts = urlsplit(address)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last or parts.netloc


def resolve(path: str) -> str:
    """A path relative to the project as an absolute one, where it exists; else as it is."""
    inside = ROOT / path
    return str(inside) if inside.exists() else path


def configured_specs(settings: Settings) -> tuple[ModelSpec, ...]:
    """The operator's models (`MODEL_CONFIG`, `PRECISION` and the like), the one at start-up first.

    A web address is that of a model server (`core.server`, or LIT's), or of a model's files (`weights_address.py`).
    `PRECISION` may name a dtype or, as LIT's deployments do, a quantisation (int8, nf4).
    Raises: AppError for a precision, a framework or a runtime there is not, and for an address that is not taken.
    """
    if settings.runtime != "torch":
        known = settings.runtime in ("tensorflow", "jax")
        raise AppError(
            f"DL_RUNTIME is {settings.runtime!r}, "
            + (
                "which computes nothing here: models run on torch, KerasHub presets too."
                if known
                else "which is not known."
            ),
            hint="Leave DL_RUNTIME out, or set it to torch.",
        )
    return tuple(_spec(name, path, settings) for name, path in parse_model_config(settings.model_config_list))


def told(settings: Settings) -> dict[str, str]:
    """What the operator set, or the default, of how models run, in words: by the names of LIT's deployments."""
    length, batch = settings.sequence_length, settings.batch_size
    default = Settings.model_fields["batch_size"].default
    texts = f"{batch:,} text{'' if batch == 1 else 's'} of a dataset at once"
    return {
        "PRECISION": "auto, the default: float32 where a processor has room and time for it, nf4 on a GPU"
        if settings.precision == "auto"
        else f"{settings.precision}, as set (default: auto)",
        "BATCH_SIZE": texts + (", the default" if batch == default else f", as set (default: {default})"),
        "SEQUENCE_LENGTH": f"{length:,} tokens of prompt and answer, as set (default: the model's own limit)"
        if length
        else "the model's own limit of prompt and answer, the default",
    }


def _spec(name: str, path: str, settings: Settings) -> ModelSpec:
    if weights_address.names(path):
        path = weights_address.checked(path)
    elif path.startswith(OTHER_BUCKETS):
        raise AppError(
            f"MODEL_CONFIG gives {name!r} the path {path}: of buckets only gs:// is read here.",
            hint="Copy it to this machine and give the folder, or give an https:// address of an archive.",
        )
    elif path.startswith(("http://", "https://")):
        return remote_spec(name, path)
    path = resolve(path)
    chosen = automatic(path)
    if settings.device == "cpu" != chosen.device:
        chosen = PrecisionChoice("float32", "none", "cpu")
    dtype, quantization = chosen.dtype, chosen.quantization
    if settings.precision in QUANTIZATIONS:
        quantization = settings.precision
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
    backend = _backend(settings.framework)
    if backend == "keras_hub" and weights_address.names(path):
        raise AppError(
            f"MODEL_CONFIG gives {name!r} the path {path}: presets of KerasHub are taken by name "
            "or from a folder.",
            hint="Copy the preset to this machine, or give safetensors of the model without DL_FRAMEWORK.",
        )
    if backend == "hugging_face" and KERAS_PRESET.fullmatch(path):
        # LIT's deployments name KerasHub's presets; no model on the hub has a name of that form.
        backend, dtype, quantization = "keras_hub", dtype if dtype != "float64" else "float32", "none"
    return ModelSpec(name, path, backend, "", dtype, quantization, device)


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
