"""Symptoms as plain text, with every secret of this process's settings taken out once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from pydantic import SecretStr

from core.doctor.symptoms import Symptom
from core.settings import Settings

_SIGNS = {"ok": "  ok   ", "note": "  note ", "wrong": "  WRONG"}
_NAMES = ("TOKEN", "KEY", "SECRET", "PASSWORD", "CREDENTIAL")
HIDDEN = "•••"


def report(findings: Iterable[Symptom], secrets: Iterable[str] = ()) -> str:
    """One heading a part, one line a finding; every one of `secrets` is replaced."""
    lines: list[str] = []
    for part, group in groupby(findings, lambda finding: finding.part):
        lines += [part, *(f"{_SIGNS[one.level]} {one.sentence}" for one in group), ""]
    text = "\n".join(lines)
    for secret in sorted(set(secrets), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def secrets_of(settings: Settings, environment: Mapping[str, str]) -> set[str]:
    """Every value that must not be in a report: secret settings, passwords in addresses, tokens of the environment."""
    found = {value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)}
    for name, value in environment.items():
        if any(word in name.upper() for word in _NAMES):
            found |= {part.partition("=")[2] or part for part in value.split()} | {value}
    address = settings.database_url
    if "@" in address and ":" in address.rpartition("@")[0].partition("://")[2]:
        found.add(address.rpartition("@")[0].partition("://")[2].partition(":")[2])
    return {secret for secret in found if len(secret) >= 4}
