"""A model behind LIT's model server (lit-nlp 1.3.1 or Whence's own): `/predict`, `/tokenize`, `/salience`.

The server tells token strings but no ids and no log-probabilities. Its `grad_dot_input` is the gradient of
the loss times the embedding; it is negated here and nowhere else, so that inside Whence positive supports the
target. Its `grad_l2` is the norm for one set of target tokens, so each explained row is one question; for
few rows the inner products between rows come from norms of pairs, by the polarisation identity
`2 <a, b> = |a + b|^2 - |a|^2 - |b|^2`, and any selection is then exact. LIT's server emits bare NaN, answers
faults with an HTML page and gives zeros for a missing mask: each is told, none is shown as a result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.models.language_model import Capabilities, Progress
from core.models.remote import remote_tokens
from core.models.remote.http import HttpLimits, Remote
from core.models.remote.secrets import SECRETS, base_address
from core.models.remote.server_words import server_words
from core.records import (
    Generation,
    GenerationParams,
    Message,
    ModelSpec,
    SalienceMatrix,
    SalienceRequest,
    Tokens,
)

MAX_ROWS = 512
"""Most rows that are asked for: each costs the server a forward and a backward pass."""
MAX_PAIR_ROWS = 16
"""Up to here the inner products of all pairs are asked for too (136 questions)."""
QUESTIONS_A_REQUEST = 8
METHODS = ("grad_l2", "grad_dot_input")
_UNITS = {"grad_l2": "nats per unit of embedding", "grad_dot_input": "nats"}


class LitServer:
    """See `core.models.language_model.LanguageModel` and `SalienceModel`."""

    parameters = 0
    bytes = 0
    context_length = 0
    """Most rows for which a selection of several is exact; a plan should group targets to this many."""

    def __init__(self, spec: ModelSpec, remote: Remote) -> None:
        self.spec = spec
        self._remote = remote
        self.capabilities = Capabilities(
            generate=True,
            logprobs=False,
            own_probabilities=False,
            gradients=False,
            salience=True,
            methods=METHODS,
            chat=False,
            streaming=False,
            why={
                "logprobs": "LIT's model server tells no log-probabilities.",
                "gradients": "The gradients stay on the server: it tells finished scores for grad L2 and "
                "grad · input only.",
                "chat": "LIT's model server takes plain text: a chat is sent as the text you see.",
                "streaming": "LIT's model server answers in one piece.",
            },
        )

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """The server's own tokens of prompt + response, with made-up ids."""
        if not isinstance(prompt, str):
            prompt = "\n".join(f"{turn.role}: {turn.content}" for turn in prompt) + "\nassistant: "
        answer = self._one("/tokenize", {"prompt": prompt, "target": response or ""}, "tokens", None)
        strings = _strings(answer["tokens"], "/tokenize")
        text = prompt + (response or "")
        spans, special = remote_tokens.align(text, strings)
        return remote_tokens.tokens_of(
            text, spans, prompt_chars=len(prompt), special=special, strings=strings
        )

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        """The server's answer; its own settings decide length and sampling, `params` is only noted."""
        started = time.perf_counter()
        prompt = tokens.text[: tokens.prompt_chars]
        answer = self._one("/predict", {"prompt": prompt}, "response", stop)
        text = answer["response"]
        if not isinstance(text, str):
            raise self._odd("/predict", "a text as `response`", type(text).__name__)
        if on_text is not None:
            on_text(text)
        whole = self.tokenize(prompt, text)
        return Generation(
            example_id=example_id,
            model=self.spec,
            params=params,
            tokens=whole,
            text=text,
            logprob_nats=np.full(len(whole) - whole.prompt_len, np.nan, np.float32),
            stop_reason="eos",
            seconds=time.perf_counter() - started,
        )

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        return [self.generate(tokens, params, stop=stop) for tokens in batch]

    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        raise AppError(self.capabilities.why["logprobs"], code="unsupported")

    def salience(
        self,
        request: SalienceRequest,
        tokens: Tokens | None = None,
        *,
        on_rows: Callable[[int, NDArray[np.float32]], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SalienceMatrix:
        """The matrix for `request`, one question a row; `tokens` must hold the text of its ids.

        Raises: AppError for a method the server does not have, too many rows, or scores that cannot be true.
        """
        if request.method not in METHODS:
            raise AppError(
                f"LIT's model server has no salience method {request.method!r}.",
                hint=f"Available: {', '.join(METHODS)}.",
                code="unsupported",
            )
        if tokens is None:
            raise AppError("LIT's model server needs the text of the tokens; only their ids were given.")
        rows, size = len(request.targets), len(request.ids)
        if rows > MAX_ROWS:
            raise AppError(
                f"The answer has {rows:,} parts to explain; a remote server is asked for at most {MAX_ROWS}.",
                hint="Choose a coarser granularity, or a part of the answer.",
            )
        spans = list(request.targets)
        values = np.zeros((rows, size), np.float32)
        questions = [[span] for span in spans]
        for first in range(0, rows, QUESTIONS_A_REQUEST):
            part = questions[first : first + QUESTIONS_A_REQUEST]
            for offset, row in enumerate(self._scores(request.method, tokens, part, stop)):
                values[first + offset] = row
                if on_rows is not None:
                    on_rows(first + offset, values[first + offset])
        gram = None
        if request.method == "grad_l2" and rows <= MAX_PAIR_ROWS:
            gram = self._gram(tokens, spans, values, stop)
        return SalienceMatrix(
            request=request,
            values=values,
            gram=gram,
            signed=request.method == "grad_dot_input",
            units=_UNITS[request.method],
        )

    def close(self) -> None:
        self._remote.close()

    def _gram(
        self,
        tokens: Tokens,
        spans: list[tuple[int, int]],
        values: NDArray[np.float32],
        stop: threading.Event | None,
    ) -> NDArray[np.float32]:
        """(T, N, N) inner products of the rows' gradients, from the norms of rows and of pairs."""
        rows, size = values.shape
        squares = values.astype(np.float64) ** 2
        gram = np.zeros((size, rows, rows))
        gram[:, range(rows), range(rows)] = squares.T
        pairs = [(n, m) for n in range(rows) for m in range(n)]
        for first in range(0, len(pairs), QUESTIONS_A_REQUEST):
            part = pairs[first : first + QUESTIONS_A_REQUEST]
            both = self._scores("grad_l2", tokens, [[spans[n], spans[m]] for n, m in part], stop)
            for (n, m), row in zip(part, both):
                inner = (row.astype(np.float64) ** 2 - squares[n] - squares[m]) / 2
                inner[(squares[n] == 0) | (squares[m] == 0)] = 0.0
                gram[:, n, m] = gram[:, m, n] = inner
        return gram.astype(np.float32)

    def _scores(
        self,
        method: str,
        tokens: Tokens,
        questions: list[list[tuple[int, int]]],
        stop: threading.Event | None,
    ) -> list[NDArray[np.float32]]:
        """Scores (T,) for each set of target spans."""
        border, size = tokens.prompt_chars, len(tokens)
        inputs = []
        for spans in questions:
            mask = np.zeros(size, int)
            for start, stop_at in spans:
                mask[start:stop_at] = 1
            inputs.append(
                {"prompt": tokens.text[:border], "target": tokens.text[border:], "target_mask": mask.tolist()}
            )
        answers = self._many("/salience", inputs, method, stop)
        return [self._row(answer, method, size, spans) for answer, spans in zip(answers, questions)]

    def _row(
        self, answer: dict[str, Any], method: str, size: int, spans: list[tuple[int, int]]
    ) -> NDArray[np.float32]:
        found = answer[method]
        if not isinstance(found, list) or len(found) != size:
            got = f"{len(found)} scores" if isinstance(found, list) else type(found).__name__
            raise self._odd("/salience", f"{size} scores, one a token", got)
        try:
            row = np.array(found, np.float64)
        except (TypeError, ValueError) as error:
            raise self._odd("/salience", "numbers", "something else") from error
        if not np.isfinite(row).all():
            wrong = int((~np.isfinite(row)).sum())
            raise AppError(
                f"{wrong:,} of the server's {size:,} scores are not numbers (NaN or infinite).",
                hint="Let the server run the model in float32.",
                code="remote",
            )
        if not row.any() and min(start for start, _ in spans) > 1:
            raise AppError(
                "The server answered with zeros only: it does not seem to have read which tokens to explain "
                "(`target_mask`).",
                hint="Check that it speaks LIT 1.3's wire, and that no proxy drops fields.",
                code="remote",
            )
        if method == "grad_dot_input":
            row = -row + 0.0  # the wire has the loss's sign; + 0.0 turns -0 into 0
        row[max(stop for _, stop in spans) - 1 :] = 0.0
        return row.astype(np.float32)

    def _one(self, path: str, item: dict[str, Any], key: str, stop: threading.Event | None) -> dict[str, Any]:
        return self._many(path, [item], key, stop)[0]

    def _many(
        self, path: str, items: list[dict[str, Any]], key: str, stop: threading.Event | None
    ) -> list[dict[str, Any]]:
        answer = self._remote.post(path, {"inputs": items}, stop=stop)
        if isinstance(answer, dict) and server_words(answer):
            raise self._remote.broke_off(answer)
        if not isinstance(answer, list) or len(answer) != len(items):
            got = f"a list of {len(answer)}" if isinstance(answer, list) else type(answer).__name__
            raise self._odd(path, f"a list of {len(items)}", got)
        for element in answer:
            if not isinstance(element, dict) or key not in element:
                raise self._odd(path, f"`{key}` in each element", "none")
        return answer

    def _odd(self, path: str, expected: str, got: str) -> AppError:
        return AppError(
            f"The server at {self._remote.address} answered {path} in a form that is not LIT's: expected "
            f"{expected}, got {got}.",
            hint="Check that the address is that of a LIT model server.",
            code="remote",
        )


def _strings(found: Any, path: str) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
        raise AppError(f"The server answered {path} with tokens that are not text.", code="remote")
    return found


def load(
    spec: ModelSpec,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    limits: HttpLimits | None = None,
) -> LitServer:
    """Connects to the server whose address is `spec.path` and asks it to tokenise two words."""
    address = base_address(spec.path)
    if progress is not None:
        progress(0.1, "Asking the server")
    remote = Remote(
        address, SECRETS.token(spec.path), what="The LIT model server", limits=limits, always_bearer=True
    )
    model = LitServer(spec, remote)
    try:
        model._one("/tokenize", {"prompt": "Hello there", "target": ""}, "tokens", stop)
    except BaseException:
        remote.close()
        raise
    if progress is not None:
        progress(1.0, "Ready")
    return model
