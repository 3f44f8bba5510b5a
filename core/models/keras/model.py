"""A KerasHub model (Gemma, GPT-2, Llama, Mistral) on the torch backend: answers, probabilities, gradients.

The backbone is cut behind its token embedding (a Keras functional model takes any of its inner tensors as an
input), so gradients reach the embeddings exactly as in `hugging_face`. Gemma scales its embeddings by the
root of D after the embedding layer, transformers' Gemma inside it: the gradient here is with respect to the
scaled ones, so both frameworks give the same numbers. Text and ids are converted by the preset's own
tokenizer; TensorFlow is not needed. Knows no preset and no file: `keras_hub.py` loads it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import AppError
from core.models.char_spans import complete_length, decode_with_spans
from core.models.keras.vocabulary import Vocabulary
from core.models.language_model import PLAIN, Backward, Capabilities, Tape
from core.models.local.decoding import Drawn, draw
from core.models.objective import objective
from core.models.stop_texts import first, sure
from core.records import Generation, GenerationParams, Message, ModelSpec, Role, StopReason, Tokens


class KerasHubModel:
    """See `core.models.language_model.LanguageModel` and `GradientModel`."""

    def __init__(self, causal_lm: Any, spec: ModelSpec) -> None:
        import keras

        self.spec = spec
        self.capabilities = Capabilities(
            chat=False,
            why={
                "chat": "A KerasHub preset brings no chat template: a chat is sent as plain text.",
                "gim": "GIM's rules are written for the layers of transformers, not for those of KerasHub",
            },
        )
        self._lm = causal_lm
        self._backbone = causal_lm.backbone
        self._weights = [variable.value for variable in self._backbone.weights]
        for weight in self._weights:
            weight.requires_grad_(False)
        self._embedding = self._backbone.token_embedding
        self._trunk = keras.Model(
            [self._embedding.output, self._backbone.input["padding_mask"]], self._backbone.output
        )
        self._scale = float(self._backbone.hidden_dim) ** 0.5 if spec_scales(self._backbone) else 1.0
        self.vocabulary = Vocabulary(causal_lm.preprocessor.tokenizer)
        self._start = (
            [int(causal_lm.preprocessor.tokenizer.start_token_id)]
            if getattr(causal_lm.preprocessor, "add_start_token", True)
            else []
        )
        self.context_length = int(getattr(self._backbone, "max_sequence_length", 0) or 0)
        self.parameters = int(self._backbone.count_params())
        self.bytes = sum(weight.numel() * weight.element_size() for weight in self._weights)

    @property
    def device(self) -> torch.device:
        return self._weights[0].device

    # Text to tokens

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """See `LanguageModel`. Raises: AppError for an empty prompt or one beyond the model's length."""
        if not isinstance(prompt, str):
            prompt = "".join(f"{turn.role}: {turn.content}\n" for turn in prompt) + "assistant: "
        if not prompt.strip():
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        head, tail = self.vocabulary.ids(prompt), self.vocabulary.ids(response or "")
        start = len(prompt)
        spans = [(0, 0)] * len(self._start) + self.vocabulary.spans(head, prompt)
        spans += [(a + start, b + start) for a, b in self.vocabulary.spans(tail, response or "")]
        ids = [*self._start, *head, *tail]
        if self.context_length and len(ids) > self.context_length:
            raise AppError(
                f"The {'prompt and its answer are' if tail else 'prompt is'} {len(ids):,} tokens long, "
                f"but {self.spec.name} reads at most {self.context_length:,}.",
                hint="Shorten the prompt, or choose a model with a longer context.",
                code="too_long",
            )
        prompt_len = len(self._start) + len(head)
        return self._tokens(ids, prompt + (response or ""), spans, prompt_len)

    def _tokens(self, ids: list[int], text: str, spans: list[tuple[int, int]], prompt_len: int) -> Tokens:
        role = [Role.PROMPT] * prompt_len + [Role.RESPONSE] * (len(ids) - prompt_len)
        return Tokens(
            ids=np.array(ids, np.int64),
            text=text,
            char_spans=np.array(spans, np.int64).reshape(-1, 2),
            special=np.array([self.vocabulary.is_special(i) for i in ids], bool),
            role=np.array(role, np.int8),
            prompt_len=prompt_len,
        )

    # Tokens to text

    def generate(
        self,
        tokens: Tokens,
        params: GenerationParams,
        *,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        example_id: str = "",
    ) -> Generation:
        started = time.perf_counter()
        prompt = tokens.ids[: tokens.prompt_len].tolist()
        if self.context_length and len(prompt) >= self.context_length:
            raise AppError(
                f"The prompt is {len(prompt):,} tokens long and leaves no room for an answer: "
                f"{self.spec.name} reads at most {self.context_length:,} tokens in all.",
                hint="Shorten the prompt, or choose a model with a longer context.",
                code="too_long",
            )
        raw = bytearray()
        shown = ""

        def accept(_row: int, drawn: Drawn) -> StopReason | None:
            nonlocal shown
            raw.extend(self.vocabulary.piece(drawn.ids[-1]))
            ready = complete_length(bytes(raw))
            text = raw[:ready].decode("utf-8", errors="replace")
            told = sure(text, params.stop)
            if on_text is not None and len(told) > len(shown):
                shown = told
                on_text(told)
            return None if first(text, params.stop) is None else "stop"

        (drawn,) = draw(
            _Stepper(self, len(prompt) + params.max_new_tokens),
            [prompt],
            params,
            end_ids=frozenset(self.vocabulary.end_ids),
            limit=self.context_length,
            accept=accept,
            stop=stop,
        )
        written, spans = decode_with_spans([self.vocabulary.piece(i) for i in drawn.ids])
        text, kept = written, len(drawn.ids)
        if drawn.reason == "stop":
            cut = first(written, params.stop) or 0
            kept = next((i for i, (begin, _) in enumerate(spans) if begin >= cut), kept)
            text, written = written[:cut], written[: max((b for _, b in spans[:kept]), default=0)]
        if on_text is not None and text != shown:
            on_text(text)  # its end began like a stop text, and was none
        base = tokens.text[: tokens.prompt_chars]
        whole = self._tokens(
            prompt + drawn.ids[:kept],
            base + written,
            [*map(tuple, tokens.char_spans[: tokens.prompt_len].tolist())]
            + [(a + len(base), b + len(base)) for a, b in spans[:kept]],
            tokens.prompt_len,
        )
        return Generation(
            example_id=example_id,
            model=self.spec,
            params=params,
            tokens=whole,
            text=text,
            logprob_nats=np.array(drawn.logprob_nats[:kept], np.float32),
            stop_reason=drawn.reason or "length",
            seconds=time.perf_counter() - started,
        )

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        """One after the other: KerasHub's cache knows no left padding."""
        return [self.generate(tokens, params, stop=stop) for tokens in batch]

    # Tokens to numbers

    @torch.inference_mode()
    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        rows = np.arange(tokens.prompt_len, len(tokens))
        if not len(rows):
            return np.zeros(0, np.float32)
        ids = torch.tensor(tokens.ids, device=self.device)
        with self.on_device():
            hidden = self._hidden(self._embedding(ids[None, :-1]))
            logits = self.head(hidden[:, torch.as_tensor(rows - 1)])[0]
        nats = torch.log_softmax(logits.float(), -1).gather(1, ids[torch.as_tensor(rows)][:, None])
        return nats[:, 0].cpu().numpy()

    def mean_embedding(self) -> torch.Tensor:
        """See `GradientModel`."""
        ids = torch.arange(self._embedding.input_dim, device=self.device)
        with torch.no_grad(), self.on_device():
            return self._embedding(ids[None])[0].float().mean(0) * self._scale

    @contextmanager
    def tape(
        self,
        ids: NDArray[np.int64],
        positions: NDArray[np.int64],
        *,
        embed: Callable[[Any], Any] | None = None,
        checkpoint: bool = False,
        backward: Backward = PLAIN,
    ) -> Iterator[Tape]:
        """See `GradientModel`; `checkpoint` changes nothing here."""
        every = torch.tensor(ids, device=self.device)
        targets = torch.tensor(positions, device=self.device)
        with torch.enable_grad(), self.on_device():
            embedded = self._embedding(every[None, : int(positions[-1])]) * self._scale
            leaf = (embedded if embed is None else embed(embedded)).detach().requires_grad_(True)
            outputs = self._hidden(leaf / self._scale)[0, targets - 1]
            top = outputs.detach().requires_grad_(True)
            logits = self.head(top[None])[0]
            value, nats = objective(logits.float(), every[targets], backward)
            (seeds,) = torch.autograd.grad(-value.sum(), top)
            yield Tape(leaf, outputs, seeds, nats.cpu().numpy(), value.detach().cpu().numpy())

    def _hidden(self, embedded: torch.Tensor) -> torch.Tensor:
        """Final hidden states (1, T, D) for unscaled embeddings (1, T, D)."""
        mask = torch.ones(embedded.shape[:2], dtype=torch.int32, device=embedded.device)
        return self._trunk([embedded, mask])

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (1, M, V)."""
        return self._embedding(hidden, reverse=True)

    def on_device(self) -> Any:
        import keras

        return keras.device(self.spec.device.replace("cuda", "gpu"))

    def close(self) -> None:
        self._lm = self._backbone = self._trunk = self._embedding = None
        self._weights = []
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _Stepper:
    """A KerasHub model as `decoding.draw` calls one: ids in, logits of the last token out, with cache.

    KerasHub's cache has a fixed length, so it is made for `length` tokens at the first step.
    """

    def __init__(self, model: KerasHubModel, length: int) -> None:
        self._model = model
        self._length = min(length, model.context_length) if model.context_length else length
        self._at = 0

    def get_input_embeddings(self) -> Any:
        return SimpleNamespace(weight=self._model._weights[0])

    def __call__(
        self, *, input_ids: torch.Tensor, cache: Any, use_cache: bool, logits_to_keep: torch.Tensor
    ) -> Any:
        lm, steps = self._model._lm, input_ids.shape[1]
        with self._model.on_device():
            if cache is None:
                padded = torch.nn.functional.pad(input_ids, (0, self._length - steps))
                hidden, cache = lm._build_cache(padded)
                logits = self._model.head(hidden[:, steps - 1 : steps])
            else:
                logits, _, cache = lm.call_with_cache(input_ids, cache, self._at)
        self._at += steps
        return SimpleNamespace(logits=logits, cache=cache)


def spec_scales(backbone: Any) -> bool:
    """Whether the family multiplies its embeddings by the root of their width (Gemma does)."""
    return type(backbone).__name__.startswith("Gemma")
