"""What a salience method is: its declaration, and the one door through which a model is explained by it.

A method that scores the gradient of each row (`score`) needs nothing more; one that does more than that brings
`compute`. Importing this loads no torch. Knows no method by name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.aggregate import RankBy
from core.errors import AppError
from core.family import Field, find
from core.models.language_model import Backward, LanguageModel
from core.records import Combines, Option, SalienceMatrix, SalienceRequest, Segment, Tokens

OnRow = Callable[[int, NDArray[np.float32]], None]
"""Called with a row's index and its scores (T,) as soon as they are known."""
OnProgress = Callable[[float], None]
"""Called with the part that is done, above 0 to 1."""
Score = Callable[[Any, Any], Any]
"""(gradient (T', D), embeddings (T', D)) of a row, torch tensors in float32 -> scores (T',)."""
Options = tuple[tuple[str, Option], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a method that brings `compute` is given."""

    model: Any
    """A `LanguageModel` that can what the method `needs`."""
    request: SalienceRequest
    tokens: Tokens | None
    options: dict[str, Option]
    on_row: OnRow | None
    on_progress: OnProgress | None
    stop: threading.Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method, declared: menus, legends and forms are drawn from these fields, never from the name."""

    name: str
    label: str
    description: str
    units: str
    signed: bool
    combines: Combines
    """What makes the scores of several targets out of theirs (`core.records.Combines`)."""
    score: Score | None = None
    """Scores of one row from its gradient; None where `compute` does more than that."""
    compute: Callable[[Work], SalienceMatrix] | None = None
    reads: str = "gradient"
    """Which gradient `score` is given; methods with the same word share their passes."""
    needs: str = "gradients"
    """The capability of a model that it cannot do without."""
    instead: tuple[Method, Options] | None = None
    """What takes its place on a model that gives gradients but not what it `needs`."""
    sign_holds: bool = True
    """A negative score may be read as "made it less likely"; False: only the size says something."""
    rank_by: RankBy = "size"
    """What puts a segment first: how far its score is from 0, or (signed) how far above."""
    negligible: float = 0.0
    """The score, in `units`, below which a segment decides nothing; 0 where scores have no size as such."""
    options: tuple[Field, ...] = ()
    """What can be chosen; a method with a `score` that names none has that of every gradient method, `SEED`."""
    unmeasured: Callable[[SalienceRequest], NDArray[np.bool_]] | None = None
    """(T,) the tokens whose 0 in the map of a request says nothing: they could not be measured, or were not asked
    about. None: every token is measured. Read from the request, so that maps of before know it too."""

    def __post_init__(self) -> None:
        if self.score is not None and not self.options:
            object.__setattr__(self, "options", (SEED,))

    def unmeasured_parts(self, request: SalienceRequest, columns: Sequence[Segment]) -> tuple[int, ...]:
        """The places of those `columns` in which no token was measured: a dash on pages, empty in files."""
        if self.unmeasured is None:
            return ()
        unknown = self.unmeasured(request)
        return tuple(
            place
            for place, one in enumerate(columns)
            if one.tokens[0] < one.tokens[1] and unknown[slice(*one.tokens)].all()
        )

    @property
    def late(self) -> bool:
        """Whether no row is known before many steps are done, so that it tells its progress besides."""
        return self.compute is not None

    def option(self, request: SalienceRequest, name: str) -> Option:
        """The value of an option in `request`, else its default. Raises: AppError for one out of its bounds."""
        field = find(f"option of {self.label}", self.options, name)
        return field.check(dict(request.options).get(name, field.default))

    def backward(self, request: SalienceRequest) -> Backward:
        """How `request` wants its gradients: of the log-odds where its option says so, by GIM's rules for GIM."""
        seed = self.option(request, "seed") if SEED in self.options else SEED.default
        return Backward(log_odds=seed == "log_odds", gim=self.reads == "gim")

    def available(self, capabilities: Any) -> bool:
        """Whether a model with these capabilities can be explained by it, here or by the model itself."""
        if capabilities.salience and not capabilities.gradients and capabilities.methods:
            return self.name in capabilities.methods
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
        if not self.available(can):
            if self.instead is not None and self.instead[0].available(can):
                return self._instead(model, request, tokens, on_row, stop)
            why = can.why.get(self.needs, f"it gives no {'gradients' if self.needs == 'gim' else self.needs}")
            raise AppError(f"{self.label} cannot explain {model.spec.name}: {why}.")
        if self.needs == "gradients" and not can.gradients:
            explains: Any = model  # a `SalienceModel`: it computes its maps itself, elsewhere
            return explains.salience(request, tokens, on_rows=on_row, stop=stop)
        if self.compute is not None:
            said = {field.name: self.option(request, field.name) for field in self.options}
            given = Work(
                model=model,
                request=request,
                tokens=tokens,
                options=said,
                on_row=on_row,
                on_progress=on_progress,
                stop=stop,
            )
            return self.compute(given)
        from core.salience.scored import scored

        return scored(self, model, request, on_row, stop)

    def _instead(
        self,
        model: LanguageModel,
        request: SalienceRequest,
        tokens: Tokens | None,
        on_row: OnRow | None,
        stop: threading.Event | None,
    ) -> SalienceMatrix:
        """What takes its place on `model`, with a note that says so."""
        assert self.instead is not None
        other, options = self.instead
        options = options if model.capabilities.gradients else ()
        asked = replace(request, method=other.name, options=options)
        found = other.run(model, asked, tokens=tokens, on_row=on_row, stop=stop)
        why = model.capabilities.why.get(self.needs, f"{self.label} needs the model's layers on this machine")
        of = " of the log-odds" if options else ""
        note = f"This is {other.label}{of}, which has no sign, not {self.label}: {why}."
        return replace(found, request=request, note=f"{note} {found.note}".strip())


SEED = Field(
    name="seed",
    label="What is differentiated",
    kind="choice",
    default="logprob",
    description="The answer's log-probability, or its log-odds, in which words that the model is sure of do not "
    "vanish.",
    choices=(("logprob", "log-probability"), ("log_odds", "log-odds")),
)
"""The option of every gradient method."""
