"""Content addresses: the same prompt, model and parameters have one key, in the database and in the bundle.

The model's display name is left out, as in `SalienceRequest.key`. Knows no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.records import GenerationParams, Message, ModelSpec, SendAs, digest

Prompt = str | Sequence[Message]


def _plain(prompt: Prompt) -> Any:
    return prompt if isinstance(prompt, str) else [[m.role, m.content] for m in prompt]


def prompt_key(prompt: Prompt) -> str:
    """Digest of the prompt (text, or the turns of a chat): 64 hex digits."""
    return digest("prompt", _plain(prompt))


def model_key(spec: ModelSpec) -> str:
    """Digest of everything of the model that can change a number: 64 hex digits."""
    parts = (spec.path, spec.backend, spec.revision, spec.dtype, spec.quantization, spec.device)
    return digest("model", parts)


def question_key(kind: str, spec: ModelSpec, *parts: Any) -> str:
    """Digest of a question of one kind to exactly this model; `parts` (JSON values) tell it from others."""
    return digest("question", kind, model_key(spec), parts)


def sent_key(earlier: Sequence[Message]) -> str:
    """What tells one way of sending a prompt as a chat from another: `chat`, and the turns before it."""
    return f"chat {prompt_key(earlier)[:16]}" if earlier else "chat"


def listed_as(prompt: Prompt) -> tuple[str, str]:
    """(`prompt_key` of the example that the prompt stands beside, how it was sent: `plain` or `sent_key`)."""
    if isinstance(prompt, str):
        return prompt_key(prompt), "plain"
    if not prompt or prompt[-1].role != "user":
        return prompt_key(prompt), "chat"
    return prompt_key(prompt[-1].content), sent_key(prompt[:-1])


def answerer_key(model: str, send_as: SendAs) -> str:
    """Who answers: a `model_key` and how prompts are sent to it; for plain text the model's own key."""
    return model if send_as == "plain" else digest("answerer", model, send_as)


def generation_key(
    prompt: Prompt, spec: ModelSpec, params: GenerationParams, response: str | None = None
) -> str:
    """Key of what the model writes for `prompt`, or, with `response`, of that typed answer's score.

    A greedy answer does not depend on the seed and top-p, and a score on no parameter at all, so these do
    not count there.
    """
    drawn: tuple[Any, ...] = ()
    if response is None:
        greedy = params.temperature == 0
        chance = () if greedy else (params.temperature, params.top_p, params.seed)
        drawn = (params.max_new_tokens, params.stop, chance)
    read = ("control tokens as text",) if params.as_text else ()
    return digest("generation", _plain(prompt), model_key(spec), drawn, response, *read)
