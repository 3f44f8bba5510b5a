"""The salience methods: one file each, with its declaration beside its maths, named in `METHODS`.

Importing this package loads no torch, so menus and legends are drawn from the declarations alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import plugins
from core.family import find
from core.models.language_model import LanguageModel
from core.records import Option, SalienceRequest, Tokens
from core.salience import gim, grad_dot_input, grad_l2, integrated_gradients, leave_one_out
from core.salience.declaration import Method, OnProgress, OnRow
from core.salience.rows import plan_rows

__all__ = [
    "METHODS",
    "Method",
    "OnProgress",
    "OnRow",
    "best_map",
    "method",
    "plan_rows",
    "readers",
    "request_for",
    "span",
    "told",
]


def method(name: str) -> Method:
    """The method called `name`. Raises: AppError that lists what there is."""
    return find("salience method", METHODS, name)


def best_map(capabilities: Any, wanted: str = "gim") -> tuple[Method | None, tuple[tuple[str, Option], ...]]:
    """The map that names causes best on a model, with its options; None where the model cannot be mapped.

    `wanted` where the model can, else grad L2 of the log-odds: the figures are in docs/methods/find_cause.md.
    """
    if wanted and method(wanted).available(capabilities):
        return method(wanted), ()
    fallback = method("grad_l2")
    if not fallback.available(capabilities):
        return None, ()
    return fallback, (("seed", "log_odds"),) if capabilities.gradients else ()


def told(method_name: str, options: Iterable[tuple[str, Option]]) -> tuple[tuple[str, Option], ...]:
    """`options` in order, without those that say what is so anyway: one question has one key."""
    defaults = {option.name: option.default for option in method(method_name).options}
    return tuple(sorted((name, value) for name, value in options if (name, value) not in defaults.items()))


def readers(name: str) -> tuple[Method, ...]:
    """The methods whose rows come from the same passes as those of `name`, itself among them.

    They read the same gradients and have the same options. None where its rows are no scores of single gradients.
    """
    asked = method(name)
    shared = (one for one in METHODS if (one.reads, one.options) == (asked.reads, asked.options))
    return tuple(one for one in shared if asked.score and one.score)


def request_for(
    model: LanguageModel,
    tokens: Tokens,
    method_name: str,
    *,
    targets: tuple[tuple[int, int], ...] | None = None,
    options: tuple[tuple[str, Option], ...] = (),
) -> SalienceRequest:
    """The request that explains `tokens` with one method: every response token unless `targets` says less."""
    if targets is None:
        targets = tuple((i, i + 1) for i in range(max(tokens.prompt_len, 1), len(tokens)))
    return SalienceRequest(
        model.spec,
        tuple(tokens.ids.tolist()),
        tokens.prompt_len,
        method(method_name).name,
        targets,
        told(method_name, options),
    )


def span(
    model: LanguageModel,
    tokens: Tokens,
    method_name: str,
    token_span: tuple[int, int],
    *,
    options: tuple[tuple[str, Option], ...] = (),
    stop: threading.Event | None = None,
) -> NDArray[np.float32]:
    """Scores (T,) of one target span, by one backward pass: what a click waits for."""
    request = request_for(model, tokens, method_name, targets=(token_span,), options=options)
    return method(method_name).run(model, request, tokens=tokens, stop=stop).values[0]


METHODS: tuple[Method, ...] = plugins.extended(
    "whence.salience_methods",
    Method,
    (
        gim.METHOD,
        grad_l2.METHOD,
        grad_dot_input.METHOD,
        integrated_gradients.METHOD,
        leave_one_out.METHOD,
    ),
)
