"""What is shown, to take away: a table, the whole map, or a report that opens without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from core import aggregate, segments
from core.read_turns import turns_not_read
from core.records import Reduce, SalienceMatrix
from core.report import ShownMap, to_csv, to_html, to_json
from core.salience import Method
from core.ui.asking.answering import Answer
from core.ui.explaining import maps
from core.ui.explaining.maps import Parts
from core.ui.shell import state
from core.ui.shell.row_names import names_of

FILES: tuple[tuple[str, Callable[[ShownMap], bytes], str, str], ...] = (
    ("Report (HTML)", to_html, "html", "text/html"),
    ("Table (CSV)", to_csv, "csv", "text/csv"),
    ("Everything (JSON)", to_json, "json", "application/json"),
)


def _told(answer: Answer) -> tuple[str, ...]:
    """What the model did not read as it was sent."""
    return turns_not_read(answer.generation.tokens, answer.sent) if answer.generation is not None else ()


def draw_map_downloads(
    answer: Answer,
    found: SalienceMatrix,
    here: Parts,
    chosen: Sequence[int],
    method: Method,
    granularity: str,
    reduce: Reduce,
) -> None:
    """Buttons in the container that is open; a file is made only when it is asked for."""

    def shown() -> ShownMap:
        return ShownMap(
            example=names_of([answer.example_id])[answer.example_id],
            model=answer.spec,
            params=answer.params,
            method=method.label,
            units=method.units,
            signed=method.signed,
            sign_holds=method.sign_holds,
            rank_by=method.rank_by,
            negligible=method.negligible,
            granularity=segments.declared(granularity).label,
            salience=aggregate.to_segments(found, here.response, here.prompt, reduce),
            target=tuple(chosen),
            scores=maps.column_scores(found, here, chosen, reduce),
            made=datetime.now(UTC),
            unmeasured=method.unmeasured_parts(found.request, here.prompt),
            note=" ".join(filter(None, [found.note, *_told(answer)])),
        )

    def file(make: Callable[[ShownMap], bytes]) -> Callable[[], bytes]:
        return lambda: make(shown())

    for label, make, ending, kind in FILES:
        st.download_button(
            label,
            file(make),
            file_name=f"whence-{answer.example_id}.{ending}",
            mime=kind,
            key=state.DOWNLOAD(ending).name,
            on_click="ignore",
            width="stretch",
        )
