"""What the browser's half is given: its files, and one map as JSON-serialisable data.

Texts travel as text and are shown as text nodes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core import aggregate
from core.figures import palette
from core.figures.captions import REDUCED
from core.records import Role, Segment
from core.thinking import split
from core.token_view.names import part_names
from core.token_view.scores import Scores
from core.token_view.texts import FOLDED, thinking, utf16, words

Panel = Literal["question", "response", "strongest", "prompt", "editor", "causes"]
PANELS: tuple[Panel, ...] = ("response", "strongest", "prompt")

_HERE = Path(__file__).parent
_SCRIPTS = (
    "scores.js",
    "panels.js",
    "changed.js",
    "response.js",
    "lines.js",
    "editor.js",
    "question.js",
    "causes.js",
    "tour.js",
    "main.js",
)


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def html() -> str:
    """The view's elements, empty."""
    return _read("view.html")


def style() -> str:
    return _read("style.css", "why.css")


def script() -> str:
    """The browser's half: `salienceText({data, parentElement, setStateValue, setTriggerValue})` draws one view."""
    return _read(*_SCRIPTS)


def _digest(*parts: Any) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def prompt_id(segments: Sequence[Segment]) -> str:
    """What the browser calls the text that these parts make: an order names it."""
    return _digest([(s.text, s.role) for s in segments])


def view_data(
    *,
    link: str,
    turn: str,
    forced: Sequence[int],
    response_segments: Sequence[Segment],
    prompt_segments: Sequence[Segment] | None,
    scores: Scores | None,
    show: Sequence[Panel],
    signed: bool,
    sign_holds: bool,
    unit: str,
    units: str,
    style: str = "highlight",
    strength: float = 0.5,
    of: str = "",
    actions: Sequence[tuple[str, str]] = (),
    bars: int = 8,
    height: int | None = None,
    stream: str | None = None,
    writing: bool = False,
    note: str = "",
    changed: Sequence[tuple[int, int, str]] = (),
    empty: str = "",
    tail: int | None = None,
    unmeasured: Sequence[int] = (),
) -> dict[str, Any]:
    """One view's data; the parameters are those of `core.ui.salience_text.salience_text`.

    `turn` names the selection `forced` (response segments); the browser takes it when the name changes.
    `prompt_segments` None: the prompt and the map that the browser has stay.
    """
    both = {theme: {"ramp": palette.ramp(theme, signed), "underline": palette.UNDERLINE[theme],
                    "muted": palette.MUTED[theme]} for theme in palette.THEMES}  # fmt: skip
    text = "".join(s.text for s in response_segments)
    data: dict[str, Any] = {
        "link": link,
        "turn": turn,
        "selected": list(forced),
        "options": {
            "show": list(show),
            "of": of,
            "signed": signed,
            "direction": signed and sign_holds,
            "style": style,
            "strength": strength,
            "units": units,
            "reduced": REDUCED[scores.reduce] if scores and unit != "token" else "",
            "actions": [list(action) for action in actions],
            "bars": bars,
            "height": height,
            "palette": both,
            "words": {
                "light": words(False, signed, sign_holds),
                "dark": words(True, signed, sign_holds),
            },
        },
        "response": {
            "id": prompt_id(response_segments),
            **(_thinking(text, response_segments) if stream is None else _thinking_so_far(stream)),
            "texts": [s.text for s in response_segments],
            "keep": [s.role is not Role.TEMPLATE for s in response_segments],
            "writing": writing,
            "note": note,
            "changed": utf16(text, changed),
            "empty": empty,
            "tail": tail,
            "folded": FOLDED,
        },
    }
    if prompt_segments is not None:
        data["prompt"] = {
            "id": prompt_id(prompt_segments),
            "texts": [s.text for s in prompt_segments],
            "names": part_names(prompt_segments, unit),
            "keep": aggregate.countable(prompt_segments).tolist(),
            "unmeasured": list(unmeasured),
        }
        data["scores"] = scores.wire if scores else None
    return data


def _thinking(text: str, segments: Sequence[Segment]) -> dict[str, Any]:
    """How many segments of a response are what the model thought, and the words on the button before them."""
    apart = split(text)
    ends = np.cumsum([len(s.text) for s in segments])
    head = int(np.count_nonzero(ends <= apart.starts)) if apart.starts else 0
    label = thinking(apart.thinking, ended=bool(apart.answer)) if apart.thinking else ""
    return {"stream": None, "thought": "", "head": head, "thinking": label}


def _thinking_so_far(stream: str) -> dict[str, Any]:
    """What a model is writing, apart from what it thought before."""
    apart = split(stream)
    label = thinking(apart.thinking, ended=bool(apart.answer)) if apart.thinking else ""
    return {"stream": stream[apart.starts :], "thought": apart.thinking, "head": 0, "thinking": label}
