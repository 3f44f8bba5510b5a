"""What runs over a dataset, and where: tasks, the desk they are kept at, the loop both runners share.

A *task* turns rows into plain items, computes plain results from items (on whatever machine has the model)
and keeps them. A *runner* only decides where `compute` runs. The loop here lists the items in the store,
leaves out what is done, keeps every batch as it comes and each row once, so that a stopped or killed run
goes on where it was.

Items and results are plain values and, under `generation`, an answer: they may cross processes (`batch.to_wire`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import AppError, Stopped
from core.jobs import Job, JobContext
from core.models.control_text import read_prompt
from core.read_turns import told_of_rows, turns_not_read
from core.records import Example, Generation, ModelSpec, Tokens, digest
from core.store.bundle import prompt_from_json
from core.store.keys import model_key
from core.store.work import WorkList

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel
    from core.store.store import Store
    from core.store.workspace import Workspace

TOLD = "told"
"""Where the list of work remembers what a row's model did not read as it was sent."""
Item = dict[str, Any]
"""What a worker gets for one row: plain values, always with `id`; the answer that is known as `generation`."""
Result = dict[str, Any]
"""What a worker gives for one row, an answer as `generation`; `{"error": sentence}` where it could not."""
Batches = Iterator[Mapping[str, Result]]
Steps = Generator[None, None, "Report"]
"""Others have turns between two batches."""
Compute = Callable[["DatasetTask", list[Item], JobContext], Batches]


@dataclass(frozen=True)
class Desk:
    """Where a task finds what is known and keeps what is new."""

    store: Store
    workspace: Workspace
    spec: ModelSpec


