"""What a table of prompts asks: prompt versions × who answers × takes, over the rows of a dataset.

A *version* is a template over the rows' columns; a *take* is one answer of a cell: another seed, or the prompt with a
small change that should not matter. A *column* of the table is one version by one answerer. Knows no store, no model
and no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.errors import AppError
from core.records import GenerationParams, ModelSpec, SendAs, digest

MOST_VERSIONS = 20
MOST_TAKES = 100


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """A named template over the columns of a dataset (`{question}`)."""

    name: str
    template: str


@dataclass(frozen=True, slots=True)
class TableAnswerer:
    """A model, and how prompts are sent to it."""

    spec: ModelSpec
    send_as: SendAs = "plain"

    @property
    def label(self) -> str:
        return self.spec.name if self.send_as == "plain" else f"{self.spec.name}, as a chat"


@dataclass(frozen=True, slots=True)
class Take:
    """One answer of a cell: drawn with `seed`, the prompt changed by `change` ("" for as it is)."""

    seed: int = 0
    change: str = ""

    @property
    def label(self) -> str:
        return self.change or f"seed {self.seed}"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One version by one answerer: places in `TablePlan.versions` and `.answerers`."""

    version: int
    answerer: int
    label: str


@dataclass(frozen=True)
class TablePlan:
    """A table before it is asked. `aliases` maps a column's name in its file to `prompt` or `target`.

    Raises: AppError for no or too many versions, two of one name, no answerer, or several seeds of greedy answers.
    """

    dataset_id: str
    versions: tuple[PromptVersion, ...]
    answerers: tuple[TableAnswerer, ...]
    params: GenerationParams = field(default_factory=GenerationParams)
    takes: tuple[Take, ...] = (Take(),)
    conditions: str = ""
    """The checks as JSON (`core.checks.to_json`)."""
    baseline: int = 0
    """Which column the others are set against."""
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    columns_named: tuple[str, ...] = ()
    """Columns of the dataset that a version names: a row that lacks one is not sent the braces."""
    row_ids: tuple[str, ...] = ()
    """Which rows; none: all of the dataset."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.versions) <= MOST_VERSIONS:
            raise AppError(
                f"A table has 1 to {MOST_VERSIONS} prompt versions; there are {len(self.versions)}."
            )
        names = [version.name for version in self.versions]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise AppError(f"Two versions are called “{twice}”.", hint="Give each a name of its own.")
        if empty := next((one.name for one in self.versions if not one.template.strip()), None):
            raise AppError(f"The version “{empty}” is empty.", hint="Write its prompt, or take it out.")
        if not self.answerers:
            raise AppError("Nobody is asked: no model is chosen.")
        if not 1 <= len(self.takes) <= MOST_TAKES:
            raise AppError(f"A cell has 1 to {MOST_TAKES} takes; {len(self.takes)} were asked for.")
        if self.params.temperature == 0 and len({take.seed for take in self.takes}) > 1:
            raise AppError(
                "Several samples were asked for at temperature 0, where every seed gives the same answer.",
                hint="Raise the temperature, or ask for one sample.",
            )
        if not 0 <= self.baseline < len(self.columns):
            raise AppError(
                f"The baseline should be one of the {len(self.columns)} columns; it is {self.baseline}."
            )

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """Versions within answerers, in their order."""
        several = len(self.answerers) > 1
        return tuple(
            TableColumn(v, a, f"{version.name} · {who.label}" if several else version.name)
            for a, who in enumerate(self.answerers)
            for v, version in enumerate(self.versions)
        )

    @property
    def key(self) -> str:
        """Content address: the same table asked again is the same table, whatever it is set against."""
        return digest("table", {name: value for name, value in self.to_json().items() if name != "baseline"})

    def drawn(self, take: Take) -> GenerationParams:
        """How an answer of `take` is drawn."""
        return replace(self.params, seed=take.seed)

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return {**asdict(self), "params": self.params.plain()}


def seeds(count: int, first: int = 0) -> tuple[Take, ...]:
    """`count` samples of a cell: as many seeds from `first` on."""
    return tuple(Take(first + at) for at in range(count))


def from_json(kept: Mapping[str, Any]) -> TablePlan:
    """The plan that `to_json` wrote, also after a way through JSON text."""
    params = dict(kept["params"]) | {"stop": tuple(kept["params"]["stop"])}
    answerers: Sequence[Mapping[str, Any]] = kept["answerers"]
    return TablePlan(
        kept["dataset_id"],
        tuple(PromptVersion(**one) for one in kept["versions"]),
        tuple(TableAnswerer(ModelSpec(**one["spec"]), one["send_as"]) for one in answerers),
        GenerationParams(**params),
        tuple(Take(**one) for one in kept["takes"]),
        kept["conditions"],
        kept["baseline"],
        dict(kept["aliases"]),
        tuple(kept["columns_named"]),
        tuple(kept["row_ids"]),
    )
