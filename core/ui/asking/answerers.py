"""Whose answers there are in a dataset: models, as they were asked, and columns of the file that hold answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from core.records import Example, ModelSpec, SendAs
from core.runs import FILE, Desk, column_spec
from core.store.keys import answerer_key, model_key
from core.store.workspace import Workspace
from core.ui.shell import library
from core.ui.shell.model_box import chosen
from core.ui.shell.model_list import catalog, title, variants
from core.ui.shell.services import service

EARLIER = ", earlier "
"""Within the name of a column of a model that has changed since under the same name."""


@dataclass(frozen=True)
class System:
    """A column of the results."""

    spec: ModelSpec
    send_as: SendAs = "plain"
    edited: bool = False

    @property
    def in_file(self) -> bool:
        """Its answers stand in the file: there is nothing to run, and nobody to ask for likelihoods."""
        return self.spec.backend == FILE

    @property
    def label(self) -> str:
        if self.in_file:
            return f"column {self.spec.name}"
        way = ", chat" if self.send_as == "chat" else ""
        return f"{title(self.spec)}{way}{', edited prompts' if self.edited else ''}"


def known_systems(here: Workspace, dataset_id: str) -> tuple[System, ...]:
    """The model in use first, then every other that has answered something in this dataset; each as plain
    text, and in the ways in which its answers were asked for.
    """
    answers = here.results.responses(dataset_id)
    answered = set(zip(answers["model_key"], answers["send_as"]))
    first = service().resolve(chosen())
    others = [service().resolve(one) for spec in catalog().specs() for one in variants(spec)]
    listed = {model_key(spec): spec for spec in (first, *others)}
    ways: tuple[SendAs, ...] = ("plain", "chat")
    found = [System(spec, way) for key, spec in listed.items() for way in ways if (key, way) in answered]
    return tuple(found) if any(one.spec == first for one in found) else (System(first), *found)


def edits(rows: Sequence[Example], every: Sequence[Example]) -> dict[str, Example]:
    """The newest child of each row that has one, with the row's own target: prompts of another version."""
    newest = {example.parent_id: example for example in every if example.parent_id}
    return {row.id: replace(newest[row.id], target=row.target) for row in rows if row.id in newest}


def desk(system: System) -> Desk:
    """Where what is known of `system` is found."""
    return Desk(service().store, library.workspace(), system.spec)


def labels_of(answers: pd.DataFrame, current: frozenset[str]) -> dict[str, str]:
    """A name for each answerer: the model's, with "chat" where it was sent one.

    Models that changed since, under one name, are told apart.
    """
    each = answers.drop_duplicates("answerer")
    chat = each["send_as"].eq("chat")
    names = dict(zip(each["answerer"], each["model"] + chat.map({True: ", chat", False: ""})))
    common = pd.Series(list(names.values()), dtype="str").value_counts()
    plain = {key for key, name in names.items() if common[name] == 1}
    plain |= set(each["answerer"][each["model_key"].isin(current)])
    return {key: name if key in plain else f"{name}{EARLIER}{key[:4]}" for key, name in names.items()}


def labels(here: Workspace, dataset_id: str) -> dict[str, str]:
    """The name of everyone who answered in the dataset, by `answerer_key`; columns that are checked are among them."""
    current = frozenset(model_key(spec) for spec in catalog().specs())
    found = labels_of(here.results.responses(dataset_id), current)
    columns = here.marks.checks(dataset_id).answer_columns
    return found | {answerer_key(model_key(column_spec(path)), "plain"): f"column {path}" for path in columns}
