"""From a template and rows to the share of each section in each row, with the mean and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.template_proposal import propose_template
from core.datasets.template_sections import find_sections
from core.datasets.templates import variables
from core.errors import AppError
from core.metrics import bootstrap
from core.records import Example, ModelSpec, SendAs
from core.runs import Desk, SummariseSalience, runner
from core.runs.drive import key_of
from core.store.work import WorkList
from core.ui.shell import job_box, library
from core.ui.shell.services import owner, service

JOB = "template"


@dataclass(frozen=True, slots=True)
class SectionMean:
    """A section's mean share, with its 95 % interval over `count` rows."""

    label: str
    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, eq=False)
class Sections:
    """Shares (rows, sections) of the prompt's influence on the whole answer."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    shares: NDArray[np.float64]
    failed: tuple[tuple[str, str], ...] = ()

    def means(self) -> list[SectionMean]:
        """The mean share of each section over the rows, with a bootstrap 95 % interval."""
        found = []
        for name, column in zip(self.labels, self.shares.T):
            stats = np.stack([column, np.ones(len(column))], axis=1)
            drawn = bootstrap.resampled(stats)
            low, high = bootstrap.interval(drawn[:, 0] / drawn[:, 1])
            found.append(SectionMean(name, float(column.mean()), low, high, len(column)))
        return found


def default_template(rows: Sequence[Example]) -> str:
    """The template that the rows name as their own, the most common first; else one read off them; "" for none."""
    named = [str(row.fields["template"]) for row in rows if row.fields.get("template")]
    return max(dict.fromkeys(named), key=named.count, default="") or _proposed(
        tuple(row.prompt for row in rows)
    )


@lru_cache(maxsize=16)
def _proposed(prompts: tuple[str, ...]) -> str:
    return propose_template(prompts)


def fitting(template: str, rows: Sequence[Example]) -> list[Example]:
    """Rows that were made from the template. Raises: AppError for one without a variable, or no row."""
    if not variables(template):
        raise AppError(
            "The template holds no {variable}.", hint="Write {name} where the rows differ from each other."
        )
    found = [row for row in rows if find_sections(template, row.prompt) is not None]
    if not found:
        raise AppError(
            f"None of the {len(rows):,} chosen rows fits the template.",
            hint="Every character outside the {variables} has to be the same, empty lines too.",
        )
    return found


def values_of(template: str, prompt: str) -> str:
    """What tells a row from the others: the values of its variables, in order."""
    found = find_sections(template, prompt) or ()
    values = (" ".join(prompt[s.chars[0] : s.chars[1]].split()) for s in found if s.variable)
    return " · ".join(value for value in values if value)


def begin_explaining(
    template: str, rows: Sequence[Example], method: str, spec: ModelSpec, way: SendAs
) -> None:
    """The job that explains every row, kept for the page to show."""
    task = SummariseSalience(method, template=template, send_as=way)
    run = runner(service()).run
    job_box.hold_job(JOB, run(task, rows, spec, workspace=library.workspace(), owner=owner()))


def known_sections(
    template: str, rows: Sequence[Example], method: str, spec: ModelSpec, way: SendAs
) -> Sections | None:
    """What the newest run of these rows found, whether it ended or not; None where there was none."""
    work = WorkList(library.workspace())
    task = SummariseSalience(method, template=template, send_as=way)
    desk = Desk(service().store, library.workspace(), service().resolve(spec))
    key = key_of(task, task.bare_items(rows, desk), desk.spec)
    listed = next((w for w in work.all(task.kind) if w.key == key), None)
    if listed is None or not listed.done:
        return None
    results: dict[str, Any] = work.results(listed.id)
    failed = work.results(listed.id, failed=True)
    ids = tuple(row.id for row in rows if row.id in results)
    labels = tuple(str(name) for name, _ in results[ids[0]]["parts"])
    shares = np.array([[share for _, share in results[name]["parts"]] for name in ids])
    return Sections(ids, labels, shares, tuple((k, str(v)) for k, v in failed.items()))
