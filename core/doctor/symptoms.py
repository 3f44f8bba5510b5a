"""The checks: settings, packages, folders, database, models, devices. Each looks and changes nothing.

Nothing is loaded, fetched or asked over the network, but for a PostgreSQL server that the settings name.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from core.errors import AppError
from core.models import backend
from core.models.configured import configured_specs
from core.models.local import folder, folder_checks, weights_address
from core.models.local.devices import available
from core.settings import ROOT, Settings
from core.store import backup, faults, health
from core.store.engine import connector

Level = Literal["ok", "note", "wrong"]
_OTHER_NAMES = frozenset({"WHENCE_ROLE", "WHENCE_REMOTE_TOKENS"})


@dataclass(frozen=True, slots=True)
class Symptom:
    """One line of the report: of which part, how it is, and a sentence."""

    part: str
    level: Level
    sentence: str


def examine(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Symptom]:
    """Every finding, part by part. A check that fails in a way nobody foresaw is a finding too."""
    given = os.environ if environment is None else environment
    checks: tuple[tuple[str, Callable[[], Iterator[Symptom]]], ...] = (
        ("Installation", _installation),
        ("Settings", lambda: _settings(settings, given)),
        ("Folder", lambda: _folder(settings)),
        ("Database", lambda: _database(settings)),
        ("Models", lambda: _models(settings)),
        ("Devices", _devices),
    )
    found: list[Symptom] = []
    for part, check in checks:
        try:
            found.extend(check())
        except AppError as error:
            found.append(Symptom(part, "wrong", str(error)))
        except Exception as error:  # a report with a hole in it still helps
            found.append(
                Symptom(part, "wrong", f"This could not be looked at ({type(error).__name__}: {error}).")
            )
    return found


def _installation() -> Iterator[Symptom]:
    yield Symptom("Installation", "ok", f"Python {platform.python_version()} on {platform.platform()}.")
    lock = ROOT / "requirements.lock"
    if not lock.exists():
        yield Symptom("Installation", "note", "There is no requirements.lock here to compare packages with.")
        return
    differ, missing = [], []
    for line in lock.read_text(encoding="utf-8").splitlines():
        name, _, version = line.split(";")[0].rstrip(" \\").partition("==")
        if not version or line.startswith((" ", "#")) or ";" in line:
            continue
        try:
            there = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if there.split("+")[0] != version.strip():
            differ.append(f"{name} {there} instead of {version.strip()}")
    if missing:
        yield Symptom(
            "Installation", "wrong", f"Packages of the lock that are missing: {', '.join(missing)}."
        )
    if differ:
        yield Symptom("Installation", "note", f"Other versions than in the lock: {', '.join(differ)}.")
    if not missing and not differ:
        yield Symptom("Installation", "ok", "Every package has the version of requirements.lock.")


def _settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Symptom]:
    known = set(_OTHER_NAMES)
    changed = []
    for name, field in type(settings).model_fields.items():
        alias = field.validation_alias
        names = [str(one) for one in getattr(alias, "choices", [])] or [f"WHENCE_{name.upper()}"]
        known.update(names)
        value = getattr(settings, name)
        if value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, SecretStr):
            shown = "set (not shown)"
        elif name == "database_url":
            shown = connector(value, settings.data_dir)[1].shown
        else:
            shown = str(value)
        changed.append(f"{names[0]}={shown}")
    yield Symptom("Settings", "ok", f"Changed from the defaults: {'; '.join(changed) or 'none'}.")
    pairs = [pair.partition("=")[0] for pair in environment.get("WHENCE_REMOTE_TOKENS", "").split()]
    if pairs:
        yield Symptom("Settings", "ok", f"Access tokens (not shown) for: {', '.join(pairs)}.")
    for name in sorted(environment):
        if name.startswith("WHENCE_") and not name.startswith("WHENCE_SERVER_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            yield Symptom("Settings", "wrong", f"There is no setting {name}, so it does nothing.{meant}")


def _folder(settings: Settings) -> Iterator[Symptom]:
    place = settings.data_dir
    there = next(p for p in (place, *place.absolute().parents) if p.exists())
    if not there.is_dir():
        yield Symptom(
            "Folder", "wrong", str(faults.of_folder(NotADirectoryError(20, "Not a directory"), place))
        )
        return
    if not os.access(there, os.W_OK | os.X_OK):
        told = faults.of_folder(PermissionError(13, "Permission denied"), place)
        yield Symptom("Folder", "wrong", str(told))
        return
    free = shutil.disk_usage(there).free
    made = "" if place.exists() else " It is made at the first start."
    yield Symptom("Folder", "ok", f"Data are kept in {place}; {free:,} bytes are free there.{made}")
    if (short := health.room(there, settings.least_free_bytes)) is not None:
        yield Symptom("Folder", "wrong", str(short))
    held = sum(file.stat().st_size for file in (place / "salience").glob("??/*.npz"))
    yield Symptom("Folder", "ok", f"Maps weigh {held:,} bytes of at most {settings.max_stored_bytes:,}.")


def _database(settings: Settings) -> Iterator[Symptom]:
    seen = health.look(settings.database_url, settings.data_dir)
    place = seen.place
    if not seen.version:
        yield Symptom(
            "Database", "note", f"There is no database at {place.shown} yet; the first start makes it."
        )
        return
    yield _version(seen.version, seen.newest, place.shown)
    if place.path is None:
        yield Symptom(
            "Database",
            "note",
            "`python -m core.doctor backup` copies PostgreSQL by its own pg_dump; daily copies are its operator's.",
        )
        return
    held = ", ".join(f"{count:,} {name}" for name, count in seen.rows.items())
    yield Symptom("Database", "ok", f"It is whole: {place.path.stat().st_size:,} bytes with {held}.")
    if not os.access(place.path, os.W_OK):
        yield Symptom("Database", "wrong", f"Whence may not write to {place.path}.")
    copies = backup.listed(place.path)
    if not copies:
        yield Symptom(
            "Database", "note", "There is no backup yet; the first is made a day after the first start."
        )
    for copy in copies:
        yield Symptom("Database", "ok", f"Backup {copy.path.name}, {copy.bytes:,} bytes.")


def _version(found: str, newest: str, shown: str) -> Symptom:
    if found == newest:
        return Symptom("Database", "ok", f"{shown} has the tables of this version ({found}).")
    if found > newest:
        sentence = f"{shown} was made by a newer Whence (tables {found}, this one knows {newest})."
        return Symptom("Database", "wrong", sentence)
    sentence = (
        f"{shown} has the tables of version {found}; the next start brings them to {newest}, after a backup."
    )
    return Symptom("Database", "note", sentence)


def _models(settings: Settings) -> Iterator[Symptom]:
    for spec in configured_specs(settings):
        if backend(spec.backend).remote:
            yield Symptom("Models", "note", f"{spec.name}: at {spec.path}, which was not asked.")
            continue
        here = folder.local(spec.path)
        if weights_address.names(spec.path) and not weights_address.is_here(spec.path):
            yield Symptom(
                "Models", "note", f"{spec.name}: {spec.path}, which is fetched when it is first asked."
            )
            continue
        if here is None:
            yield Symptom("Models", "note", f"{spec.name}: {spec.path} on the hub, which was not asked.")
            continue
        try:
            folder_checks.check(here)
        except AppError as error:
            yield Symptom("Models", "wrong", f"{spec.name}: {error}")
            continue
        size = folder.weight_bytes(here)
        yield Symptom(
            "Models",
            "ok",
            f"{spec.name}: {here}, {size:,} bytes of weights, {spec.precision}, {spec.device}.",
        )


def _devices() -> Iterator[Symptom]:
    for device in available():
        size = f"{device.free_bytes:,} of {device.total_bytes:,} bytes free"
        yield Symptom("Devices", "ok", f"{device.name}: {device.label}, {size}.")
