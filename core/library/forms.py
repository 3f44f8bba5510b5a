"""The forms in which an explanation is taken away: a table, plain data, a figure, and the record behind downloads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core import aggregate
from core.errors import AppError
from core.library.part import Part
from core.segments import declared

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from core.library.explanation import Explanation
    from core.report import ShownMap


def parts_table(parts: Sequence[Part]) -> pd.DataFrame:
    """One row a part: name, text, share, score, effect_nats, turns."""
    import pandas as pd

    columns = ("name", "text", "share", "score", "effect_nats", "turns")
    return pd.DataFrame([{name: getattr(part, name) for name in columns} for part in parts], columns=columns)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """Everything as JSON-serialisable data: how it was made, the words, the parts, what was measured."""
    import json

    from core.report import to_json

    told: dict[str, Any] = json.loads(to_json(explanation.shown()))
    told |= {name: getattr(explanation, name) for name in ("answer", "chosen", "sentence")}
    told["measured"] = [
        {"name": part.name, "text": part.text, "effect_nats": part.effect_nats, "turns": part.turns}
        for part in explanation.parts
        if part.effect_nats is not None
    ]
    return told


def heat_map(shown: ShownMap, theme: str) -> go.Figure:
    """Parts of the answer against parts of the prompt. Raises: AppError for an unknown theme."""
    from core.figures.heatmap import salience_heatmap
    from core.figures.palette import THEMES

    if theme not in THEMES:
        raise AppError(f"A theme is {' or '.join(THEMES)}, but this is {theme!r}.")
    return salience_heatmap(
        shown.salience, signed=shown.signed, units=shown.units, negligible=shown.negligible, theme=theme,
        selected=shown.target, clicks=False,
    )  # fmt: skip


def shown_map(explanation: Explanation) -> ShownMap:
    """The record that the app's downloads are made of."""
    from core.report import ShownMap

    made, method = explanation.made, explanation.made.method
    target = tuple(
        part.index
        for part in explanation.answer_segments
        if part.tokens[0] < explanation.target[1] and part.tokens[1] > explanation.target[0]
    )
    salience = aggregate.to_segments(made.matrix, explanation.answer_segments, explanation.prompt_segments)
    return ShownMap(
        example=explanation.chosen.strip(), model=explanation.model.spec, params=explanation.generation.params,
        method=method.label, units=made.matrix.units, signed=made.matrix.signed,
        sign_holds=method.sign_holds, rank_by=method.rank_by, granularity=declared(explanation.by).label,
        salience=salience, target=target, scores=explanation.scores, made=datetime.now(UTC),
        negligible=method.negligible,
        unmeasured=method.unmeasured_parts(made.matrix.request, explanation.prompt_segments),
        note=explanation.note,
    )  # fmt: skip
