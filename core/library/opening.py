"""A model for whoever calls from Python: by name, folder, `.gguf` file or address, or one that is in memory already.

One local model is held at a time (`core.models.manager`); another one takes its place, and it comes back when it is
asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import AppError
from core.records import ModelSpec
from core.settings import DEMO_MODEL, settings

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel
    from core.models.manager import ModelManager

Source = Any
"""What a model may be given as: text, a `Path`, a `OpenedModel`, `(model, tokenizer)` of transformers, or a
`LanguageModel`."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that can be asked; `use()` holds it for as long as it is used."""

    spec: ModelSpec
    use: Callable[[], AbstractContextManager[LanguageModel]]

    @property
    def name(self) -> str:
        return self.spec.name


@cache
def _manager() -> ModelManager:
    from core.models.manager import ModelManager

    return ModelManager()


def open_model(
    model: Source = "demo", *, precision: str = "auto", quantization: str = "auto", device: str = ""
) -> OpenedModel:
    """The model that `model` means, loaded when it is not.

    - `model`: "demo", a name of the hub, a folder, a `.gguf` file, "package:smollm2", the address of a server
      (`http://host:8000/v1#model`), `(model, tokenizer)` of transformers, or what this function gave before
    - `precision`, `quantization`, `device`: as `PRECISION`, `QUANTIZATION` and `WHENCE_DEVICE`; for what is loaded here

    Raises: AppError for what is no model, or cannot be loaded.
    """
    if isinstance(model, OpenedModel):
        return model
    if isinstance(model, tuple) and len(model) == 2:
        return _in_memory(*model)
    if hasattr(model, "tokenize") and hasattr(model, "capabilities"):
        return OpenedModel(model.spec, lambda: nullcontext(model))
    if not isinstance(model, (str, Path)):
        raise AppError(
            f"A model should be a name, a folder, a .gguf file, an address, or (model, tokenizer), but this is "
            f"{type(model).__name__}.",
            hint='For example: open_model("demo"), or open_model((model, tokenizer)).',
        )
    spec = spec_of(str(model), precision=precision, quantization=quantization, device=device)

    @contextmanager
    def use() -> Iterator[LanguageModel]:
        with _manager().get(spec) as held:
            yield held

    with use() as held:
        return OpenedModel(held.spec, use)


def spec_of(path: str, *, precision: str = "auto", quantization: str = "auto", device: str = "") -> ModelSpec:
    """What `open_model` would load. Raises: AppError for an empty name or a precision there is not."""
    from core.models.configured import configured_specs

    if not path.strip():
        raise AppError("A model needs a name, a folder or an address; it is empty.")
    here = Path(path).expanduser()
    if path == "demo" and not here.exists():
        path = DEMO_MODEL
    elif here.exists():
        path = str(here.resolve())
    name = here.stem if here.suffix == ".gguf" else here.name or path
    asked = {"model_config_list": f"{name.replace(',', ' ').replace(':', ' ')}:{path}"}
    wanted = {"precision": precision, "quantization": quantization, "device": device}
    given = settings().model_copy(update={**asked, **{k: v for k, v in wanted.items() if v}})
    (spec,) = configured_specs(given)
    return replace(spec, name="demo") if path == DEMO_MODEL else spec


def _in_memory(model: Any, tokenizer: Any) -> OpenedModel:
    """A causal language model of transformers and its tokenizer. Its parameters are frozen."""
    from core.models.local.hugging_face import HuggingFaceModel

    embeddings = getattr(model, "get_input_embeddings", lambda: None)()
    if embeddings is None or not getattr(tokenizer, "is_fast", False):
        raise AppError(
            "A pair should be a causal language model of transformers and its fast tokenizer, but this is "
            f"({type(model).__name__}, {type(tokenizer).__name__}).",
            hint="Load them with AutoModelForCausalLM and AutoTokenizer.",
        )
    name = getattr(model, "name_or_path", "") or type(model).__name__
    dtype = str(embeddings.weight.dtype).removeprefix("torch.")
    spec = ModelSpec(
        Path(name).name, f"memory:{id(model):x}", dtype=dtype, device=str(embeddings.weight.device)
    )
    held = HuggingFaceModel(model, tokenizer, spec)
    return OpenedModel(spec, lambda: nullcontext(held))
