"""The frozen records that pass between floors, checked when they are made.

Axes: `T` all tokens, `P` prompt, `R` response (`T = P + R`), `N` explained rows, `S` segments. Rows are what
is explained, columns are what explains. Spans are half-open. Arrays are read-only. This module knows no
model, no page and no file format; `to_json`-like forms live with those who store them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import AppError

_WORDS = re.compile(r"[a-z]{2,}[0-9]*(?:[-_][a-z0-9]+)*(?:-v[0-9]+)?")
"""An id that somebody wrote; those that are made are hex digits or random letters of both cases."""
_CALLED_CHARS = 60

Option = str | int | float | bool | None
Quantization = Literal["none", "int8", "nf4"]
StopReason = Literal["eos", "length", "stop", "stopped", "filtered"]
Reduce = Literal["sum", "mean", "max"]
SendAs = Literal["plain", "chat"]

QUANTIZATIONS: tuple[Quantization, ...] = ("none", "int8", "nf4")
STOP_REASONS: tuple[StopReason, ...] = ("eos", "length", "stop", "stopped", "filtered")
REDUCTIONS: tuple[Reduce, ...] = ("sum", "mean", "max")


class Role(IntEnum):
    """What a token is there for."""

    PROMPT = 0
    RESPONSE = 1
    TEMPLATE = 2
    """Put in by a chat template: shown grey, left out of shares and of the colour scale."""


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AppError(message)


def _frozen(array: Any, dtype: Any, name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """`array` as a read-only contiguous array of `dtype`, its shape checked (None: any length)."""
    out = np.ascontiguousarray(array, dtype=dtype)
    fits = out.ndim == len(shape) and all(want is None or want == got for want, got in zip(shape, out.shape))
    _expect(fits, f"{name} should have the shape {shape}, but it has {out.shape}.")
    if out is array or out.base is not None:
        out = out.copy()
    out.flags.writeable = False
    return out


def digest(*parts: Any) -> str:
    """Content address of JSON-serialisable parts: 64 hex digits, SHA-256. Half a character has one, too."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str

    def __post_init__(self) -> None:
        roles = ("system", "user", "assistant")
        _expect(self.role in roles, f"A turn's role should be one of {roles}, but it is {self.role!r}.")


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a dataset: a prompt, the answer hoped for (or None), and where both came from.

    Three names in `fields` mean something: `earlier_turns` (a chat before the prompt), `targets` (several right
    answers) and `called` (the row's own name in its file).
    """

    id: str
    prompt: str
    target: str | None = None
    source: str = ""
    parent_id: str | None = None
    edit: str = ""
    """What changed against the parent, in words."""
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further columns of the file it came from, kept as they were."""

    def __post_init__(self) -> None:
        _expect(bool(self.id), "An example needs an id; it is empty.")
        _expect(isinstance(self.prompt, str), f"A prompt should be text; it is {type(self.prompt).__name__}.")

    @property
    def earlier_turns(self) -> tuple[Message, ...]:
        """What was said before the prompt, where the field `earlier_turns` keeps a chat (else nothing)."""
        kept = self.fields.get("earlier_turns")
        if not isinstance(kept, list):
            return ()
        try:
            turns = tuple(Message(turn["role"], turn["content"]) for turn in kept)
        except (AppError, KeyError, TypeError):
            return ()
        return turns if all(isinstance(turn.content, str) for turn in turns) else ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Every answer that counts as right: `target`, then the others that the field `targets` keeps beside it.

        The field holds while its first is `target`; another target, typed over it, stands alone.
        """
        kept = self.fields.get("targets")
        if isinstance(kept, list) and kept[:1] == [self.target] and all(isinstance(one, str) for one in kept):
            return tuple(kept)
        return () if self.target is None else (self.target,)

    @property
    def called(self) -> str:
        """What a person knows the row by: its name in the file, an id that is made of words, or first words."""
        name = self.fields.get("called")
        if isinstance(name, str) and name.strip():
            return name.strip()
        if _WORDS.fullmatch(self.id):
            return self.id
        words = " ".join(self.prompt[:400].split())
        return words if len(words) <= _CALLED_CHARS else f"{words[:_CALLED_CHARS].rstrip()}…"

    def sent(self, send_as: SendAs) -> str | tuple[Message, ...]:
        """What a model is asked: the prompt as it is, or as the last turn of the example's chat."""
        if send_as == "plain":
            return self.prompt
        return (*self.earlier_turns, Message("user", self.prompt))


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model, exactly: everything that can change a number."""

    name: str
    path: str
    backend: str = "hugging_face"
    revision: str = ""
    dtype: str = "float32"
    quantization: Quantization = "none"
    device: str = "cpu"

    def __post_init__(self) -> None:
        _expect(bool(self.path), "A model needs a folder or a name; it is empty.")
        _expect(
            self.quantization in QUANTIZATIONS,
            f"The quantisation should be one of {', '.join(QUANTIZATIONS)}, but it is {self.quantization!r}.",
        )

    @property
    def precision(self) -> str:
        """How the page names it: the quantisation where there is one, else the dtype."""
        return self.dtype if self.quantization == "none" else self.quantization


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """How the response is drawn; `temperature` 0 is greedy."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    as_text: bool = False
    """Control tokens that stand in what people wrote (`<eos>`) are sent as text, not read as such."""

    def __post_init__(self) -> None:
        _expect(
            1 <= self.max_new_tokens <= 32_768,
            f"The longest answer should be 1 to 32,768 tokens, but it is {self.max_new_tokens:,}.",
        )
        _expect(
            0 <= self.temperature <= 5, f"The temperature should be 0 to 5, but it is {self.temperature}."
        )
        _expect(0 < self.top_p <= 1, f"Top-p should be above 0 and at most 1, but it is {self.top_p}.")

    def plain(self) -> dict[str, Any]:
        """The fields as plain data; `as_text` only where it is set, so that older data keep their keys."""
        return {name: value for name, value in asdict(self).items() if name != "as_text" or value}


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A prompt and its response as the model saw them: ids made once, and where each stands in `text`.

    `char_spans[i]` is the half-open range of `text` that token `i` shows; several tokens may share a span
    (parts of one character), and a special token without text has an empty one.
    """

    ids: NDArray[np.int64]
    text: str
    char_spans: NDArray[np.int64]
    special: NDArray[np.bool_]
    role: NDArray[np.int8]
    prompt_len: int

    def __post_init__(self) -> None:
        size = len(self.ids)
        for name, dtype, shape in (
            ("ids", np.int64, (size,)),
            ("char_spans", np.int64, (size, 2)),
            ("special", np.bool_, (size,)),
            ("role", np.int8, (size,)),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), dtype, name, shape))
        _expect(
            0 <= self.prompt_len <= size, f"prompt_len should be 0 to {size}, but it is {self.prompt_len}."
        )
        spans = self.char_spans
        inside = not size or (spans.min() >= 0 and spans.max() <= len(self.text))
        _expect(bool(inside), f"char_spans should lie within the text's {len(self.text)} characters.")
        _expect(bool((spans[:, 0] <= spans[:, 1]).all()), "Each char_span should start before it ends.")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def prompt_chars(self) -> int:
        """Where the response starts in `text`."""
        return int(self.char_spans[: self.prompt_len, 1].max(initial=0))

    @property
    def strings(self) -> tuple[str, ...]:
        """What each token shows, (T,)."""
        return tuple(self.text[a:b] for a, b in self.char_spans)

    @property
    def response(self) -> str:
        return self.text[self.prompt_chars :]

    def after(self, prompt: Tokens) -> Tokens:
        """This response behind another prompt (a `Tokens` without response): its ids stay as they are."""
        n, move = self.prompt_len, prompt.prompt_chars - self.prompt_chars
        return Tokens(
            ids=np.concatenate([prompt.ids, self.ids[n:]]),
            text=prompt.text[: prompt.prompt_chars] + self.response,
            char_spans=np.concatenate([prompt.char_spans, self.char_spans[n:] + move]),
            special=np.concatenate([prompt.special, self.special[n:]]),
            role=np.concatenate([prompt.role, self.role[n:]]),
            prompt_len=len(prompt),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """What a model wrote for a prompt, and how likely it found each token (nats, (R,))."""

    example_id: str
    model: ModelSpec
    params: GenerationParams
    tokens: Tokens
    text: str
    logprob_nats: NDArray[np.float32]
    stop_reason: StopReason
    seconds: float

    def __post_init__(self) -> None:
        rows = len(self.tokens) - self.tokens.prompt_len
        object.__setattr__(
            self, "logprob_nats", _frozen(self.logprob_nats, np.float32, "logprob_nats", (rows,))
        )
        _expect(self.stop_reason in STOP_REASONS, f"stop_reason should be one of {STOP_REASONS}.")


@dataclass(frozen=True, slots=True)
class SalienceRequest:
    """What is to be explained and how: hashable, and the cache's key.

    `targets` are half-open token spans; each is one row and its loss is the sum over its tokens (one span a
    token unless the memory budget asked for coarser rows).
    """

    model: ModelSpec
    ids: tuple[int, ...]
    prompt_len: int
    method: str
    targets: tuple[tuple[int, int], ...]
    options: tuple[tuple[str, Option], ...] = ()

    def __post_init__(self) -> None:
        size = len(self.ids)
        _expect(
            0 <= self.prompt_len <= size, f"prompt_len should be 0 to {size}, but it is {self.prompt_len}."
        )
        for start, stop in self.targets:
            _expect(
                0 < start < stop <= size,
                f"A target should lie within tokens 1 to {size} (the first token is never explained), "
                f"but it is {start}:{stop}.",
            )

    @property
    def key(self) -> str:
        """Content address; the model's display name does not count."""
        m = self.model
        model = (m.path, m.backend, m.revision, m.dtype, m.quantization, m.device)
        return digest(model, self.ids, self.prompt_len, self.method, self.targets, sorted(self.options))


Combines = Literal["", "add", "gram", "alone"]
"""How the rows of several targets make the scores of all together: they add, or through the inner products of
their gradients, or not at all, so that each selection needs a pass of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class SalienceMatrix:
    """Scores of every token for every explained row, and what is needed to combine rows exactly.

    `values` (N, T) float32; `gram` (T, N, N) float32 inner products of the rows' gradients where the method
    is a norm (`core.aggregate.select`), else None.
    """

    request: SalienceRequest
    values: NDArray[np.float32]
    gram: NDArray[np.float32] | None
    signed: bool
    units: str
    note: str = ""
    """What was done to fit the memory, in a sentence for the page; usually empty."""
    combines: Combines = ""
    """How rows make the score of several; left empty: "gram" where there is one, else "add"."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "combines", self.combines or ("add" if self.gram is None else "gram"))
        _expect(
            (self.combines == "gram") == (self.gram is not None),
            f"Rows that combine by “{self.combines}” {'need' if self.gram is None else 'have no'} inner products.",
        )
        n, t = len(self.request.targets), len(self.request.ids)
        object.__setattr__(self, "values", _frozen(self.values, np.float32, "values", (n, t)))
        if self.gram is not None:
            object.__setattr__(self, "gram", _frozen(self.gram, np.float32, "gram", (t, n, n)))
        _expect(
            bool(np.isfinite(self.values).all()),
            "The scores hold values that are not numbers (NaN or infinite), so they cannot be shown. "
            "Try another precision: float32 is the safest.",
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text and the tokens in it; both spans half-open."""

    index: int
    text: str
    chars: tuple[int, int]
    tokens: tuple[int, int]
    role: Role = Role.PROMPT


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSalience:
    """Scores of prompt segments (columns) for response segments (rows), (rows, columns) float32."""

    row_segments: tuple[Segment, ...]
    column_segments: tuple[Segment, ...]
    values: NDArray[np.float32]
    reduce: Reduce

    def __post_init__(self) -> None:
        shape = (len(self.row_segments), len(self.column_segments))
        object.__setattr__(self, "values", _frozen(self.values, np.float32, "values", shape))
        _expect(
            self.reduce in REDUCTIONS, f"reduce should be one of {REDUCTIONS}, but it is {self.reduce!r}."
        )
