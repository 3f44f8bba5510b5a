"""Content addresses: the same prompt, model and parameters have one key, in the database and in the bundle.

The model's display name is left out, as in `SalienceRequest.key`. Knows no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.records import GenerationParams, Message, ModelSpec, digest

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
    return digest("generation", _plain(prompt), model_key(spec), drawn, response)
