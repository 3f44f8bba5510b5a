"""How the prompts of many rows are sent to the model: as plain text, or each as the last turn of its chat.

The choice begins with, and follows, what the Salience page sends. A chat is offered where the model is known
to have a chat template; where not, the reason is said.
"""

from __future__ import annotations

import streamlit as st

from core.models import backend
from core.models.local.folder import has_chat_template, local
from core.models.model_kind import what_is_sent
from core.records import Generation, ModelSpec, SendAs
from core.ui.asking import prompt_box
from core.ui.asking.conversation import Prompt
from core.ui.asking.template_kind import kind_of_model
from core.ui.shell import problem, state
from core.ui.shell.services import service

LABEL = "Send prompts as"
LABELS: dict[SendAs, str] = {"plain": "plain text", "chat": "chat"}


def choose_sending(spec: ModelSpec) -> SendAs:
    """Draw the choice in the container that is open. Returns what it says."""
    salience: SendAs = "plain" if isinstance(prompt_box.sent(""), str) else "chat"
    if state.ROWS_SENT_AS_FOLLOWED.get() != salience:
        state.ROWS_SENT_AS_FOLLOWED.set(salience)
        state.ROWS_SENT_AS.set(salience)
    reason = why_no_chat(spec)
    if reason:
        # A box of its own, so that the choice is back with the next model that can chat.
        st.segmented_control(
            LABEL,
            list(LABELS)[:1],
            default="plain",
            format_func=LABELS.__getitem__,
            required=True,
            key=state.ROWS_SENT_AS_PLAIN.name,
            help=f"Not as a chat: {problem.plain(reason)}",
        )
        return "plain"
    way = st.segmented_control(
        LABEL,
        list(LABELS),
        format_func=LABELS.__getitem__,
        required=True,
        key=state.ROWS_SENT_AS.name,
        persist_state="session",
        help="A chat wraps each prompt in the model's own template, after the turns before it where the "
        "example has some. Answers to plain text and to chats are kept apart.",
    )
    return way or salience


def why_no_chat(spec: ModelSpec) -> str:
    """Why prompts cannot be sent to the model as a chat; "" where they can. Loads nothing."""
    info = service().info(spec)
    if info is not None:
        can = info["capabilities"]
        return "" if can.chat else can.why.get("chat") or f"{spec.name} has no chat template."
    place = None if backend(spec.backend).remote else local(spec.path)
    if place is None or not place.exists():
        return f"whether {spec.name} has a chat template is known once it is loaded (Models page)."
    return "" if has_chat_template(place) else f"{spec.name} has no chat template."


def what_was_sent(generation: Generation, sent: Prompt) -> str:
    """One line on what the model of an answer was sent and why; "" where its files are not here."""
    kind = kind_of_model(generation.model)
    if kind is None:
        return ""
    text = generation.tokens.text[: generation.tokens.prompt_chars]
    return what_is_sent(kind, chat=not isinstance(sent, str), sent=text)
