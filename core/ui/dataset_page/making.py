"""How each answer in an exported table was made: model, revision, precision, parameters, how the prompt was sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.read_turns import turns_not_read
from core.records import GenerationParams, ModelSpec, SendAs
from core.ui.dataset_page.table import file_apart

if TYPE_CHECKING:
    from core.store import Store
    from core.store.workspace import Workspace

MADE = "made by"


def facts_of_making(spec: ModelSpec, params: GenerationParams, send_as: SendAs) -> dict[str, Any]:
    """What of an answer's making belongs into every export; no path of this machine."""
    return {
        "model": spec.name,
        "backend": spec.backend,
        "revision": spec.revision,
        "precision": spec.precision,
        "device": spec.device,
        **asdict(params),
        "stop": list(params.stop),
        "sent_as": send_as,
    }


def turns_of_row(workspace: Workspace, store: Store, example_id: str, key: str) -> tuple[str, ...]:
    """What the model of a kept answer did not read of the row's chat as it was sent."""
    kept = store.generation(key)
    if kept is None:
        return ()
    return turns_not_read(kept.tokens, workspace.examples.get(example_id).sent("chat"))


def added(
    table: pd.DataFrame, labels: dict[str, str], workspace: Workspace, dataset_id: str, store: Store
) -> pd.DataFrame:
    """`table` with a column `made by (label)` behind each `response (label)`; `labels` by answerer."""
    answers = workspace.results.responses(dataset_id)
    answers = answers[answers["id"].isin(set(table["id"]))]
    made = store.made_with(answers["key"])
    out = table
    for answerer, label in labels.items():
        before = f"response ({label})"
        if before not in out:
            continue
        mine = answers[answers["answerer"] == answerer]
        told: dict[str, Any] = {}
        for row in mine.itertuples():
            if row.key in made:
                spec, params = made[str(row.key)]
                told[str(row.id)] = facts_of_making(spec, params, row.send_as) | {"ended": row.stop_reason}  # type: ignore[arg-type]
                if row.send_as == "chat":
                    not_read = turns_of_row(workspace, store, str(row.id), str(row.key))
                    told[str(row.id)] |= {"turns not read": list(not_read)} if not_read else {}
        place = list(out.columns).index(before) + 1
        cells = pd.Series([told.get(name) for name in out["id"]], index=out.index, dtype=object)
        named = cells.rename(f"{MADE} ({label})")
        out = file_apart(out, [str(named.name)])
        out = pd.concat([out.iloc[:, :place], named, out.iloc[:, place:]], axis=1)
    return out
