"""A requirement list and its lock say the same, and the lock is whole: exact, hashed, without an address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.lock import lists, lock_of
from tools.lock.newer import differences, pins

LEFT_OUT = {"torch"}  # goes in first and alone, tools/install.sh


def wanted(path: Path) -> list[Requirement]:
    """The lines of a list, those of the lists that it builds on among them."""
    found: list[Requirement] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r "):
            found += wanted(path.parent / text[3:])
        elif text:
            found.append(Requirement(text))
    return found


def locked(text: str) -> dict[str, Version]:
    """Name -> version of every package in a lock."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ \\\n]+)", text, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def disagreements(required: list[Requirement], pins: dict[str, Version]) -> list[str]:
    """What a list asks for and its lock does not hold."""
    return [
        str(one)
        for one in required
        if canonicalize_name(one.name) not in LEFT_OUT
        and (
            canonicalize_name(one.name) not in pins
            or not one.specifier.contains(pins[canonicalize_name(one.name)])
        )
    ]


@pytest.mark.parametrize("path", lists(), ids=lambda path: path.name)
def test_a_lock_holds_what_its_list_asks_for(path: Path) -> None:
    assert disagreements(wanted(path), locked(lock_of(path).read_text(encoding="utf-8"))) == []


def test_the_check_can_fail() -> None:
    required = [Requirement("numpy~=2.4"), Requirement("regex>=2"), Requirement("torch==2.13.0")]
    assert disagreements(required, locked("numpy==2.4.6 \\\nregex==2026.1\n")) == []
    assert disagreements(required, locked("numpy==3.0\n")) == ["numpy~=2.4", "regex>=2"]


@pytest.mark.parametrize("path", lists(), ids=lambda path: path.name)
def test_a_lock_is_exact_and_hashed_and_names_no_index(path: Path) -> None:
    text = lock_of(path).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.split("\n", 1)[1])
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^(torch|tensorflow|nvidia)", text, re.MULTILINE)


def test_one_version_of_a_package_in_all_locks() -> None:
    versions: dict[str, set[Version]] = {}
    for path in lists():
        for name, version in locked(lock_of(path).read_text(encoding="utf-8")).items():
            versions.setdefault(name, set()).add(version)
    assert {name for name, found in versions.items() if len(found) > 1} == set()


def test_what_differs_from_the_locks_is_told_whatever_a_name_is_spelled_like() -> None:
    lock = (
        "# Made from a list\n"
        "typing-extensions==4.15.0 \\\n    --hash=sha256:00\n"
        "zope-interface==8.1\n"
        "numpy==2.4.6 ; python_full_version >= '3.11' \\\n"
        "numpy==2.3.0 ; python_full_version < '3.11'\n"
        "gone==1.0\n"
    )
    locked = pins(lock)
    assert locked == {"typing-extensions": "4.15.0", "zope-interface": "8.1", "numpy": "2.4.6", "gone": "1.0"}
    there = {"typing-extensions": "4.15.0", "zope-interface": "8.2", "numpy": "2.4.6", "fresh": "0.1"}
    assert differences(locked, there) == [
        "fresh in no lock -> 0.1",
        "gone 1.0 -> not installed",
        "zope-interface 8.1 -> 8.2",
    ]
    assert pins("Zope.Interface==8.1\n") == {"zope-interface": "8.1"}