class DatasetTask(Protocol):
    """One kind of work over rows, with its parameters; a frozen dataclass, so that workers can be sent it."""

    @property
    def kind(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def needs_model(self) -> bool: ...

    @property
    def batch(self) -> int:
        """How many items one call of `compute` gets."""
        ...

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        """What is to be computed, rows that cannot be left out."""
        ...

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        """Ids whose result the store has already, from whatever run."""
        ...

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        """Results in the order of `items`; touches no store."""
        ...

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        """Keeps results; returns what the list of work remembers of each (JSON values)."""
        ...


@dataclass(frozen=True)
class Report:
    """What became of a run: rows done now, known before, failed with reasons, left out as nothing to do."""

    work_id: str
    done: int
    known: int
    failed: tuple[tuple[str, str], ...]
    left_out: int
    seconds: float
    told: tuple[str, ...] = ()
    """What the model did not read as it was sent, with the number of rows."""

    @property
    def sentence(self) -> str:
        parts = [f"{self.done:,} done"]
        parts += [f"{self.known:,} known already"] if self.known else []
        parts += [f"{len(self.failed):,} failed"] if self.failed else []
        parts += [f"{self.left_out:,} left out"] if self.left_out else []
        return " ".join([f"{', '.join(parts)}, in {self.seconds:.1f} s.", *self.told])


class Runner(Protocol):
    """Where tasks run."""

    name: str
    label: str

    def run(
        self, task: DatasetTask, rows: Sequence[Example], spec: ModelSpec, *, workspace: Workspace, owner: str
    ) -> Job[Report]: ...


def key_of(task: DatasetTask, items: Sequence[Item], spec: ModelSpec) -> str:
    """Content address of a run: the same task on the same items by the same model is the same run.

    An item's `generation` does not count: its `key` says which answer it is, known already or not.
    """
    plain = [{name: value for name, value in item.items() if name != "generation"} for item in items]
    return digest(task.kind, repr(task), model_key(spec), plain)


def payload_of(task: DatasetTask, spec: ModelSpec) -> dict[str, Any]:
    """What a page needs to take the run up again: the model, how it draws and how prompts are sent."""
    params = getattr(task, "params", None)
    return {
        "model": asdict(spec),
        "params": params.plain() if params is not None else {},
        "send_as": getattr(task, "send_as", "plain"),
    }


_UNDER_WAY: list[str] = []
"""Ids of the work that this process is at."""


def under_way(work_id: str) -> bool:
    """Whether a run of this process is at it now, whoever started it: it has not stopped half-way."""
    return work_id in _UNDER_WAY


def drive(
    task: DatasetTask, rows: Sequence[Example], desk: Desk, context: JobContext, compute: Compute
) -> Steps:
    """Runs `task` on what is not done yet, batch by batch, through a runner's `compute`; a step is a batch.

    Raises: AppError for no rows or rows with nothing to do; Stopped, after which the same call goes on.
    """
    began = time.monotonic()
    if not rows:
        raise AppError("There are no examples to run.", hint="Choose some rows first.")
    items = task.items(rows, desk)
    if not items:
        raise AppError(f"None of the {len(rows):,} chosen examples has what “{task.label}” needs.")
    work = WorkList(desk.workspace)
    key, payload = key_of(task, items, desk.spec), payload_of(task, desk.spec)
    listed = work.begin(task.kind, key, [item["id"] for item in items], payload, task.label)
    before = work.results(listed.id)
    known: dict[str, Result] = {
        name: {} for name in task.known([i for i in items if i["id"] not in before], desk)
    }
    known |= {item["id"]: _told_of_known(item, desk) for item in items if item["id"] in known}
    work.finish(listed.id, known)
    left = {item["id"]: item for item in items if item["id"] not in before and item["id"] not in known}
    told = [one[TOLD] for one in (*before.values(), *known.values()) if TOLD in one]
    done: set[str] = set()
    failed: dict[str, str] = {}
    _UNDER_WAY.append(listed.id)
    try:
        for batch in compute(task, list(left.values()), context) if left else ():
            fresh = {n: r for n, r in batch.items() if n in left and n not in done and n not in failed}
            good = {n: r for n, r in fresh.items() if "error" not in r}
            bad = {n: str(r["error"]) for n, r in fresh.items() if "error" in r}
            kept = task.keep(good, left, desk)
            work.finish(listed.id, kept)
            told += [one[TOLD] for one in kept.values() if TOLD in one]
            work.finish(listed.id, bad, failed=True)
            done |= good.keys()
            failed |= bad
            so_far = len(items) - len(left) + len(done) + len(failed)
            context.progress(
                so_far / len(items),
                f"{task.label}: {so_far:,} of {len(items):,} {getattr(task, 'noun', 'rows')}",
            )
            context.check()
            yield
        lost = {n: "No result came back. Run it again." for n in left if n not in done and n not in failed}
        work.finish(listed.id, lost, failed=True)
        failed |= lost
    except Stopped:
        work.set_state(listed.id, "stopped")
        raise
    except Exception:
        work.set_state(listed.id, "failed")
        raise
    finally:
        _UNDER_WAY.remove(listed.id)
    work.set_state(listed.id, "failed" if failed else "done")
    return Report(
        listed.id,
        len(done),
        len(known) + len(before),
        tuple(failed.items()),
        len(rows) - len({item.get("row", item["id"]) for item in items}),
        time.monotonic() - began,
        told_of_rows(told),
    )


def told_of_turns(made: Generation, prompt: Any) -> dict[str, list[str]]:
    """What is to be told of an item's turns (`TOLD`), as the list of work remembers it; empty where nothing is."""
    told = turns_not_read(made.tokens, prompt_from_json(prompt))
    return {TOLD: list(told)} if told else {}


def _told_of_known(item: Item, desk: Desk) -> Result:
    """`told_of_turns` of an answer that was kept before; plain text costs no look into the store."""
    prompt = item.get("prompt")
    if not prompt or isinstance(prompt, str) or not item.get("key"):
        return {}
    kept = desk.store.generation(str(item["key"]))
    return told_of_turns(kept, prompt) if kept is not None else {}


def asked(model: LanguageModel, prompt: Any, response: str | None = None, *, as_text: bool = False) -> Tokens:
    """The tokens of an item's prompt (`prompt_to_json`), with a typed response where there is one; `as_text`: see
    `GenerationParams`.

    Raises: AppError for a chat with a model that has no chat template.
    """
    if not isinstance(prompt, str) and not model.capabilities.chat:
        raise AppError(
            f"The model {model.spec.name} has no chat template, so its prompts cannot be sent as a chat.",
            hint="Send them as plain text.",
        )
    return read_prompt(model, prompt_from_json(prompt), response, as_text=as_text)
