"""Any causal language model of transformers, from a local folder or the hub.

Loads safetensors only and never code from a model's repository. Parameters are frozen: nothing here ever
computes their gradients. The attention implementation is the model's own default. What a gradient is used
for is `core.salience`'s business; the decoding loop is `core.generation`'s.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.checkpoint import checkpoint as checkpointed
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.modeling_layers import GradientCheckpointingLayer

from core.errors import AppError
from core.generation import Drawn, draw
from core.models import chat, estimate, folder
from core.models.base import Capabilities, Progress, Tape
from core.models.char_spans import TokenBytes, complete_length, cover, decode_with_spans
from core.models.loading import Steps
from core.records import Generation, GenerationParams, Message, ModelSpec, Role, StopReason, Tokens
from core.settings import settings

SINGLE_THREAD_PARAMETERS = 20_000_000
THREADS = torch.get_num_threads()
"""torch's own choice."""
DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}


def load(
    spec: ModelSpec, *, progress: Progress | None = None, stop: threading.Event | None = None
) -> HuggingFaceModel:
    """Loads `spec`; an empty `revision` becomes the folder's content address or the hub's commit.

    Raises: AppError when it is no model folder, holds only pickled weights, cannot be had from the hub, asks
    for an unknown precision or does not fit the memory; Stopped when `stop` is set meanwhile.
    """
    if spec.dtype not in DTYPES:
        raise AppError(
            f"There is no precision called {spec.dtype!r}.", hint=f"Available: {', '.join(DTYPES)}."
        )
    steps = Steps(progress, stop)
    path, revision = folder.find(spec, steps)
    estimate.check(replace(spec, path=str(path)))
    spec = replace(spec, revision=spec.revision or revision)
    common: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    extra: dict[str, Any] = {}
    if spec.quantization != "none":
        extra["quantization_config"] = quantization(spec)
    if spec.device == "auto" or spec.quantization != "none":
        extra["device_map"] = spec.device
    try:
        steps(0.0, "Reading the tokenizer")
        tokenizer = AutoTokenizer.from_pretrained(path, **common)
        with steps.watching(0.1, 1.0, "Reading the weights"):
            model: Any = AutoModelForCausalLM.from_pretrained(
                path, dtype=DTYPES[spec.dtype], use_safetensors=True, **extra, **common
            )
        if "device_map" not in extra and spec.device != "cpu":
            model.to(spec.device)
    except AppError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, MemoryError) as error:
        raise unloadable(spec, error) from error
    if spec.quantization != "none":
        settle(model)
    if spec.device == "cpu":
        use_threads(int(model.num_parameters()))
    steps(1.0, "Ready")
    return HuggingFaceModel(model, tokenizer, spec)


def use_threads(parameters: int) -> None:
    """Threads of a model on a processor: the operator's choice, else one for a small model.

    Sharing out the products of a small model costs more than it gives, and where other work wants the cores,
    threads that wait for each other stop it almost altogether.
    """
    chosen = 1 if parameters < SINGLE_THREAD_PARAMETERS else THREADS
    torch.set_num_threads(settings().threads or chosen)


def unloadable(spec: ModelSpec, error: BaseException) -> AppError:
    """The sentence for a model that the library could not load."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "out of memory" in str(error).lower():
        return AppError(
            f"There is not enough memory to load {spec.name} in {spec.precision}.",
            hint="Choose int8 or nf4, or a smaller model.",
            code="memory",
        )
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return AppError(
        f"{spec.name} could not be loaded as a causal language model: {reason[:300]}",
        hint="Expected a model that transformers knows, with its tokenizer, whole and unchanged.",
    )


def quantization(spec: ModelSpec) -> BitsAndBytesConfig:
    """bitsandbytes' settings: nf4 with double quantisation (Dettmers et al. 2023), or LLM.int8()."""
    # It says at every product that activations are rounded to half precision: that is the method.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    if spec.quantization == "nf4":
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=DTYPES[spec.dtype],
        )
    return BitsAndBytesConfig(load_in_8bit=True)


