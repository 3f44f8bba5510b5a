"""Loads KerasHub presets (Gemma, GPT-2, Llama, Mistral) on the torch backend: `requirements-keras.lock`.

Keras's backend is chosen once a process, when it is first imported; TensorFlow is not needed. What the loaded
model can do is `keras_model.py`'s.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import AppError
from core.models.keras import integrity
from core.models.keras.model import KerasHubModel
from core.models.language_model import Progress
from core.models.loading import Steps
from core.records import ModelSpec

FAMILIES = ("Gemma", "GPT2", "Llama", "Mistral")
DTYPES = ("float32", "bfloat16", "float16")


def load(
    spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
) -> KerasHubModel:
    """Loads a preset by name or from a folder (KerasHub's own form, or one of transformers that it converts).

    Raises: AppError without the library, for another family, an unknown precision, or no preset; Stopped.
    """
    if importlib.util.find_spec("keras_hub") is None:
        raise AppError(
            "KerasHub is not installed.", hint="Install it: pip install --no-deps -r requirements-keras.lock"
        )
    if spec.quantization != "none" or spec.dtype not in DTYPES:
        raise AppError(
            f"KerasHub models run in {', '.join(DTYPES)} here, not in {spec.precision}.",
            hint="Choose one of these, or load the model through transformers.",
        )
    steps = Steps(progress, stop)
    steps(0.0, "Starting Keras")
    keras_hub = _library()
    local = Path(spec.path).expanduser()
    if local.exists() and not (local / "config.json").is_file():
        raise AppError(
            f"The folder {local} is no KerasHub preset: it holds no config.json.",
            hint="Expected a folder made by save_to_preset, or a preset's name such as gpt2_base_en.",
        )
    if local.exists() and not spec.revision:
        spec = replace(spec, revision=integrity.revision(local))
    steps(0.1, "Reading the weights")
    import keras

    with keras.device(spec.device.replace("cuda", "gpu")):
        try:
            model = keras_hub.models.CausalLM.from_preset(
                str(local.resolve()) if local.exists() else spec.path, dtype=spec.dtype
            )
        except Exception as error:  # whatever the library meets in files that anybody may have written
            said = " ".join(str(error).split())[:300]
            raise AppError(
                f"KerasHub could not load {spec.name}: {said}",
                hint="Check the preset's name or folder.",
            ) from error
    steps(0.9, "Getting ready")
    family = type(model).__name__
    if not family.startswith(FAMILIES):
        raise AppError(
            f"{spec.name} is a {family}, which is not one of the families that work here.",
            hint=f"Available: {', '.join(FAMILIES)}.",
        )
    integrity.check(spec, local if local.exists() else None, model.backbone, model.preprocessor.tokenizer)
    made = KerasHubModel(model, spec)
    steps(1.0, "Ready")
    return made


def _library() -> Any:
    """keras_hub on the torch backend. Raises: AppError where Keras already runs on another."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import keras_hub

    if not gc.get_freeze_count():
        # Once Keras is imported, Streamlit clears its session after every run of a page, which collects all
        # garbage: half a second with every thread waiting. What the libraries hold for good need not be
        # looked through each time; the model, which comes later, is collected as ever.
        gc.collect()
        gc.freeze()

    if keras.backend.backend() != "torch":
        raise AppError(
            f"Keras already runs on {keras.backend.backend()} in this process; torch is needed.",
            hint="Start Whence with KERAS_BACKEND=torch.",
        )
    return keras_hub
