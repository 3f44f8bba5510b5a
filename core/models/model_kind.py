"""Base, chat and thinking models told apart by their chat template, and what each is sent, in one line.

A base model has no template: it continues the prompt as it stands. A chat model has one, in which its prompts stood
while it was trained. A thinking model's template knows thinking (`<think>` and its relatives, or a switch for it).
Knows templates, no model.
"""

from __future__ import annotations

import re
from typing import Literal

from core.thinking import THINKING_OPENED, THINKING_TAG

ModelKind = Literal["base", "chat", "thinking"]

_SWITCH = re.compile(r"enable_thinking|reasoning_content|reasoning_effort|<\|channel\|>|thinking_budget")
"""Names that templates of thinking models use: Qwen's and SmolLM3's switch, gpt-oss's channels, Seed's budget."""

OF_KIND: dict[ModelKind, str] = {
    "base": "Base model: no chat template, so a prompt is sent as it stands and continued.",
    "chat": "Chat model: a prompt is sent as it stands, or as a chat in the model's own template.",
    "thinking": "Thinking model: as a chat, in its own template, it may think before it answers; as plain text a "
    "prompt is sent as it stands.",
}
"""What the Models page says."""


def kind_of(template: str) -> ModelKind:
    """The kind of model whose chat template this is ("" where it has none)."""
    if not template.strip():
        return "base"
    return "thinking" if THINKING_TAG.search(template) or _SWITCH.search(template) else "chat"


def what_is_sent(kind: ModelKind, *, chat: bool, sent: str = "") -> str:
    """One line on what the model reads, and why. `sent` is the text that it read, where that is known: a template may
    have opened the thinking already.
    """
    if kind == "base":
        how = "the turns, joined by blank lines" if chat else "the prompt as it stands, to be continued"
        return f"Base model, without a chat template: it was sent {how}."
    name = "Thinking model" if kind == "thinking" else "Chat model"
    if not chat:
        aside = ", so it may not think first" if kind == "thinking" else ""
        return f"{name}, sent plain text: the prompt as it stands, without the model's template{aside}."
    if kind == "chat":
        return f"{name}, sent a chat: the prompt in the model's own template, shown grey."
    opened = THINKING_OPENED.search(sent) is not None
    think = (
        "the template opened its thinking" if opened else "it may think first, between <think> and </think>"
    )
    return f"{name}, sent a chat in its own template (grey): {think}; metrics read what comes after."
