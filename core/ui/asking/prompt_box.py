"""How a prompt is asked: as plain text or as a chat, with its variables filled in, and where it is written."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.datasets import templates
from core.records import Example, GenerationParams, Message, ModelSpec
from core.ui.asking import answering, conversation, parameters, turn_list, versions
from core.ui.asking.answering import Answer
from core.ui.asking.conversation import Prompt
from core.ui.shell import model_box, problem, rights, state
from core.ui.shell.state import Key

__all__ = ["advanced", "answer_to", "around", "drafted", "edit_prompt", "fields", "filled", "sent"]

PLAIN, CHAT = "plain", "chat"

HEIGHT, LEAST_HEIGHT = 540, 180


def _default() -> str:
    """How prompts without a chat of their own are sent: as chosen last, at first as the link says."""
    return state.SEND_AS.setdefault(CHAT if st.query_params.get("send") == CHAT else PLAIN)


def _way(example: Example) -> str:
    """How the draft of `example` is to be sent."""
    chosen = versions.draft_of(example, "send as")
    return chosen or (CHAT if conversation.turns_of(example) is not None else _default())


def sent(text: str, example: Example | None = None) -> Prompt:
    """What the model is asked: `text` as it is, or as the last turn of the chat that `example` keeps.

    Models without a chat template get plain text either way.
    """
    earlier = conversation.turns_of(example) if example is not None else None
    if earlier is None and _default() == PLAIN:
        return text
    return (*(earlier or ()), Message("user", text))


def answer_to(example: Example, spec: ModelSpec, params: GenerationParams) -> Answer | None:
    """The answer on the screen to `example` as it is sent; None where the model has not answered it yet."""
    return answering.answer_on_show(example, sent(example.prompt, example), spec, params)


def take_way_of_sending(example: Example, asked: Prompt) -> None:
    """Make the way of sending that of an answer that was opened; before the choice is drawn."""
    if conversation.turns_of(example) is not None:
        return
    way = PLAIN if isinstance(asked, str) else CHAT
    state.SEND_AS.set(way)
    if versions.draft_of(example, "send as") not in (None, way):
        versions.hold_draft(example, "send as", way)


def fields(example: Example) -> dict[str, Any]:
    """What is to be kept beside the prompt: the turns before it, as they stand in the boxes.

    A single turn needs nothing kept: the link says that it is sent as a chat.
    Raises: AppError for a turn in which nothing stands.
    """
    chat = conversation.turns_of(example) is not None
    if _way(example) == PLAIN:
        return {conversation.FIELD: None} if chat else {}
    turns = conversation.checked(turn_list.drafted_turns(example))
    return {conversation.FIELD: conversation.turns_as_field(turns)} if turns or chat else {}


def drafted(text: str, example: Example) -> Prompt:
    """What Run would send now."""
    if _way(example) == PLAIN:
        return text
    said = (t for t in turn_list.drafted_turns(example) if t.role != "system" or t.content.strip())
    return (*said, Message("user", text))


def around(example: Example, answer: Answer | None) -> None:
    """What is asked besides the text: the turns before it, where it is sent as a chat, and its variables."""
    if _way(example) == CHAT:
        generation = answer.generation if answer is not None else None
        if turn_list.draw_turns(example, generation.text if generation is not None else ""):
            text = versions.prompt_draft(example)
            same = answer is not None and generation is not None and _asked_last(answer.sent) == text
            turn_list.add_turn(example, text, generation.text if same and generation is not None else "")
            st.rerun()
    _variables(example)


def _variables(example: Example) -> None:
    """A field for each `{variable}` of the draft, or of the template that the example was made from."""
    draft = versions.prompt_draft(example)
    template = templates.template_of(example) if draft == example.prompt else ""
    names = templates.variables(template or draft)
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="variables"):
        for name in names:
            key = _variable(example, name)
            given: dict[str, Any] = {} if key.held else {"value": str(example.fields.get(name, ""))}
            st.text_input(
                problem.plain(name),
                key=key.name,
                persist_state="session",
                width=220,
                disabled=rights.read_only(),
                help="What stands in the prompt in place of this name when it is run.",
                **given,
            )
        if template:
            rights.button(
                "Edit the template",
                on_click=versions.put_prompt,
                args=(example, template),
                help="The text with its {names} in place of what was filled in.",
            )


def _variable(example: Example, name: str) -> Key[str]:
    return state.VARIABLE(name, example.id, versions.times_reset(example))


def filled(example: Example, text: str) -> tuple[str, dict[str, str]]:
    """`text` with its variables filled in, and what is kept beside it so that it can be filled in anew."""
    template = templates.template_of(example) if text == example.prompt else ""
    text = template or text
    names = templates.variables(text)
    given = {name: str(_variable(example, name).get(example.fields.get(name, "")) or "") for name in names}
    given = {name: value for name, value in given.items() if value}
    return (templates.render(text, given), {"template": text, **given}) if given else (text, {})


def edit_prompt(
    example: Example, *, busy: bool, asked: Prompt | None = None, reply: str = ""
) -> tuple[str, bool]:
    """Draw the editor. Returns the text in the box and whether Run was pressed.

    `asked` is what the answer on the screen was asked, and `reply` that answer, where there is one.
    """
    chat = _way(example) == CHAT
    asked = sent(example.prompt, example) if asked is None else asked
    add = turn_list.draw_turns(example, reply, busy=busy) if chat else False
    text = versions.draw_prompt_box(
        example,
        height=max(HEIGHT - turn_list.height(example), LEAST_HEIGHT) if chat else HEIGHT,
        help_="Change anything, then press Run (or Ctrl+Enter). Your change is kept as a version.",
    )
    if add:
        turn_list.add_turn(example, text, reply if _asked_last(asked) == text else "")
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = rights.button("Run", type="primary", shortcut="Ctrl+Enter", disabled=busy)
        with st.popover("Advanced"):
            advanced(example)
        if drafted(text, example) != asked:
            st.caption("Edited, not run yet")
    return text, pressed


def _asked_last(asked: Prompt) -> str:
    return asked if isinstance(asked, str) else asked[-1].content


def advanced(example: Example) -> None:
    """How the prompt is sent and the answer is drawn; in the container that is open."""
    key = state.SEND_AS_BOX(example.id, versions.times_reset(example))

    def chosen() -> None:
        way = key.there()
        versions.hold_draft(example, "send as", way)
        state.SEND_AS.set(way)
        if way == CHAT:
            st.query_params["send"] = CHAT
        else:
            st.query_params.pop("send", None)

    st.radio(
        "Send the prompt as",
        [PLAIN, CHAT],
        index=[PLAIN, CHAT].index(_way(example)),
        format_func={PLAIN: "plain text", CHAT: "a chat"}.__getitem__,
        key=key.name,
        on_change=chosen,
        horizontal=True,
        help="A chat is written in the model's own template, whose words are shown grey. Above the prompt "
        "you can add a system message and what was said before.",
    )
    parameters.draw_parameters(drafted(versions.prompt_draft(example), example), spec=model_box.chosen())
