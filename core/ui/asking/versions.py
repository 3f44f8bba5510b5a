"""Versions of an example: an edited prompt is kept as a child of the one it came from, never over it.

Drafts (text in a box that is not kept yet) live in the session under the example's id: the same on every
page that edits it.
"""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import AppError
from core.records import Example
from core.ui.asking.conversation import FIELD
from core.ui.shell import library, rights, state
from core.ui.shell.state import Keys

KINDS = ("prompt", "target", "turns", "send as")
"""What an example has drafts of: its two boxes, and on pages that send chats the turns and the way."""
LEAST_ALIKE = 0.34
"""A text of which less than this is the example's is another text, not a version."""


def draw_prompt_box(example: Example, *, height: int, help_: str, kept: str = "") -> str:
    """The text box **Prompt** of `example`, with its draft. Returns what stands in it.

    `kept` stands there in place of the prompt: the template that it was made from.
    """
    return _box("Prompt", "prompt", state.PROMPT_BOX, example, kept or example.prompt, height, help_)


def target_box(example: Example, *, height: int, help_: str) -> str:
    """The text box for the target of `example`, with its draft. Returns what stands in it."""
    return _box("Target (optional)", "target", state.TARGET_BOX, example, example.target or "", height, help_)


def _box(
    label: str, kind: str, boxes: Keys[str], example: Example, kept: str, height: int, help_: str
) -> str:
    # Streamlit keeps a widget's value within one page; the draft is what all pages share. A box that was put
    # back is a new widget, so that the browser drops what was typed in the old one.
    drafts, name = _drafts(), f"{kind} {example.id}"
    times = times_reset(example)
    key = boxes(f"{example.id} ({times})" if times else example.id)

    def typed() -> None:
        drafts[name] = key.there()

    return (
        st.text_area(
            label,
            drafts.get(name, kept),
            key=key.name,
            height=height,
            help=help_,
            on_change=typed,
            disabled=rights.read_only(),
        )
        or ""
    )


def _drafts() -> dict[str, str]:
    return state.DRAFTS.setdefault({})


def draft_of(example: Example, kind: str) -> str | None:
    """What is written of `kind` and not kept yet; None where nothing is."""
    return _drafts().get(f"{kind} {example.id}")


def hold_draft(example: Example, kind: str, text: str) -> None:
    """Make `text` the draft of `kind`: `prompt`, `target`, or a further kind of `KINDS`."""
    _drafts()[f"{kind} {example.id}"] = text


def hold_id(example_id: str, kind: str, text: str) -> None:
    """As `hold_draft`, for the example of this id."""
    _drafts()[f"{kind} {example_id}"] = text


def prompt_draft(example: Example) -> str:
    """What stands in the box **Prompt**."""
    return _drafts().get(f"prompt {example.id}", example.prompt)


def put_prompt(example: Example, text: str) -> None:
    """Put `text` into the box **Prompt**, whatever stands there. For callbacks, or before `st.rerun`."""
    hold_draft(example, "prompt", text)
    _resets()[example.id] = times_reset(example) + 1


def times_reset(example: Example) -> int:
    """How often the boxes of `example` were filled anew: part of their names, so that they start afresh."""
    return _resets().get(example.id, 0)


def settle_boxes() -> None:
    """Put back the boxes whose text was kept as a version; call it before any of them is drawn."""
    for example in state.SETTLED_DRAFTS.pop(()):
        reset(example)


def reset(example: Example) -> None:
    """Throw the drafts of `example` away. For callbacks and before the boxes are drawn."""
    found = [_drafts().pop(f"{kind} {example.id}", None) for kind in KINDS]
    if any(text is not None for text in found):
        _resets()[example.id] = times_reset(example) + 1


def _resets() -> dict[str, int]:
    return state.DRAFT_RESETS.setdefault({})


def planned(
    example: Example,
    prompt: str,
    *,
    target: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Example:
    """The example that `keep_version` would return, without keeping anything; a new one's id is not given away yet.

    Raises: AppError for an empty prompt.
    """
    return _plan(example, prompt, target, "", fields)[0]


def keep_version(
    example: Example,
    prompt: str,
    *,
    target: str | None = None,
    edit: str = "edited",
    fields: Mapping[str, Any] | None = None,
) -> Example:
    """The example that holds `prompt` and `target` (None: as it was): this one, or a version of it.

    `fields` go beside those that the example has. Earlier turns of a chat among them make another version. A
    text that has little in common with the example's (`LEAST_ALIKE`) is no version of it but an example of
    its own, without the target of the other text.
    Raises: AppError for an empty prompt, or one past the limits.
    """
    wanted, new = _plan(example, prompt, target, edit, fields)
    if new:
        here = library.workspace()
        wanted = here.examples.add_one(here.examples.dataset_of(example.id), wanted)
        if wanted.parent_id is None:
            state.KEPT_APART.set((wanted.id, example.id))
    if wanted.id != example.id:
        state.SETTLED_DRAFTS.set((*state.SETTLED_DRAFTS.get(()), example))
    return wanted


def apart(example: Example) -> str | None:
    """The id of the example that `example` was written over without having much in common with it, just now."""
    made, other = state.KEPT_APART.get(("", ""))
    return other if made == example.id else None


def attach(example: Example, other_id: str) -> Example:
    """Make `example`, which was taken for another text, a version of `other_id` after all."""
    here = library.workspace()
    other = here.examples.get(other_id)
    state.KEPT_APART.pop()
    return here.examples.add_one(
        here.examples.dataset_of(other.id),
        replace(example, id=_next_id(here.examples.lineage(other.id)), parent_id=other.id, edit="rewritten"),
    )


def _plan(
    example: Example, prompt: str, target: str | None, edit: str, fields: Mapping[str, Any] | None
) -> tuple[Example, bool]:
    """The example that holds `prompt`, and whether it is new."""
    if not prompt.strip():
        raise AppError(
            "The prompt is empty.", hint="Write something for the model to answer, then press Run."
        )
    turns = (fields or {}).get(FIELD, example.fields.get(FIELD))
    alike = likeness(example.prompt, prompt) >= LEAST_ALIKE or turns != example.fields.get(FIELD)
    inherited = example.target if alike else None
    wanted = inherited if target is None else (target or None)
    if prompt == example.prompt and wanted == example.target and turns == example.fields.get(FIELD):
        return example, False
    family = library.workspace().examples.lineage(example.id)
    found = next(
        (m for m in family if m.prompt == prompt and m.target == wanted and m.fields.get(FIELD) == turns),
        None,
    )
    if found is not None:
        return found, False
    if not alike:
        own = Example(f"prompt-{uuid.uuid4().hex[:6]}", prompt, wanted, "written", fields=dict(fields or {}))
        return own, True
    return (
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
        True,
    )


def likeness(old: str, new: str) -> float:
    """How much of two texts is the same, 0 to 1: by lines that both have or nearly have, else by words."""
    lines = difflib.SequenceMatcher(None, _said(old), _said(new), autojunk=False).ratio()
    words = difflib.SequenceMatcher(None, old.split(), new.split(), autojunk=False).ratio()
    return max(lines, words)


def _said(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _next_id(family: tuple[Example, ...]) -> str:
    """`fewshot-mistake-v3` after `fewshot-mistake` and `fewshot-mistake-v2`."""
    root = family[0].id
    numbers = [int(tail) for e in family if (tail := e.id.removeprefix(f"{root}-v")).isdigit()]
    return f"{root}-v{max(numbers, default=1) + 1}"
