"""`explain`: what the model writes, and which parts of the prompt made it write that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.answer_defaults import default_of_many
from core.errors import AppError
from core.library.explanation import Explanation
from core.library.opening import OpenedModel, Source, open_model
from core.models.control_text import read_prompt
from core.records import Generation, GenerationParams, Message, Option
from core.segments import declared

Turns = Sequence[Message | Mapping[str, str]]


def explain(
    prompt: str | None = None,
    *,
    messages: Turns | None = None,
    response: str | None = None,
    model: Source = "demo",
    by: str = "line",
    method: str = "",
    pattern: str | None = None,
    options: Mapping[str, Option] | None = None,
    precision: str = "auto",
    quantization: str = "auto",
    device: str = "",
    **params: Any,
) -> Explanation:
    """Writes the answer to `prompt` (or to the chat `messages`) and explains it; a given `response` is read instead.

    - `model`: see `open_model`
    - `by`: how finely both texts are cut: token, word, sentence, line, paragraph, block, … or custom, with `pattern`
    - `method`: a salience method by its name ("": GIM where the model's family is known, else gradient L2), with
      `options`
    - `params`: `max_new_tokens`, `temperature`, `top_p`, `seed`, `stop` (`GenerationParams`); length and
      stop texts that are not given are read from the kind of prompt (`core.answer_defaults`)

    Raises: AppError for an empty prompt, an unknown name, or a model that cannot do what is asked.
    """
    asked = _asked(prompt, messages)
    declared(by)
    opened = open_model(model, precision=precision, quantization=quantization, device=device)
    generation = _answer(opened, asked, response, _params(params, [asked]))
    return Explanation.of(
        opened, generation, by=by, method=method, pattern=pattern, options=options, asked=asked,
        typed=response is not None,
    )  # fmt: skip


async def aexplain(prompt: str | None = None, **given: Any) -> Explanation:
    """`explain` in a thread, for asynchronous code; the same parameters."""
    return await asyncio.to_thread(explain, prompt, **given)


def explain_many(
    prompts: Sequence[str | Turns],
    *,
    model: Source = "demo",
    by: str = "line",
    method: str = "",
    pattern: str | None = None,
    options: Mapping[str, Option] | None = None,
    batch_size: int = 16,
    **params: Any,
) -> list[Explanation]:
    """`explain` for several prompts (texts or chats): answers are written in batches of like length.

    Raises: as `explain`, before anything is written where a prompt is at fault.
    """
    if batch_size < 1:
        raise AppError(f"A batch should be 1 prompt or more, but batch_size is {batch_size}.")
    declared(by)
    asked = [_asked(one, None) if isinstance(one, str) else _asked(None, one) for one in prompts]
    opened, drawn = open_model(model), _params(params, asked)
    made: dict[int, Generation] = {}
    with opened.use() as held:
        tokens = [read_prompt(held, one, as_text=drawn.as_text) for one in asked]
        order = sorted(range(len(tokens)), key=lambda at: len(tokens[at]))
        for start in range(0, len(order), batch_size):
            some = order[start : start + batch_size]
            made |= zip(some, held.generate_batch([tokens[at] for at in some], drawn))
    return [
        Explanation.of(
            opened, made[at], by=by, method=method, pattern=pattern, options=options, asked=asked[at]
        )
        for at in range(len(asked))
    ]


def _asked(prompt: str | None, messages: Turns | None) -> str | tuple[Message, ...]:
    if (prompt is None) == (messages is None):
        raise AppError(
            "Give either a prompt or messages, and not both.",
            hint='explain("…") or explain(messages=[{"role": "user", "content": "…"}]).',
        )
    if prompt is not None:
        if not isinstance(prompt, str):
            raise AppError(
                f"A prompt should be text, but it is {type(prompt).__name__}.",
                hint="Chats go in as messages=[…].",
            )
        return prompt
    turns = []
    for turn in messages or ():
        if isinstance(turn, Message):
            turns.append(turn)
        elif isinstance(turn, Mapping) and {"role", "content"} <= turn.keys():
            turns.append(Message(turn["role"], turn["content"]))  # type: ignore[arg-type]
        else:
            raise AppError(f'A turn should be {{"role": …, "content": …}}, but there is {turn!r:.80}.')
    if not turns:
        raise AppError("The chat has no turns.", hint="Give at least one turn of the user.")
    return tuple(turns)


def _params(given: Mapping[str, Any], asked: Sequence[str | tuple[Message, ...]]) -> GenerationParams:
    known = GenerationParams.__dataclass_fields__
    strange = sorted(set(given) - set(known))
    if strange:
        raise AppError(
            f"explain knows no {', '.join(strange)}.", hint=f"How the answer is drawn: {', '.join(known)}."
        )
    said = dict(given)
    if "stop" in said:
        said["stop"] = (said["stop"],) if isinstance(said["stop"], str) else tuple(said["stop"])
    return replace(default_of_many(asked).params(), **said)


def _answer(
    opened: OpenedModel, asked: str | tuple[Message, ...], response: str | None, params: GenerationParams
) -> Generation:
    with opened.use() as held:
        tokens = read_prompt(held, asked, response, as_text=params.as_text)
        if response is None:
            return held.generate(tokens, params)
        if not response:
            raise AppError("The response is empty, so there is nothing to explain.")
        nats = (
            held.logprobs(tokens)
            if held.capabilities.logprobs
            else np.full(len(tokens) - tokens.prompt_len, np.nan, np.float32)
        )
        return Generation("", held.spec, params, tokens, response, nats, "eos", 0.0)
