"""A model without weights for tests of what stands above models: characters are tokens, figures by hand.

It continues any prompt by the prompt's last three characters, reversed. The score of token i for target t is
(t - i) for i < t, so sums over targets can be done in the head.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError, Stopped
from core.models.language_model import Capabilities
from core.records import (
    Generation,
    GenerationParams,
    Message,
    ModelSpec,
    Role,
    SalienceMatrix,
    SalienceRequest,
    Tokens,
)

SPEC = ModelSpec("fake", "fake/model", device="cpu")


def tokens_of(prompt: str, response: str = "") -> Tokens:
    text = prompt + response
    size = len(text)
    starts = np.arange(size)
    return Tokens(
        ids=np.array([ord(char) for char in text], np.int64),
        text=text,
        char_spans=np.stack([starts, starts + 1], 1),
        special=np.zeros(size, bool),
        role=np.where(starts < len(prompt), Role.PROMPT, Role.RESPONSE).astype(np.int8),
        prompt_len=len(prompt),
    )


class FakeModel:
    """Counts what it is asked; `hold` (when set up) lets a test stop it between two steps."""

    capabilities = Capabilities(gradients=False)
    context_length = 200
    parameters = 1_000
    bytes = 4_000

    def __init__(self, spec: ModelSpec = SPEC) -> None:
        self.spec = spec
        self.calls: list[str] = []
        self.step: Callable[[str], None] = lambda what: None

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        text = prompt if isinstance(prompt, str) else "".join(turn.content for turn in prompt)
        if not text:
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        if len(text) + len(response or "") > self.context_length:
            raise AppError(f"The prompt is {len(text)} tokens long.", code="too_long")
        return tokens_of(text, response or "")

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        self.calls.append("generate")
        prompt = tokens.text[: tokens.prompt_chars]
        whole, text = prompt[::-1][: min(3, params.max_new_tokens)], ""
        for char in whole:
            text += char
            if on_text is not None:
                on_text(text)
            self.step(text)
            if stop is not None and stop.is_set():
                break
        stopped = text != whole
        made = tokens_of(prompt, text)
        nats = np.full(len(text), -0.5, np.float32)
        return Generation(
            example_id, self.spec, params, made, text, nats, "stopped" if stopped else "eos", 0.1
        )

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        self.calls.append(f"batch of {len(batch)}")
        self.step("batch")
        return [self.generate(tokens, params, stop=stop) for tokens in batch]

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        self.calls.append("logprobs")
        return np.full(len(tokens) - tokens.prompt_len, -0.25, np.float32)

    def salience(
        self,
        request: SalienceRequest,
        tokens: Tokens | None = None,
        *,
        on_rows: Callable[[int, NDArray[np.float32]], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SalienceMatrix:
        self.calls.append(f"salience of {len(request.targets)}")
        size = len(request.ids)
        values = np.zeros((len(request.targets), size), np.float32)
        for row, (start, end) in enumerate(request.targets):
            if stop is not None and stop.is_set():
                raise Stopped
            for target in range(start, end):
                values[row, :target] += target - np.arange(target)
            if on_rows is not None:
                on_rows(row, values[row])
            self.step(f"row {row}")
        return SalienceMatrix(request, values, None, signed=True, units="nats")

    def close(self) -> None:
        self.calls.append("close")


def loader(model: FakeModel) -> Callable[..., Any]:
    """A `ModelManager`'s loader that always gives `model`."""

    def load(spec: ModelSpec, **_: Any) -> FakeModel:
        model.spec = spec
        model.calls.append("load")
        return model

    return load


class NoStore:
    """A store that keeps nothing, for tests in which what is kept does not matter."""

    def generation(self, key: str) -> None:
        return None

    def salience(self, key: str) -> None:
        return None

    def save_generation(self, key: str, generation: Generation, *, prompt: object) -> None:
        pass

    def save_salience(self, matrix: SalienceMatrix) -> None:
        pass

    def fault(self) -> None:
        return None

    def close(self) -> None:
        pass
