"""What the page that answers why shows beside the map, and what its person asks for there.

Records that travel to the browser as they are; the texts in them are shown as text. Knows no model, no job
and no session of a page: only what the view `key` said last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.compare import Run
from core.ui.shell import state

Kind = Literal["", "turns", "less", "more", "none", "asked", "failed"]
Tag = Literal["", "agree", "disagree"]
TOUR_WORDS = {"title": "A short tour", "skip": "Skip", "next": "Next", "done": "Done"}
_TAGS = {"kept": "", "removed": "del", "added": "ins"}


def pieces(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """`runs` as (tag, text): `del` for what is gone, `ins` for what is new."""
    return [(_TAGS[run.change], run.text) for run in runs]


@dataclass(frozen=True, slots=True)
class ShownEffect:
    """What came of taking one part out: in words, with its size in nats (negative: less likely)."""

    text: str
    kind: Kind = ""
    nats: float = 0.0
    more: str = ""
    """A second line, smaller."""

    @property
    def done(self) -> bool:
        return self.kind not in ("", "asked", "failed")


@dataclass(frozen=True, slots=True)
class Card:
    """What was found out last, above the list: a title, words old against new, sentences, shares before and
    after as (part, before, after, its text), and buttons as (order, label, value).
    """

    title: str
    runs: Sequence[tuple[str, str]] = ()
    lines: Sequence[str] = ()
    moves: Sequence[tuple[str, str, str, str]] = ()
    actions: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """The parts of the page that are no map.

    - `key`: what text is edited; another key brings another text. `text`: what stands in the field, `kept`: what
      it is compared with where nothing was run; `fresh`: no draft is known, so the browser may have one.
    - `ran`: the text that the map belongs to, at the half-open range `span` (in UTF-16 units) of the prompt's
      segments; `first_line`: the number of its first line.
      `asked` is the text that is being run now.
    - `tokens`, `limit`: of the prompt that was run, and most that the model takes (None: not known).
    - `running`, `stopping`, `progress`: of the answer or map on its way. `locked`: why the
      text can be neither edited nor run ("": it can).
    - `notices`: (sentence, order, label of its button); `lead`, `sentence`: the headline without an answer.
    - `rows`: the response segments that `effects` (by prompt segment), `measured` and `whole` are about.
    - `own`: what the answer's own parts had of the influence, on the scale of the prompt's shares; shown when asked.
    - `locks`: prompt segments that stay in whatever is taken out.
    - `measure`: buttons under the list as (order, label, value, what it does).
    - `tour`: (panel, sentence) of each step; `tour_again` counts how often it was asked for.
    - `stale`: all of it is of the run before, and shown grey, until the new one is there.
    - `looks`: the page looks again by itself until what is under way is there; the browser asks where that stops.
    - `finer`: the label of the button that offers a finer granularity ("": none).
    """

    key: str
    text: str
    kept: str
    title: str = "The prompt"
    hint: str = ""
    fresh: bool = False
    ran: str = ""
    asked: str | None = None
    span: tuple[int, int] = (0, 0)
    first_line: int = 1
    tokens: int | None = None
    limit: int | None = None
    running: bool = False
    stopping: bool = False
    locked: str = ""
    progress: str = ""
    notices: Sequence[tuple[str, str, str]] = ()
    lead: str = ""
    sentence: str = ""
    finer: str = ""
    list_title: str = "Strongest parts"
    rows: tuple[int, ...] = ()
    effects: Mapping[int, ShownEffect] = field(default_factory=dict)
    measured: Sequence[tuple[str, str]] = ()
    agreement: str = ""
    agrees: Tag = ""
    whole: str = ""
    own: Sequence[float] = ()
    measure: Sequence[tuple[str, str, str, str]] = ()
    cards: Sequence[Card] = ()
    locks: Sequence[int] = ()
    stale: bool = False
    tour: Sequence[tuple[str, str]] = ()
    tour_again: int = 0
    looks: bool = False

    def wire(self) -> dict[str, Any]:
        """The form that travels."""
        measured = {
            "rows": self.rows,
            "sentence": self.measured,
            "tag": self.agreement,
            "kind": self.agrees,
        }
        return {
            "stale": self.stale,
            "looks": self.looks,
            "tour": {
                "steps": [{"at": f".sv-{panel}", "text": text} for panel, text in self.tour],
                "again": self.tour_again,
                "words": TOUR_WORDS,
            },
            "question": {
                "lead": self.lead,
                "sentence": self.sentence,
                "finer": self.finer,
                "measured": measured if self.measured else None,
            },
            "editor": {
                "key": self.key,
                "text": self.text,
                "kept": self.kept,
                "title": self.title,
                "hint": self.hint,
                "fresh": self.fresh,
                "ran": self.ran,
                "asked": self.asked,
                "span": self.span,
                "first": self.first_line,
                "tokens": self.tokens,
                "limit": self.limit,
                "running": self.running,
                "stopping": self.stopping,
                "locked": self.locked,
                "progress": self.progress,
                "notices": self.notices,
                "stale": self.stale,
            },
            "causes": {
                "title": self.list_title,
                "effects": {
                    "rows": self.rows,
                    "parts": {
                        str(part): {**asdict(effect), "state": "done" if effect.done else effect.kind}
                        for part, effect in self.effects.items()
                    },
                },
                "whole": self.whole,
                "own": {"rows": self.rows, "shares": self.own},
                "measure": self.measure,
                "locked": self.locks,
                "cards": [asdict(card) for card in self.cards],
                "stale": self.stale,
            },
        }


def order(key: str) -> Mapping[str, Any] | None:
    """What was pressed in the view `key` just now: `order` names it; for callbacks."""
    return (state.VIEW(key).get() or {}).get("order") or None


def draft(key: str) -> Mapping[str, Any] | None:
    """What was typed in the view `key` last: `text`, for the `key` of `Why`; for callbacks."""
    return (state.VIEW(key).get() or {}).get("draft") or None


def utf16(text: str) -> int:
    """How long `text` is as the browser counts."""
    return len(text) + sum(ord(c) > 0xFFFF for c in text)
