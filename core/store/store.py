"""The store: opens the database and the folder of matrices, hands out workspaces, keeps computed records.

One `Store` serves every thread of a process; several processes may share one database. Answers are found in
the database first and then in the precomputed bundle, matrices on disk first and then there. Each public
write is one transaction: a process killed in the middle leaves the state before it.

Knows no model and no page.
"""

from __future__ import annotations

import json
import math
import secrets
import threading
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update

from core.errors import AppError
from core.records import Example, Generation, GenerationParams, ModelSpec, SalienceMatrix, digest
from core.settings import ROOT, Settings
from core.store import backup, generation_rows, health
from core.store.bundle import Bundle
from core.store.cause_files import CauseFiles
from core.store.dataset_list import dataset_row
from core.store.engine import open_database, watch_of, writing
from core.store.keys import Prompt, listed_as, model_key
from core.store.limits import Quotas, site_full
from core.store.rows import insert_examples, to_example
from core.store.salience_files import SalienceFiles
from core.store.sql import chunks, insert_new, upsert
from core.store.tables import (
    LOCAL,
    SHARED,
    datasets,
    examples,
    generations,
    opinions,
    table_cells,
    workspaces,
)
from core.store.trial_lines import TrialLines
from core.store.visitors import Visitors
from core.store.workspace import Workspace

PRECOMPUTED = ROOT / "data" / "precomputed"
_IDLE_SECONDS = 24 * 3600
_SEEN_SECONDS = 3600
_WEIGHED_SECONDS = 60.0


