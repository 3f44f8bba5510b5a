"""LIT's objects as they are: a `Dataset` becomes examples, a `Model` one that `explain` takes.

A dataset is what has `examples`, a model what has `predict`; nothing else of LIT's classes is used, and LIT need not be
installed. A group of models as LIT's prompt debugging makes it (`{"name": …, "_name_salience": …,
"_name_tokenizer": …}`) is one model. Its `grad_dot_input` has the sign of the loss there, and the opposite here, as at
the model server (`LitServer`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from core.errors import AppError
from core.library.opening import OpenedModel
from core.records import Example, ModelSpec

_OWN = ("prompt", "target", "source")


def from_lit(
    what: Any, *, salience: Any = None, tokenizer: Any = None, name: str = ""
) -> list[Example] | OpenedModel:
    """A LIT `Dataset` as examples, or a LIT `Model` (with its `salience` and `tokenizer` models, if any) as a model.

    Without a tokenizer words are the tokens; without a salience model there are answers and no maps.
    Raises: AppError for what is neither, or a row without a prompt.
    """
    if isinstance(what, Mapping):
        return _group(what)
    if hasattr(what, "predict"):
        return _model(
            {"/predict": what, "/salience": salience, "/tokenize": tokenizer}, name or type(what).__name__
        )
    rows = getattr(what, "examples", None)
    if isinstance(rows, Iterable):
        return [_example(number, row) for number, row in enumerate(rows)]
    raise AppError(
        "This should be a LIT dataset (it has `examples`) or model (it has `predict`), but it is "
        f"{type(what).__name__}."
    )


def _example(number: int, row: Mapping[str, Any]) -> Example:
    if not isinstance(row.get("prompt"), str):
        raise AppError(
            f"Row {number} of the dataset has no text `prompt`.", hint=f"It has: {', '.join(map(str, row))}."
        )
    more = {key: value for key, value in row.items() if key not in _OWN and not str(key).startswith("_")}
    name = str(row.get("_id") or f"lit-{number}")
    return Example(name, row["prompt"], row.get("target") or None, str(row.get("source") or ""), fields=more)


def _group(models: Mapping[str, Any]) -> OpenedModel:
    first = next((name for name in models if not name.startswith("_")), "")
    if not first or not all(hasattr(model, "predict") for model in models.values()):
        raise AppError(
            "A group of LIT models should map names to models, one of them without a leading underscore.",
            hint=f"It holds: {', '.join(map(str, models)) or 'nothing'}.",
        )
    of = {kind: models.get(f"_{first}_{kind}") for kind in ("salience", "tokenizer")}
    return _model(
        {"/predict": models[first], "/salience": of["salience"], "/tokenize": of["tokenizer"]}, first
    )


class _InProcess:
    """Stands where `LitServer` has a connection: asks the models themselves."""

    address = "in this process"

    def __init__(self, models: Mapping[str, Any]) -> None:
        self._models = models

    def post(self, path: str, body: Mapping[str, Any], *, stop: Any = None) -> list[Any]:
        model, items = self._models[path], body["inputs"]
        if model is None:
            return [{"tokens": _words(item["prompt"] + (item.get("target") or ""))} for item in items]
        return [{key: _plain(value) for key, value in said.items()} for said in model.predict(items)]

    def close(self) -> None:
        pass


def _words(text: str) -> list[str]:
    return [word.replace(" ", "\u2581") for word in re.findall(r"[^\S\n]*[^\s]+|\n|[^\S\n]+$", text)]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _model(models: Mapping[str, Any], name: str) -> OpenedModel:
    from core.models.remote.lit_server import LitServer

    spec = ModelSpec(
        name, f"memory:{id(models['/predict']):x}", backend="lit_server", dtype="", device="remote"
    )
    held = LitServer(spec, _InProcess(models))  # type: ignore[arg-type]
    if models["/salience"] is None:
        why = {**held.capabilities.why, "salience": "no salience model of LIT's was given"}
        held.capabilities = replace(held.capabilities, salience=False, methods=(), why=why)
    return OpenedModel(spec, lambda: nullcontext(held))
