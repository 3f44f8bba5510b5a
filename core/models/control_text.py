"""Control tokens that a person typed (`<|im_end|>`, `<eos>`): read as such, or sent as the text that they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from core.errors import AppError
from core.models.language_model import LanguageModel
from core.records import Message, Tokens


@runtime_checkable
class PlainReader(Protocol):
    """A model whose tokenizer can read control tokens as text."""

    def tokenize_as_text(self, prompt: str | Sequence[Message], response: str | None = None) -> Tokens:
        """As `tokenize`; what looks like a control token in what people wrote becomes ids of text."""
        ...


def read_prompt(
    model: LanguageModel,
    prompt: str | Sequence[Message],
    response: str | None = None,
    *,
    as_text: bool = False,
) -> Tokens:
    """The tokens of `prompt`, with a typed `response` where there is one.

    `as_text`: control tokens that stand in what people wrote are text (`GenerationParams.as_text`); the chat template's
    own stay what they are. Raises: AppError where the model cannot be told so.
    """
    if not as_text:
        return model.tokenize(prompt, response)
    if not isinstance(model, PlainReader):
        raise AppError(
            f"{model.spec.name} reads control tokens by itself, and cannot be told to take them as text.",
            hint="Break them up with a blank, or run a model whose files are here.",
        )
    return model.tokenize_as_text(prompt, response)
