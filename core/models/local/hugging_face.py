"""Any causal language model of transformers, from a local folder or the hub.

Text to tokens and back, answers and their log-probabilities. How weights are read is `weights.py`, the pass
that gradients start from `causal_tape.py`, the decoding loop `core.models.local.decoding`. Parameters are frozen:
nothing here ever computes their gradients.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import AppError
from core.models.char_spans import TokenBytes, complete_length, cover, decode_with_spans
from core.models.language_model import PLAIN, Backward, Capabilities, Progress, ResponseReading, Tape
from core.models.loading import Steps
from core.models.local import causal_tape, chat, estimate, folder, gguf_folder, gim_rules, weights
from core.models.local.decoding import Drawn, draw, finite
from core.models.local.layer_stop import LayerStop
from core.models.local.shared_beginning import SharedBeginning
from core.models.stop_texts import first, sure
from core.records import Generation, GenerationParams, Message, ModelSpec, Role, StopReason, Tokens


def load(
    spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
) -> HuggingFaceModel:
    """Loads `spec`; an empty `revision` becomes the folder's content address or the hub's commit.

    Raises: AppError when it is no model folder, holds only pickled weights, cannot be had from the hub, asks
    for an unknown precision or does not fit the memory; Stopped when `stop` is set meanwhile.
    """
    steps = Steps(progress, stop)
    weights.check(spec)
    path, revision = folder.find(spec, steps)
    estimate.check(replace(spec, path=str(path)))
    model, tokenizer, notes = weights.read(path, spec, steps)
    source = gguf_folder.origin(path)
    if source is not None:
        notes = (gguf_folder.sentence(str(source.get("quantization", "?")), spec.precision), *notes)
    steps(1.0, "Ready")
    return HuggingFaceModel(model, tokenizer, replace(spec, revision=spec.revision or revision), notes)


class HuggingFaceModel:
    """A loaded model and its tokenizer (`LanguageModel`, `GradientModel`)."""

    def __init__(self, model: Any, tokenizer: Any, spec: ModelSpec, notes: tuple[str, ...] = ()) -> None:
        self.model = model.eval().requires_grad_(False)
        self._layers = LayerStop(causal_tape.layers_of(model))
        self.tokenizer = tokenizer
        self.spec = spec
        self.notes = notes
        self.capabilities = Capabilities(
            chat=bool(getattr(tokenizer, "chat_template", None)),
            gim=gim_rules.knows(model),
            drafts=model.get_input_embeddings().weight.dtype == torch.float32 and spec.quantization == "none",
            why={} if gim_rules.knows(model) else {"gim": gim_rules.why_not(model)},
        )
        config = model.config.get_text_config()
        self.context_length = int(getattr(config, "max_position_embeddings", 0) or 0)
        self._rows = int(model.get_input_embeddings().weight.shape[0])
        self.parameters = int(model.num_parameters())
        self.bytes = int(model.get_memory_footprint())
        self._bytes_of = TokenBytes(tokenizer)
        self._vocabulary: tuple[str, ...] | None = None
        ends = model.generation_config.eos_token_id if model.generation_config else None
        ends = ends if isinstance(ends, list) else [ends]
        self.end_ids = frozenset(int(i) for i in [*ends, tokenizer.eos_token_id] if i is not None)

    def until(self, stop: threading.Event) -> AbstractContextManager[None]:
        """See `StoppableModel`."""
        return self._layers.watching(stop)

    @property
    def device(self) -> torch.device:
        return self.model.get_input_embeddings().weight.device

    def token_name(self, token_id: int) -> str:
        """The vocabulary's own name of a token, for those that show no text (`<bos>`)."""
        return str(self.tokenizer.convert_ids_to_tokens(token_id))

    # Text to tokens

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """See `LanguageModel`. Raises: AppError for an empty prompt or one beyond the model's length."""
        return self._tokens_of(prompt, response, as_text=False)

    def tokenize_as_text(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """See `core.models.control_text`. Raises: as `tokenize`, and where the tokenizer cannot."""
        tokens = self._tokens_of(prompt, response, as_text=True)
        width = tokens.char_spans[:, 1] > tokens.char_spans[:, 0]
        still = tokens.special & width & (tokens.role != Role.TEMPLATE)
        if still.any():
            raise AppError(
                f"The tokenizer of {self.spec.name} reads {self.token_name(int(tokens.ids[still][0]))} as a control "
                "token wherever it stands.",
                hint="Break it up with a blank.",
            )
        return tokens

    def _tokens_of(self, prompt: str | Sequence[Message], response: str | None, *, as_text: bool) -> Tokens:
        begins, written = None, None
        if isinstance(prompt, str):
            text = prompt
        else:
            text, written, begins = chat.render(self.tokenizer, prompt)
        if not any(part.strip() for part in ([text] if written is None else [text[a:b] for a, b in written])):
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        if as_text and written is not None and begins is not None:
            ids, spans, special = self._encode_turns(text, written)
        else:
            ids, spans, special = self._encode(text, begin=begins is None, as_text=as_text)
        if begins:
            ids.insert(0, self.tokenizer.bos_token_id)
            spans.insert(0, (0, 0))
            special.insert(0, True)
        self._check_known(ids)
        role = [Role.PROMPT] * len(ids)
        if written is not None:
            role = [
                Role.PROMPT if any(a < high and low < b for low, high in written) else Role.TEMPLATE
                for a, b in spans
            ]
        prompt_len = len(ids)
        if response:
            more, more_spans, more_special = self._typed(response, as_text=as_text)
            self._check_known(more)
            ids += more
            spans += [(a + len(text), b + len(text)) for a, b in more_spans]
            special += more_special
            role += [Role.RESPONSE] * len(more)
            text += response
        if self.context_length and len(ids) > self.context_length:
            raise AppError(
                f"The {'prompt and its answer are' if response else 'prompt is'} {len(ids):,} tokens long, "
                f"but {self.spec.name} reads at most {self.context_length:,}.",
                hint="Shorten the prompt, or choose a model with a longer context.",
                code="too_long",
            )
        return Tokens(
            np.array(ids), text, np.array(spans, np.int64).reshape(-1, 2), np.array(special, bool),
            np.array(role, np.int8), prompt_len,
        )  # fmt: skip

    def _encode_turns(
        self, text: str, written: Sequence[tuple[int, int]]
    ) -> tuple[list[int], list[tuple[int, int]], list[bool]]:
        """As `_encode`, with what people wrote (`written`) as text: between the template's own control tokens, where a
        tokenizer parts a text anyway, each piece is read by itself.
        """
        ids, spans, special = self._encode(text, begin=False)
        ends = [
            (token, span)
            for token, span, control in zip(ids, spans, special)
            if control and span[1] > span[0] and not any(span[0] < b and a < span[1] for a, b in written)
        ]
        made: list[tuple[int, tuple[int, int], bool]] = []
        at = 0
        for token, (start, stop) in [*ends, (None, (len(text), len(text)))]:
            piece = text[at:start]
            if piece:
                read = (
                    self._typed(piece, as_text=True) if at else self._encode(piece, begin=False, as_text=True)
                )
                made += [(i, (a + at, b + at), control) for i, (a, b), control in zip(*read)]
            if token is not None:
                made.append((token, (start, stop), True))
            at = stop
        return [one[0] for one in made], [one[1] for one in made], [one[2] for one in made]

    def _typed(
        self, response: str, *, as_text: bool = False
    ) -> tuple[list[int], list[tuple[int, int]], list[bool]]:
        """Ids, spans and special flags of a typed answer as they would be within a text.

        Tokenizers of Llama 2's kind put a space before every text; before an answer nobody typed one. Behind a
        line break there is none, so that is where it is read.
        """
        ids, spans, special = self._encode(response, begin=False, as_text=as_text)
        if not ids or not self.token_name(ids[0]).startswith("\u2581"):
            return ids, spans, special
        for guard in ("\n", "\n\n", "."):
            alone, _, _ = self._encode(guard, begin=False, as_text=as_text)
            whole, whole_spans, whole_special = self._encode(guard + response, begin=False, as_text=as_text)
            size = len(alone)
            if whole[:size] == alone and len(whole) > size and whole_spans[size][0] == len(guard):
                moved = [(a - len(guard), b - len(guard)) for a, b in whole_spans[size:]]
                return whole[size:], moved, whole_special[size:]
        return ids, spans, special

    def _encode(
        self, text: str, *, begin: bool, as_text: bool = False
    ) -> tuple[list[int], list[tuple[int, int]], list[bool]]:
        """Ids, spans and special flags of `text`; the tokenizer's own beginning-of-text id when `begin`; no other
        control token `as_text`.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise AppError(
                f"The text holds half a character (U+{ord(text[error.start]):04X}, a lone surrogate) at its place "
                f"{error.start + 1:,}, which no model reads.",
                hint="It comes from a program that cut an emoji in two: type that character again.",
            ) from error
        encoded = self.tokenizer(
            text, add_special_tokens=begin, return_offsets_mapping=True, return_special_tokens_mask=True,
            return_attention_mask=False, verbose=False, split_special_tokens=as_text,
        )  # fmt: skip
        ids, spans = list(encoded["input_ids"]), [tuple(span) for span in encoded["offset_mapping"]]
        added = [bool(flag) and a == b for flag, (a, b) in zip(encoded["special_tokens_mask"], spans)]
        while added and added[-1]:  # an end-of-text id would end the prompt before the answer
            ids.pop(), spans.pop(), added.pop()
        if added[:1] == [True] and ids[:1] == ids[1:2]:  # who pastes a rendered template typed one already
            ids.pop(0), spans.pop(0), added.pop(0)
        special = [flag or self._bytes_of.is_special(i) for flag, i in zip(added, ids)]
        return ids, cover(spans, special, len(text)), special

    def _check_known(self, ids: Sequence[int]) -> None:
        """Raises: AppError for a token that the weights have no row for."""
        unknown = next((i for i in ids if i >= self._rows), None)
        if unknown is not None:
            raise AppError(
                f"{self.spec.name} has no weights for the token {self.token_name(unknown)}, which stands in this text.",
                hint="Take it out, or break it up with a blank.",
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
        draft: Sequence[int] = (),
    ) -> Generation:
        raw = bytearray()
        shown = ""

        def accept(_row: int, drawn: Drawn) -> StopReason | None:
            nonlocal shown
            raw.extend(self._bytes_of(drawn.ids[-1]))
            ready = complete_length(bytes(raw))
            text = raw[:ready].decode("utf-8", errors="replace")
            told = sure(text, params.stop)
            if on_text is not None and len(told) > len(shown):
                shown = told
                on_text(told)
            return None if first(text, params.stop) is None else "stop"

        with self._layers.watching(None):  # Stop keeps the text so far
            (made,) = self._generate([tokens], params, accept, stop, [example_id], draft)
        if on_text is not None and made.text != shown:
            on_text(made.text)  # its end began like a stop text, and was none
        return made

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        raws = [bytearray() for _ in batch]

        def accept(row: int, drawn: Drawn) -> StopReason | None:
            raws[row].extend(self._bytes_of(drawn.ids[-1]))
            text = raws[row].decode("utf-8", errors="replace")
            return None if first(text, params.stop) is None else "stop"

        with self._layers.watching(None):
            return self._generate(batch, params, accept if params.stop else None, stop, [""] * len(batch))

    def _generate(
        self,
        batch: Sequence[Tokens],
        params: GenerationParams,
        accept: Callable[[int, Drawn], StopReason | None] | None,
        stop: threading.Event | None,
        example_ids: Sequence[str],
        draft: Sequence[int] = (),
    ) -> list[Generation]:
        started = time.perf_counter()
        for tokens in batch:
            if self.context_length and tokens.prompt_len >= self.context_length:
                raise AppError(
                    f"The prompt is {tokens.prompt_len:,} tokens long and leaves no room for an answer: "
                    f"{self.spec.name} reads at most {self.context_length:,} tokens in all.",
                    hint="Shorten the prompt, or choose a model with a longer context.",
                    code="too_long",
                )
        drawn = draw(
            self.model, [tokens.ids[: tokens.prompt_len].tolist() for tokens in batch], params,
            end_ids=self.end_ids, pad_id=self.tokenizer.pad_token_id or 0, limit=self.context_length,
            accept=accept, stop=stop, draft=draft,
        )  # fmt: skip
        seconds = (time.perf_counter() - started) / len(batch)
        return [
            self._generation(tokens, params, row, seconds, example_id)
            for tokens, row, example_id in zip(batch, drawn, example_ids)
        ]

    def _generation(
        self, prompt: Tokens, params: GenerationParams, drawn: Drawn, seconds: float, example_id: str
    ) -> Generation:
        """The record of one answer: its ids as drawn, its text cut where a stop text begins.

        Tokens from there on are dropped; one that the stop text begins inside stays whole.
        """
        response, spans = decode_with_spans([self._bytes_of(i) for i in drawn.ids])
        text, kept = response, len(drawn.ids)
        if drawn.reason == "stop":
            cut = first(response, params.stop) or 0
            kept = next((index for index, (start, _) in enumerate(spans) if start >= cut), kept)
            text, response = response[:cut], response[: max((b for _, b in spans[:kept]), default=0)]
        p, base = prompt.prompt_len, prompt.text[: prompt.prompt_chars]
        ids = drawn.ids[:kept]
        tokens = Tokens(
            ids=np.concatenate([prompt.ids[:p], np.array(ids, np.int64)]),
            text=base + response,
            char_spans=np.concatenate(
                [prompt.char_spans[:p], np.array(spans[:kept], np.int64).reshape(-1, 2) + len(base)]
            ),
            special=np.concatenate([prompt.special[:p], [self._bytes_of.is_special(i) for i in ids]]).astype(
                bool
            ),
            role=np.concatenate([prompt.role[:p], [Role.RESPONSE] * kept]).astype(np.int8),
            prompt_len=p,
        )
        return Generation(
            example_id, self.spec, params, tokens, text, np.array(drawn.logprob_nats[:kept], np.float32),
            drawn.reason or "length", seconds,
        )  # fmt: skip

    # Tokens to numbers

    @torch.inference_mode()
    def logprobs(self, tokens: Tokens) -> NDArray[np.float32]:
        rows = torch.arange(tokens.prompt_len, len(tokens), device=self.device)
        if not len(rows):
            return np.zeros(0, np.float32)
        ids = torch.tensor(tokens.ids, device=self.device)
        logits = self.model(input_ids=ids[None, :-1], use_cache=False, logits_to_keep=rows - 1).logits[0]
        wide = logits.float()
        nats = wide.gather(1, ids[rows][:, None].to(logits.device))[:, 0] - wide.logsumexp(-1)
        return finite(nats.cpu().numpy())

    def beside(self, tokens: Tokens, *, moving: bool = False) -> Callable[[Tokens], ResponseReading]:
        """See `SharingModel`."""
        shared = SharedBeginning(self.model, tokens.ids, moving=moving)
        return lambda other: shared.read(other.ids, other.prompt_len)

    @torch.no_grad()
    def mean_embedding(self) -> torch.Tensor:
        """See `GradientModel`."""
        module = self.model.get_input_embeddings()
        ids = torch.arange(module.weight.shape[0], device=self.device)
        total = sum(module(part[None])[0].float().sum(0) for part in ids.split(16_384))
        return total / len(ids)

    def tape(
        self,
        ids: NDArray[np.int64],
        positions: NDArray[np.int64],
        *,
        embed: Callable[[Any], Any] | None = None,
        checkpoint: bool = False,
        backward: Backward = PLAIN,
    ) -> AbstractContextManager[Tape]:
        return causal_tape.tape(
            self.model, ids, positions, embed=embed, checkpoint=checkpoint, backward=backward
        )

    # The vocabulary

    def vocabulary(self) -> tuple[str, ...]:
        """What each id shows, (V,): empty for special tokens and parts of a character."""
        if self._vocabulary is None:
            pieces = [
                b"" if self._bytes_of.is_special(i) else self._bytes_of(i) for i in range(len(self.tokenizer))
            ]
            self._vocabulary = tuple(
                piece.decode("utf-8", errors="ignore") if complete_length(piece) == len(piece) else ""
                for piece in pieces
            )
        return self._vocabulary

    @torch.inference_mode()
    def embed(self, ids: NDArray[np.int64]) -> torch.Tensor:
        """Outputs of the embedding module for each of `ids` alone, (len(ids), D)."""
        return self.model.get_input_embeddings()(torch.as_tensor(ids, device=self.device))

    def close(self) -> None:
        self.model = self.tokenizer = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
