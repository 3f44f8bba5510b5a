"""The salience methods: one file each, named in `METHODS`, imported when a method is first run.

Importing this package loads no torch, so menus and legends are drawn from the declarations alone.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.models.language_model import LanguageModel
from core.records import Option, SalienceMatrix, SalienceRequest, Tokens
from core.salience.rows import plan_rows

__all__ = [
    "METHODS",
    "Method",
    "MethodOption",
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

OnRow = Callable[[int, NDArray[np.float32]], None]
"""Called with a row's index and its scores (T,) as soon as they are known."""
OnProgress = Callable[[float], None]
"""Called with the part that is done, above 0 to 1."""


@dataclass(frozen=True, slots=True)
class MethodOption:
    """One choice that a method offers, drawn as a form field."""

    name: str
    label: str
    default: Option
    description: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    hidden: bool = False
    """Filled in by the page from what it shows, not by the person."""


@dataclass(frozen=True, slots=True)
class Method:
    """What a method is, in words for the page; `module` has `run(model, request, tokens, on_row, stop)`."""

    name: str
    label: str
    description: str
    units: str
    signed: bool
    module: str
    needs: str = "gradients"
    """The capability of a model that it cannot do without."""
    gram: bool = False
    """Rows combine through inner products (`SalienceMatrix.gram`), not by adding."""
    reads: str = ""
    """Methods with the same word here score the same gradients, so their rows come from one pass; each module
    has `score(gradient, embeddings)` then (`core.salience.gradient_rows`)."""
    late: bool = False
    """No row is known before many steps are done, so that its `run` takes `on_progress` besides."""
    sign_holds: bool = True
    """A negative score may be read as "made it less likely"; False: only the size says something."""
    rank_by: Literal["size", "value"] = "size"
    """What puts a segment first: how far its score is from 0, or (signed) how far above."""
    negligible: float = 0.0
    """The score, in `units`, below which a segment decides nothing; 0 where scores have no size as such."""
    options: tuple[MethodOption, ...] = ()

    def option(self, request: SalienceRequest, name: str) -> Option:
        """The value of an option in `request`, else its default, kept within its bounds."""
        declared = {option.name: option for option in self.options}[name]
        value = dict(request.options).get(name, declared.default)
        if isinstance(declared.default, int) and not isinstance(value, bool):
            low = declared.minimum if declared.minimum is not None else value
            high = declared.maximum if declared.maximum is not None else value
            if not isinstance(value, int) or not low <= value <= high:  # type: ignore[operator]
                raise AppError(f"{declared.label} should be {low} to {high}, but it is {value!r}.")
        if declared.choices and value not in declared.choices:
            raise AppError(
                f"{declared.label} should be one of {', '.join(declared.choices)}, but it is {value!r}."
            )
        return value

    def available(self, capabilities: Any) -> bool:
        """Whether a model with these capabilities can be explained by it, here or by the model itself."""
        return getattr(capabilities, self.needs) or (self.needs == "gradients" and capabilities.salience)

    def run(
        self,
        model: LanguageModel,
        request: SalienceRequest,
        *,
        tokens: Tokens | None = None,
        on_row: OnRow | None = None,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> SalienceMatrix:
        """Scores of every token for every target of `request`, (N, T).

        `on_progress` is told by methods whose rows are known late (`late`); the others tell by their rows.
        Raises: AppError when the model cannot be explained so, memory runs out, or scores are no numbers;
        Stopped when `stop` is set meanwhile.
        """
        can = model.capabilities
        if self.needs == "gradients" and not can.gradients and can.salience:
            return model.salience(request, tokens, on_rows=on_row, stop=stop)  # type: ignore[attr-defined]
        if self.needs == "gim" and not can.gim and (can.gradients or can.salience):
            return _instead(self, model, request, tokens, on_row, stop)
        if not getattr(can, self.needs):
            why = can.why.get(self.needs, f"it gives no {'gradients' if self.needs == 'gim' else self.needs}")
            raise AppError(f"{self.label} cannot explain {model.spec.name}: {why}.")
        run = importlib.import_module(self.module).run
        if self.late:
            return run(model, request, tokens, on_row, stop, on_progress)
        return run(model, request, tokens, on_row, stop)


def method(name: str) -> Method:
    """The method called `name`.

    Raises: AppError that lists the available ones.
    """
    for member in METHODS:
        if member.name == name:
            return member
    available = ", ".join(member.name for member in METHODS)
    raise AppError(f"There is no salience method called {name!r}.", hint=f"Available: {available}.")


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


def _instead(
    wanted: Method,
    model: LanguageModel,
    request: SalienceRequest,
    tokens: Tokens | None,
    on_row: OnRow | None,
    stop: threading.Event | None,
) -> SalienceMatrix:
    """The best map that `model` allows in the place of one that it does not, and a note that says so."""
    other, options = best_map(model.capabilities, wanted.name)
    assert other is not None
    found = other.run(
        model,
        replace(request, method=other.name, options=options),
        tokens=tokens,
        on_row=on_row,
        stop=stop,
    )
    why = model.capabilities.why.get(wanted.needs, f"{wanted.label} needs the model's layers on this machine")
    of = " of the log-odds" if options else ""
    note = f"This is {other.label}{of}, which has no sign, not {wanted.label}: {why}."
    return replace(found, request=request, note=f"{note} {found.note}".strip())


def readers(name: str) -> tuple[Method, ...]:
    """The methods whose rows come from the same passes as those of `name`, itself among them.

    None where its rows are no scores of single gradients. All have the same options.
    """
    reads = method(name).reads
    return tuple(member for member in METHODS if reads and member.reads == reads)


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
    return method(method_name).run(model, replace(request), tokens=tokens, stop=stop).values[0]


SEED = MethodOption(
    "seed",
    "What is differentiated",
    "logprob",
    "The answer's log-probability, or its log-odds, in which words that the model is sure of do not vanish.",
    choices=("logprob", "log_odds"),
)

METHODS: tuple[Method, ...] = (
    Method(
        "gim",
        "GIM",
        "Which parts the answer draws on: one backward pass in which sure attention hides nothing. It names "
        "the cause first more often than any other map that was tried.",
        "nats",
        True,
        "core.salience.gim",
        needs="gim",
        reads="gim",
        rank_by="value",
        options=(SEED,),
    ),
    Method(
        "grad_l2",
        "Grad L2",
        "How strongly the answer reacts to small changes of each token, whichever way.",
        "nats per unit of embedding",
        False,
        "core.salience.grad_l2",
        gram=True,
        reads="gradient",
        options=(SEED,),
    ),
    Method(
        "grad_dot_input",
        "Grad · input",
        "The first-order share of each token in the answer's log-probability. On real models its sign is not "
        "reliable: read the size alone.",
        "nats",
        True,
        "core.salience.grad_dot_input",
        reads="gradient",
        sign_holds=False,
        options=(SEED,),
    ),
    Method(
        "integrated_gradients",
        "Integrated gradients",
        "How much each token adds to the answer's log-probability, on the way from blank tokens to these.",
        "nats",
        True,
        "core.salience.integrated_gradients",
        late=True,
        options=(
            MethodOption("steps", "Steps", 20, "Stops on the way: more take longer and come closer.", 2, 200),
            MethodOption(
                "baseline",
                "Blank token",
                "mean",
                "What a blank token is: the average of all tokens, or no signal at all.",
                choices=("mean", "zero"),
            ),
            SEED,
        ),
    ),
    Method(
        "leave_one_out",
        "Leave one out",
        "How much less likely the answer becomes when a segment is taken out of the prompt: measured, "
        "one pass of the model a segment.",
        "nats",
        True,
        "core.salience.leave_one_out",
        needs="logprobs",
        late=True,
        negligible=0.1,  # a tenth more or less likely: a convention, see docs/methods/leave_one_out.md
        options=(
            MethodOption(
                "columns",
                "Segments",
                "",
                "Token spans of the segments, as first:last,first:last; empty: every token of the prompt.",
                hidden=True,
            ),
        ),
    ),
)