class Store:
    """Everything that outlives the process.

    `database_url` empty: SQLite in `data_dir`. `salience_bytes` bounds the matrices on disk,
    `generation_bytes` the answers in the database (0: all are kept); the oldest leave first. `hosted`: no
    common workspace, each visitor has one with an id that cannot be guessed. `backups`: so many daily copies of
    a SQLite database are kept, and a copy is made before its tables change. With less than `least_free_bytes` on
    the disk, `fault` says so before it is full. What nobody opened for `keep_days` goes (0: never).
    """

    def __init__(
        self,
        database_url: str,
        data_dir: Path,
        *,
        limits: Quotas | None = None,
        salience_bytes: int = 2_000_000_000,
        generation_bytes: int = 0,
        bundle: Path = PRECOMPUTED,
        hosted: bool = False,
        backups: int = 0,
        least_free_bytes: int = 0,
        keep_days: int = 0,
    ) -> None:
        self._computed = (0, -math.inf)
        self.limits = replace(limits or Quotas(), computed_bytes=self.computed_bytes)
        self.hosted = hosted
        self.bundle = Bundle(bundle)
        self.data_dir, self.least_free_bytes = data_dir, least_free_bytes
        self.engine = open_database(database_url, data_dir, backups=backups)
        self.keep_days, self.swept_at = keep_days, 0.0
        self.visitors = Visitors(self)
        self._backup_fault: AppError | None = None
        self._daily: backup.Daily | None = None
        self._files = SalienceFiles(data_dir, salience_bytes)
        self.causes = CauseFiles(data_dir, bundle)
        self.trials = TrialLines(data_dir)
        self.generation_bytes = generation_bytes
        self._lock = threading.Lock()
        self._unweighed = 0
        with writing(self.engine) as connection:
            for name in (SHARED,) if hosted else (SHARED, LOCAL):
                insert_new(connection, workspaces, [_empty_workspace(name)], ("id",))
        self._import_bundle()
        if backups and (path := watch_of(self.engine).place.path) is not None:
            # What a visitor removed is to be gone from the copies too, and they are told when.
            days = backups if hosted else None
            self._daily = backup.Daily(path, backups, fault=self._note_backup, days=days)

    @classmethod
    def of(cls, chosen: Settings) -> Store:
        """The store that the settings describe."""
        return cls(
            chosen.database_url,
            chosen.data_dir,
            limits=Quotas.of(chosen),
            salience_bytes=chosen.max_stored_bytes,
            generation_bytes=chosen.max_stored_bytes if chosen.mode == "hosted" else 0,
            hosted=chosen.mode == "hosted",
            backups=chosen.backups,
            least_free_bytes=chosen.least_free_bytes,
            keep_days=chosen.keep_days if chosen.mode == "hosted" else 0,
        )

    def close(self) -> None:
        if self._daily is not None:
            self._daily.close()
        self.engine.dispose()

    def _note_backup(self, fault: AppError | None) -> None:
        self._backup_fault = fault

    def fault(self) -> AppError | None:
        """What is wrong with the database or the disk now; None when all is well. Asks the database."""
        return health.fault(self.engine, self.data_dir, self.least_free_bytes) or self._backup_fault

    # --- workspaces

    def new_workspace(self) -> Workspace:
        """An empty workspace under an id of 256 random bits; empty ones that nobody opened for a day go."""
        name, now = secrets.token_urlsafe(32), time.time()
        with writing(self.engine) as connection:
            idle = (workspaces.c.examples == 0) & (workspaces.c.seen_at < now - _IDLE_SECONDS)
            own = workspaces.c.id.not_in((SHARED, LOCAL))
            untouched = ~select(datasets.c.id).where(datasets.c.workspace_id == workspaces.c.id).exists()
            connection.execute(delete(workspaces).where(idle, own, untouched))
            held = connection.execute(select(func.count()).select_from(workspaces)).scalar_one()
            if held >= self.limits.all_workspaces:
                raise site_full(held, self.limits.all_workspaces, "workspaces")
            connection.execute(workspaces.insert(), [_empty_workspace(name)])
        return Workspace(self.engine, name, self.limits)

    def workspace(self, name: str = LOCAL) -> Workspace:
        """The workspace called `name`. Raises `AppError` (code "missing") when there is none."""
        if name == SHARED or (self.hosted and name == LOCAL):
            raise _no_workspace()
        here, now = workspaces.c.id == name, time.time()
        with self.engine.connect() as connection:
            seen_at = connection.execute(select(workspaces.c.seen_at).where(here)).scalar()
        if seen_at is None:
            raise _no_workspace()
        found = Workspace(self.engine, name, self.limits)
        if seen_at < now - _SEEN_SECONDS:
            found.away_seconds = now - seen_at
            with writing(self.engine) as connection:
                connection.execute(update(workspaces).where(here).values(seen_at=now))
        return found

    def seed(
        self,
        dataset_id: str,
        name: str,
        rows: Iterable[Example],
        *,
        origin: str = "",
        problems: Sequence[tuple[int, str]] = (),
        imported: Mapping[str, Any] | None = None,
    ) -> None:
        """Puts a dataset before everybody (sample prompts, DATASETS at start-up).

        Loading the same rows again changes nothing. Of a changed file, or one that is read otherwise, new rows
        are added and rows that are gone or say something else leave the table but stay reachable by link and as
        parents.
        """
        listed = list(rows)
        mark = digest(
            [_content(row) for row in listed], [list(one) for one in problems], dict(imported or {})
        )
        with writing(self.engine) as connection:
            here = datasets.c.id == dataset_id
            held = connection.execute(select(datasets.c.digest).where(here)).scalar()
            if held == mark:
                connection.execute(update(datasets).where(here).values(origin=origin))
                return
            if held is None:
                row = dataset_row(SHARED, dataset_id, name, origin, mark, listed, problems, imported)
                connection.execute(datasets.insert(), [row])
            else:
                facts = dataset_row(SHARED, dataset_id, name, origin, mark, listed, problems, imported)
                facts |= {"revision": datasets.c.revision + 1}
                connection.execute(update(datasets).where(here).values(facts))
            mine = (examples.c.dataset_id == dataset_id) & (examples.c.workspace_id == SHARED)
            held_rows = {row.id: to_example(row) for row in connection.execute(select(examples).where(mine))}
            known = set(held_rows)
            listed = [
                replace(row, id=digest(_content(row))[:20])
                if row.id in known and _content(row) != _content(held_rows[row.id])
                else row
                for row in listed
            ]
            insert_examples(connection, SHARED, dataset_id, [row for row in listed if row.id not in known])
            kept = {row.id for row in listed}
            for retired, group in ((True, known - kept), (False, known & kept)):
                for part in chunks(sorted(group)):
                    change = update(examples).where(mine, examples.c.id.in_(part)).values(retired=retired)
                    connection.execute(change)

    def origin_of(self, dataset_id: str) -> str | None:
        """What `seed` was told of the dataset's origin; None when there is none of that id."""
        with self.engine.connect() as connection:
            query = select(datasets.c.origin).where(datasets.c.id == dataset_id)
            return connection.execute(query).scalar()

    # --- answers, by content

    def save_generation(self, key: str, generation: Generation, *, prompt: Prompt) -> None:
        """Keeps `generation` under `key` (`generation_key`); `prompt` lists it beside the examples."""
        self.save_generations([(key, generation, prompt)])

    def save_generations(self, batch: Iterable[tuple[str, Generation, Prompt]]) -> None:
        """Keeps several answers in one transaction: `(key, generation, prompt)` each."""
        rows = [generation_rows.generation_row(*item) for item in batch]
        if not rows:
            return
        with writing(self.engine) as connection:
            upsert(connection, generations, rows, ("key",))
        if self.generation_bytes:
            with self._lock:
                self._unweighed += sum(len(row["payload"]) for row in rows)
                due = self._unweighed > self.generation_bytes // 20
            if due:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        """Drops the oldest answers until nine tenths of `generation_bytes` are held."""
        weight = func.length(generations.c.payload)
        with writing(self.engine) as connection:
            held = connection.execute(select(func.sum(weight))).scalar() or 0
            over = int(held) - self.generation_bytes
            if over > 0:
                over += self.generation_bytes // 10
                gone: list[str] = []
                oldest = select(generations.c.key, weight).order_by(generations.c.created_at)
                for key, size in connection.execute(oldest):
                    gone.append(key)
                    over -= size
                    if over <= 0:
                        break
                for part in chunks(gone):
                    connection.execute(delete(generations).where(generations.c.key.in_(part)))
        with self._lock:
            self._unweighed = 0

    def generation(self, key: str, *, example_id: str = "") -> Generation | None:
        """The answer kept under `key`, as that of `example_id`; None when there is none."""
        with self.engine.connect() as connection:
            query = select(generations.c.payload).where(generations.c.key == key)
            payload = connection.execute(query).scalar()
        found = generation_rows.unpacked(payload) if payload else None
        found = found or self.bundle.generation(key)
        return replace(found, example_id=example_id or found.example_id) if found else None

    def newest_answers(self, prompt: Prompt, spec: ModelSpec, most: int = 8) -> Iterator[Generation]:
        """What the model of `spec` wrote for just this prompt, with whatever parameters, the newest first."""
        prompt_key, sent = listed_as(prompt)
        asked = (generations.c.prompt_key == prompt_key) & (generations.c.sent == sent)
        query = (
            select(generations.c.payload)
            .where(asked, generations.c.model_key == model_key(spec), generations.c.kind == "generated")
            .order_by(generations.c.created_at.desc())
            .limit(most)
        )
        with self.engine.connect() as connection:
            payloads = connection.execute(query).scalars().all()
        return (found for payload in payloads if (found := generation_rows.unpacked(payload)) is not None)

    def made_with(self, keys: Iterable[str]) -> dict[str, tuple[ModelSpec, GenerationParams]]:
        """By which model and with which parameters each of the answers `keys` was made; unreadable ones left out.

        Reads the beginning of each payload only, so that a whole dataset's can be asked for.
        """
        found = {}
        with self.engine.connect() as connection:
            for part in chunks(list(keys)):
                query = select(generations.c.key, generations.c.payload).where(generations.c.key.in_(part))
                for key, payload in connection.execute(query):
                    with suppress(ValueError, KeyError, TypeError, zlib.error, AppError):
                        found[key] = generation_rows.made_with(payload)
        return found

    def texts(self, keys: Iterable[str]) -> dict[str, str]:
        """The text of each of the answers `keys` that is kept."""
        found: dict[str, str] = {}
        with self.engine.connect() as connection:
            for part in chunks(list(keys)):
                query = select(generations.c.key, generations.c.text).where(generations.c.key.in_(part))
                found |= {row.key: row.text for row in connection.execute(query)}
        return found

    def known_generations(self, keys: Iterable[str]) -> set[str]:
        """Which of `keys` are kept."""
        found: set[str] = set()
        with self.engine.connect() as connection:
            for part in chunks(list(keys)):
                query = select(generations.c.key).where(generations.c.key.in_(part))
                found.update(connection.execute(query).scalars())
        return found

    def _import_bundle(self) -> None:
        folder = self.bundle.folder / "generations"
        names = [path.stem for path in folder.glob("??/*.json")]
        if set(names) - self.known_generations(names):
            self.save_generations((key, made, prompt) for key, prompt, made in self.bundle.generations())

    # --- matrices, by content

    def save_salience(self, matrix: SalienceMatrix) -> bool:
        """Keeps `matrix` on disk under its request's key; False when it is larger than the whole budget."""
        return self._files.put(matrix)

    def salience(self, key: str) -> SalienceMatrix | None:
        """The matrix of `key` (`SalienceRequest.key`), from disk or the bundle; None when there is none."""
        return self._files.get(key) or self.bundle.salience(key)

    def forget_maps(self, payloads: Iterable[bytes]) -> None:
        """Removes the matrices and causes of answers that went (their `generations.payload`)."""
        answers = (found for found in map(generation_rows.unpacked, payloads) if found is not None)
        texts = {tuple(map(int, found.tokens.ids)) for found in answers}
        self._files.forget(texts)
        self.causes.forget(texts)

    @staticmethod
    def unpacked(payload: bytes) -> Generation | None:
        """The answer in a row's `payload`; None for one that cannot be read."""
        return generation_rows.unpacked(payload)

    def maps_of(self, texts: Collection[tuple[int, ...]]) -> Iterator[Path]:
        """The files of matrices of `texts`, each the token ids of a prompt and its answer."""
        return self._files.of(texts)

    def computed_bytes(self) -> int:
        """What answers, matrices and causes weigh together: no workspace is charged for them. Asked once a minute."""
        now = time.monotonic()
        held, asked_at = self._computed
        if now < asked_at + _WEIGHED_SECONDS:
            return held
        with self.engine.connect() as connection:
            answers = sum(
                int(connection.execute(select(func.sum(func.length(column)))).scalar() or 0)
                for column in (
                    generations.c.payload,
                    table_cells.c.answer,
                    table_cells.c.why,
                    opinions.c.text,
                )
            )
        held = answers + self._files.stored_bytes() + self.causes.stored_bytes()
        self._computed = (held, now)
        return held

    def copies_gone_by(self, now: float | None = None) -> float | None:
        """When the last copy (`backups`) of what is here now will be gone; None where there is none, or no end."""
        if self._daily is None or self._daily.days is None:
            return None
        held = backup.listed(self._daily.database)
        return max(one.made_at for one in held) + self._daily.days * backup.DAY if held else None

    @property
    def copies_of_others(self) -> bool:
        """Whether copies of the database are its operator's to make, with tools of their own."""
        return self.engine.dialect.name != "sqlite"

    def salience_bytes(self) -> int:
        """What the matrices on disk weigh."""
        return self._files.stored_bytes()


def _empty_workspace(name: str) -> dict[str, Any]:
    now = time.time()
    return {"id": name, "created_at": now, "seen_at": now, "examples": 0, "stored_bytes": 0}


def _no_workspace() -> AppError:
    return AppError(
        "This workspace does not exist (any more).",
        hint="Check the link, or open the start page for a new one.",
        code="missing",
    )


def _content(row: Example) -> list[Any]:
    """What makes a row of a file the one that it is."""
    return [row.id, row.prompt, row.target, row.source, json.loads(json.dumps(dict(row.fields), default=str))]
