"""What every model can be asked, and how it says what it cannot do.

Pages, jobs and methods know a model only through `LanguageModel` and its `Capabilities`; a model that also
gives gradients has `tape` (`GradientModel`), one that computes salience elsewhere has `salience`
(`SalienceModel`). Knows no library: torch's tensors pass through here unnamed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.records import (
    Generation,
    GenerationParams,
    Message,
    ModelSpec,
    SalienceMatrix,
    SalienceRequest,
    Tokens,
)

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and a few words for the person who waits."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model can do; `why[name]` is a sentence for the page about each that it cannot."""

    generate: bool = True
    logprobs: bool = True
    gradients: bool = True
    salience: bool = True
    gim: bool = False
    """Gradients by GIM's rules: the model's family is one that they are known to fit."""
    drafts: bool = False
    """`generate` takes a guess of the answer (`draft`, its ids), of which what is right costs one pass. Only where
    sums are exact enough that one long pass chooses the words that many short ones would."""
    chat: bool = False
    streaming: bool = True
    own_probabilities: bool = True
    """Tells how likely it found each token of what it wrote itself."""
    requests: bool = False
    """Log-probabilities of a given text cost requests, one for each token that the model would not write itself."""
    methods: tuple[str, ...] = ()
    """The salience methods that a model which explains itself elsewhere has, by name; empty: not told."""
    why: dict[str, str] = field(default_factory=dict, hash=False)


class LanguageModel(Protocol):
    """A causal language model, here or elsewhere."""

    spec: ModelSpec
    capabilities: Capabilities
    context_length: int
    """Longest prompt + response in tokens; 0: not known."""
    parameters: int
    bytes: int

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """Ids, text and character spans; a typed response is tokenised on its own and joined as ids."""
        ...

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        """Continues the prompt of `tokens` (its response, if any, is left out).

        `on_text` gets the whole text so far after each token that completed a character. A set `stop` ends
        the answer within one token, with the stop reason "stopped".
        """
        ...

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        """log p of each response token given all before it, (R,) nats."""
        ...

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        """`generate` for several prompts at once; prompts of like length make it fast."""
        ...

    def close(self) -> None:
        """Gives back the memory; the model is not used again."""
        ...


@dataclass(slots=True)
class Tape:
    """One forward pass, ready for backward passes to the embeddings.

    `outputs` (M, W) holds the state that each of the M explained positions is predicted from (the final
    hidden state, or one further down from where no position looks at another), and `seeds` (M, W) the
    gradient of that position's own loss with respect to it, so the gradient of any sum of losses with weights
    w is one backward pass from `outputs` with `w[:, None] * seeds`.
    """

    embeddings: Any
    """(1, T', D) leaf tensor: the embedding module's output for the tokens before the last explained one."""
    outputs: Any
    seeds: Any
    logprob_nats: NDArray[np.float32]
    value_nats: NDArray[np.float32]
    """(M,) what is differentiated: log p, or the log-odds."""


@dataclass(frozen=True, slots=True)
class Backward:
    """How a backward pass departs from plain gradients of log p."""

    log_odds: bool = False
    """Differentiate log(p / (1 − p)) instead, so that sure tokens do not vanish."""
    gim: bool = False
    """By GIM's rules; for models whose capabilities say `gim`."""


PLAIN = Backward()


@runtime_checkable
class GradientModel(Protocol):
    """A model whose capabilities say `gradients`."""

    def tape(
        self,
        ids: NDArray[np.int64],
        positions: NDArray[np.int64],
        *,
        embed: Callable[[Any], Any] | None = None,
        checkpoint: bool = False,
        backward: Backward = PLAIN,
    ) -> AbstractContextManager[Tape]:
        """A `Tape` for the tokens at `positions` (each at least 1, ascending).

        `embed` replaces the embeddings (1, T', D), for methods that move along a path; `checkpoint` keeps
        only layer borders in memory and computes the rest again in each backward pass.
        """
        ...

    def mean_embedding(self) -> Any:
        """The average output of the embedding module over the vocabulary, (D,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ResponseReading:
    """What a model makes of a response: `logprob_nats` (R,), and what it cost."""

    logprob_nats: NDArray[np.float32]
    likeliest: NDArray[np.bool_] | None
    """(R,) whether no other token was likelier in its place; None where the model does not tell."""
    tokens_read: int
    bound: NDArray[np.bool_] | None = None
    """(R,) where True, the token is at most so likely: more is not known. None: all are exact."""


@runtime_checkable
class SharingModel(Protocol):
    """A model that reads what many texts have in common at their beginning once."""

    def beside(self, tokens: Tokens, *, moving: bool = False) -> Callable[[Tokens], ResponseReading]:
        """Reads texts that begin like `tokens`, to which it costs least; exact for any other too.

        `moving`: like the text that was read last.
        """
        ...


@runtime_checkable
class AskedModel(Protocol):
    """A model that is asked about the tokens that matter alone, because each may cost a request."""

    def reading(
        self, tokens: Tokens, rows: Sequence[int], *, stop: threading.Event | None = None
    ) -> ResponseReading:
        """What it makes of the response's tokens `rows`; the others are NaN."""
        ...


@runtime_checkable
class StoppableModel(Protocol):
    """A model whose passes can be ended in the middle."""

    def until(self, stop: threading.Event) -> AbstractContextManager[None]:
        """While it is open, a set `stop` ends a pass within one layer by `Stopped`; not the writing of an answer, which
        keeps what is written.
        """
        ...


@runtime_checkable
class SalienceModel(Protocol):
    """A model that computes salience itself, elsewhere; its capabilities say `salience`, not `gradients`."""

    def salience(
        self,
        request: SalienceRequest,
        tokens: Tokens | None = None,
        *,
        on_rows: Callable[[int, NDArray[np.float32]], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SalienceMatrix: ...