def settle(model: Any) -> None:
    """Keeps 4-bit weights in the one layout that gradients can pass.

    On a CPU with bf16 instructions bitsandbytes repacks them at the first pass without gradients, for a
    product that has no backward; every later salience would fail.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


@contextmanager
def recomputed(model: Any) -> Iterator[None]:
    """While it is open, layers keep only their inputs for the backward passes and run again in each of them.

    transformers' own switch works in training mode only; this one works with frozen weights in eval mode.
    """
    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    for layer in layers:
        layer.forward = partial(checkpointed, layer.forward, use_reentrant=False, preserve_rng_state=False)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


class HuggingFaceModel:
    """A loaded model and its tokenizer (`LanguageModel`, `GradientModel`)."""

    def __init__(self, model: Any, tokenizer: Any, spec: ModelSpec) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.spec = spec
        self.capabilities = Capabilities(chat=bool(getattr(tokenizer, "chat_template", None)))
        config = model.config.get_text_config()
        self.context_length = int(getattr(config, "max_position_embeddings", 0) or 0)
        self.parameters = int(model.num_parameters())
        self.bytes = int(model.get_memory_footprint())
        self._bytes_of = TokenBytes(tokenizer)
        self._vocabulary: tuple[str, ...] | None = None
        ends = model.generation_config.eos_token_id if model.generation_config else None
        ends = ends if isinstance(ends, list) else [ends]
        self.end_ids = frozenset(int(i) for i in [*ends, tokenizer.eos_token_id] if i is not None)

    @property
    def device(self) -> torch.device:
        return self.model.get_input_embeddings().weight.device

    def token_name(self, token_id: int) -> str:
        """The vocabulary's own name of a token, for those that show no text (`<bos>`)."""
        return str(self.tokenizer.convert_ids_to_tokens(token_id))

    # Text to tokens

    def tokenize(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """See `LanguageModel`. Raises: AppError for an empty prompt or one beyond the model's length."""
        begins, written = None, None
        if isinstance(prompt, str):
            text = prompt
        else:
            text, written, begins = chat.render(self.tokenizer, prompt)
        if not any(part.strip() for part in ([text] if written is None else [text[a:b] for a, b in written])):
            raise AppError("The prompt is empty.", hint="Write something for the model to continue.")
        ids, spans, special = self._encode(text, begin=begins is None)
        if begins:
            ids.insert(0, self.tokenizer.bos_token_id)
            spans.insert(0, (0, 0))
            special.insert(0, True)
        role = [Role.PROMPT] * len(ids)
        if written is not None:
            role = [
                Role.PROMPT if any(a < high and low < b for low, high in written) else Role.TEMPLATE
                for a, b in spans
            ]
        prompt_len = len(ids)
        if response:
            more, more_spans, more_special = self._encode(response, begin=False)
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

    def _encode(self, text: str, *, begin: bool) -> tuple[list[int], list[tuple[int, int]], list[bool]]:
        """Ids, spans and special flags of `text`; the tokenizer's own beginning-of-text id when `begin`."""
        encoded = self.tokenizer(
            text, add_special_tokens=begin, return_offsets_mapping=True, return_special_tokens_mask=True,
            return_attention_mask=False, verbose=False,
        )  # fmt: skip
        ids, spans = list(encoded["input_ids"]), [tuple(span) for span in encoded["offset_mapping"]]
        added = [bool(flag) and a == b for flag, (a, b) in zip(encoded["special_tokens_mask"], spans)]
        while added and added[-1]:  # an end-of-text id would end the prompt before the answer
            ids.pop(), spans.pop(), added.pop()
        if added[:1] == [True] and ids[:1] == ids[1:2]:  # who pastes a rendered template typed one already
            ids.pop(0), spans.pop(0), added.pop(0)
        special = [flag or self._bytes_of.is_special(i) for flag, i in zip(added, ids)]
        return ids, cover(spans, special, len(text)), special

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
        raw = bytearray()
        shown = 0

        def accept(_row: int, drawn: Drawn) -> StopReason | None:
            nonlocal shown
            raw.extend(self._bytes_of(drawn.ids[-1]))
            ready = complete_length(bytes(raw))
            text = raw[:ready].decode("utf-8", errors="replace")
            found = min((at for mark in params.stop if mark and (at := text.find(mark)) >= 0), default=None)
            if on_text is not None and ready > shown:
                shown = ready
                on_text(text if found is None else text[:found])
            return None if found is None else "stop"

        return self._generate([tokens], params, accept, stop, [example_id])[0]

    def generate_batch(
        self, batch: Sequence[Tokens], params: GenerationParams, *, stop: threading.Event | None = None
    ) -> list[Generation]:
        raws = [bytearray() for _ in batch]

        def accept(row: int, drawn: Drawn) -> StopReason | None:
            raws[row].extend(self._bytes_of(drawn.ids[-1]))
            text = raws[row].decode("utf-8", errors="replace")
            return "stop" if any(mark and mark in text for mark in params.stop) else None

        return self._generate(batch, params, accept if params.stop else None, stop, [""] * len(batch))

    def _generate(
        self,
        batch: Sequence[Tokens],
        params: GenerationParams,
        accept: Callable[[int, Drawn], StopReason | None] | None,
        stop: threading.Event | None,
        example_ids: Sequence[str],
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
            accept=accept, stop=stop,
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
            cut = min(at for mark in params.stop if mark and (at := response.find(mark)) >= 0)
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
        return nats.cpu().numpy()

    @torch.no_grad()
    def mean_embedding(self) -> torch.Tensor:
        """See `GradientModel`."""
        module = self.model.get_input_embeddings()
        ids = torch.arange(module.weight.shape[0], device=self.device)
        total = sum(module(part[None])[0].float().sum(0) for part in ids.split(16_384))
        return total / len(ids)

    @contextmanager
    def tape(
        self,
        ids: NDArray[np.int64],
        positions: NDArray[np.int64],
        *,
        embed: Callable[[Any], Any] | None = None,
        checkpoint: bool = False,
    ) -> Iterator[Tape]:
        """See `GradientModel`. The head runs once, forward and backward, for all positions.

        The module before the logits is fed a detached copy of its input, so whatever the model does after it
        (Gemma 2's soft cap, Granite's scaling) is part of `seeds`, and the trunk's graph ends at its input.
        """
        caught: dict[str, torch.Tensor] = {}

        def on_embedding(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
            leaf = (output if embed is None else embed(output)).detach().requires_grad_(True)
            caught["embeddings"] = leaf
            return leaf

        def on_head(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
            caught["outputs"] = args[0]
            caught["leaf"] = args[0].detach().requires_grad_(True)
            return (caught["leaf"], *args[1:])

        targets = torch.tensor(positions, device=self.device)
        all_ids = torch.tensor(ids, device=self.device)
        hooks = [
            self.model.get_input_embeddings().register_forward_hook(on_embedding),
            self.model.get_output_embeddings().register_forward_pre_hook(on_head),
        ]
        try:
            with torch.enable_grad(), recomputed(self.model) if checkpoint else nullcontext():
                logits = self.model(
                    input_ids=all_ids[None, : int(positions[-1])], use_cache=False, logits_to_keep=targets - 1
                ).logits[0]
                labels = all_ids[targets].to(logits.device)
                wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
                loss = -torch.log_softmax(wide, -1).gather(1, labels[:, None])[:, 0]
                (seeds,) = torch.autograd.grad(loss.sum(), caught["leaf"])
        finally:
            for hook in hooks:
                hook.remove()
        yield Tape(caught["embeddings"], caught["outputs"][0], seeds[0], -loss.detach().float().cpu().numpy())

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
