"""Versions of an example: an edited prompt is kept as a child of the one it came from, never over it.

Drafts (text in a box that is not kept yet) live in the session under the example's id: the same on every
page that edits it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.ui.asking.conversation import FIELD
from core.ui.shell import library

KINDS = ("prompt", "target", "turns", "send as")
"""What an example has drafts of: its two boxes, and on pages that send chats the turns and the way."""
_SETTLED = "settled drafts"


def prompt_box(example: Example, *, height: int, help_: str, kept: str = "") -> str:
    """The text box **Prompt** of `example`, with its draft. Returns what stands in it.

    `kept` stands there in place of the prompt: the template that it was made from.
    """
    return _box("Prompt", "prompt", example, kept or example.prompt, height, help_)


def target_box(example: Example, *, height: int, help_: str) -> str:
    """The text box for the target of `example`, with its draft. Returns what stands in it."""
    return _box("Target (optional)", "target", example, example.target or "", height, help_)


def _box(label: str, kind: str, example: Example, kept: str, height: int, help_: str) -> str:
    # Streamlit keeps a widget's value within one page; the draft is what all pages share. A box that was put
    # back is a new widget, so that the browser drops what was typed in the old one.
    drafts, name = _drafts(), f"{kind} {example.id}"
    key = f"{name} ({times(example)})" if times(example) else name

    def typed() -> None:
        drafts[name] = st.session_state[key]

    return (
        st.text_area(label, drafts.get(name, kept), key=key, height=height, help=help_, on_change=typed) or ""
    )


def _drafts() -> dict[str, str]:
    held: dict[str, str] = st.session_state.setdefault("drafts", {})
    return held


def draft(example: Example, kind: str) -> str | None:
    """What is written of `kind` and not kept yet; None where nothing is."""
    return _drafts().get(f"{kind} {example.id}")


def hold(example: Example, kind: str, text: str) -> None:
    """Make `text` the draft of `kind`: `prompt`, `target`, or a further kind of `KINDS`."""
    _drafts()[f"{kind} {example.id}"] = text


def prompt_draft(example: Example) -> str:
    """What stands in the box **Prompt**."""
    return _drafts().get(f"prompt {example.id}", example.prompt)


def put_prompt(example: Example, text: str) -> None:
    """Put `text` into the box **Prompt**, whatever stands there. For callbacks, or before `st.rerun`."""
    hold(example, "prompt", text)
    _resets()[example.id] = times(example) + 1


def times(example: Example) -> int:
    """How often the boxes of `example` were filled anew: part of their names, so that they start afresh."""
    return _resets().get(example.id, 0)


def settle() -> None:
    """Put back the boxes whose text was kept as a version; call it before any of them is drawn."""
    for example in st.session_state.pop(_SETTLED, ()):
        reset(example)


def reset(example: Example) -> None:
    """Throw the drafts of `example` away. For callbacks and before the boxes are drawn."""
    found = [_drafts().pop(f"{kind} {example.id}", None) for kind in KINDS]
    if any(text is not None for text in found):
        _resets()[example.id] = times(example) + 1


def _resets() -> dict[str, int]:
    held: dict[str, int] = st.session_state.setdefault("draft resets", {})
    return held


def keep(
    example: Example,
    prompt: str,
    *,
    target: str | None = None,
    edit: str = "edited",
    fields: Mapping[str, Any] | None = None,
) -> Example:
    """The example that holds `prompt` and `target` (None: as it was): this one, or a version of it.

    `fields` go beside those that the example has. Earlier turns of a chat among them make another version.
    Raises: AppError for an empty prompt, or one past the limits.
    """
    if not prompt.strip():
        raise AppError(
            "The prompt is empty.", hint="Write something for the model to answer, then press Run."
        )
    wanted = example.target if target is None else (target or None)
    turns = (fields or {}).get(FIELD, example.fields.get(FIELD))
    if prompt == example.prompt and wanted == example.target and turns == example.fields.get(FIELD):
        return example
    here = library.workspace()
    family = here.lineage(example.id)
    found = next(
        (m for m in family if m.prompt == prompt and m.target == wanted and m.fields.get(FIELD) == turns),
        None,
    )
    if found is None:
        found = here.add_example(
            here.dataset_of(example.id),
            Example(
                _next_id(family),
                prompt,
                wanted,
                example.source,
                parent_id=example.id,
                edit=edit,
                tags=example.tags,
                fields={**example.fields, **(fields or {})},
            ),
        )
    st.session_state[_SETTLED] = (*st.session_state.get(_SETTLED, ()), example)
    return found


def _next_id(family: tuple[Example, ...]) -> str:
    """`fewshot-mistake-v3` after `fewshot-mistake` and `fewshot-mistake-v2`."""
    root = family[0].id
    numbers = [int(tail) for e in family if (tail := e.id.removeprefix(f"{root}-v")).isdigit()]
    return f"{root}-v{max(numbers, default=1) + 1}"
