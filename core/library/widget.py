"""The coloured text in a notebook: the app's own view through anywidget (extra `notebook`).

Hovering and choosing parts of the answer recolours the prompt in the browser, without the kernel; another granularity
or method is asked of it. The same files as in the app draw it (`core.token_view`).
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from core import token_view
from core.errors import AppError
from core.segments import GRANULARITIES

if TYPE_CHECKING:
    from core.library.explanation import Explanation

_HERE = Path(__file__).parent
_count = itertools.count(1)


def _script() -> str:
    """The notebook's own script with the view's empty elements in it."""
    return (
        (_HERE / "widget.js").read_text(encoding="utf-8").replace('"__VIEW__"', json.dumps(token_view.html()))
    )


class SalienceWidget(anywidget.AnyWidget):
    """`SalienceWidget(explanation)`; `selection`, `by` and `method` can be read, set and observed."""

    _esm = f"{token_view.script()}\n{_script()}"
    _css = f"{(_HERE / 'widget.css').read_text(encoding='utf-8')}\n{token_view.style()}"

    selection = traitlets.List(traitlets.Int())
    """Indices of the answer's parts that are explained (`explanation.answer_segments`)."""
    by = traitlets.Unicode("line").tag(sync=True)
    method = traitlets.Unicode("").tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    _told = traitlets.Dict().tag(sync=True)
    _status = traitlets.Unicode("").tag(sync=True)
    _granularities: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _methods: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, explanation: Explanation, **more: Any) -> None:
        self.explanation = explanation
        self._link, self._turns, self._taking = f"notebook-{next(_count)}", 0, False
        super().__init__(
            by=explanation.by,
            method=explanation.method,
            _granularities=[
                [g.name, g.label] for g in GRANULARITIES if g.name != "custom" or explanation.pattern
            ],
            _methods=self._available(),
            **more,
        )
        self._show(self._chosen())
        self.observe(self._ask_again, ["by", "method"])
        self.observe(self._take, "_told")
        self.observe(self._force, "selection")

    def _available(self) -> list[list[str]]:
        from core.salience import METHODS

        with self.explanation.model.use() as held:
            return [[m.name, m.label] for m in METHODS if m.available(held.capabilities)]

    def _chosen(self) -> list[int]:
        start, stop = self.explanation.target
        return [
            part.index
            for part in self.explanation.answer_segments
            if part.tokens[0] < stop and part.tokens[1] > start
        ]

    def _show(self, selection: list[int]) -> None:
        """Sends the map, and `selection` as a new turn that the browser takes over."""
        e = self.explanation
        method, matrix = e.made.method, e.made.matrix
        exact = {}
        span = (
            (e.answer_segments[selection[0]].tokens[0], e.answer_segments[selection[-1]].tokens[1])
            if selection
            else None
        )
        if span is not None and span == e.target:
            exact[tuple(selection)] = e.scores
        scores = token_view.pack(
            matrix,
            e.answer_segments,
            e.prompt_segments,
            exact=exact,
            negligible=method.negligible,
            rank_by=method.rank_by,
        )
        self._turns += 1
        with self.hold_sync():
            self._data = token_view.view_data(
                link=self._link,
                turn=f"{self._link}:{self._turns}",
                forced=selection,
                response_segments=e.answer_segments,
                prompt_segments=e.prompt_segments,
                scores=scores,
                show=token_view.PANELS,
                signed=matrix.signed,
                sign_holds=method.sign_holds,
                unit=e.by,
                units=matrix.units,
                note=e.note,
                of=e.model.name,
            )
        self._taking = True
        self.selection = selection
        self._taking = False

    def _ask_again(self, change: Any) -> None:
        """Another granularity or method: the same answer, explained again for the same words."""
        e = self.explanation
        if (self.by, self.method) == (e.by, e.method):
            return
        self._status = "Computing …"
        try:
            made = type(e).of(
                e.model,
                e.generation,
                by=self.by,
                method=self.method,
                pattern=e.pattern,
                asked=e.asked,
                typed=e.typed,
            )
            self.explanation = made.select_span(e.target)
        except AppError as fault:
            self._status = str(fault)
            self.by, self.method = e.by, e.method
            return
        self._show(self._chosen())
        self._status = ""

    def _take(self, change: Any) -> None:
        """The person chose parts of the answer in the browser."""
        told = change["new"]
        if told.get("turn") == self._data.get("turn"):
            self._taking = True
            self.selection = [int(index) for index in told.get("indices", ())]
            self._taking = False
            self._follow()

    def _force(self, change: Any) -> None:
        """`selection` was set from Python."""
        if self._taking:
            return
        most = len(self.explanation.answer_segments)
        wanted = sorted(set(self.selection))
        if any(not 0 <= index < most for index in wanted):
            self._taking = True
            self.selection = change["old"]
            self._taking = False
            raise AppError(f"The answer's parts are 0 to {most - 1}, but asked was {wanted}.")
        self._follow(wanted)
        self._show(wanted)

    def _follow(self, wanted: list[int] | None = None) -> None:
        """`explanation` is about the chosen parts, where they stand together."""
        chosen = list(self.selection) if wanted is None else wanted
        if chosen and chosen == list(range(chosen[0], chosen[-1] + 1)):
            parts = self.explanation.answer_segments
            self.explanation = self.explanation.select_span(
                (parts[chosen[0]].tokens[0], parts[chosen[-1]].tokens[1])
            )
