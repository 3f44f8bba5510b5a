"""What other packages add: taken in, refused with a reason, and listed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from core import plugins


@dataclass(frozen=True)
class Thing:
    name: str


OWN = (Thing("own"),)
GOOD, TAKEN, STRANGE = Thing("new"), Thing("own"), 3


def boom() -> None: ...


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    made = [("good", "GOOD"), ("strange", "STRANGE"), ("taken", "TAKEN"), ("gone", "NOT_THERE")]
    found = tuple(EntryPoint(name, f"{here}:{value}", "whence.metrics") for name, value in made)
    monkeypatch.setattr(plugins, "_looked_up", lambda group: found if group == "whence.metrics" else ())
    monkeypatch.setattr(plugins, "_faults", {})
    import sys

    monkeypatch.setitem(
        sys.modules, here, sys.modules.get(here) or __import__("types").SimpleNamespace(**globals())
    )


def test_members_of_other_packages_stand_behind_our_own(points: None) -> None:
    made = plugins.extended("whence.metrics", Thing, OWN)
    assert made == (*OWN, GOOD)
    why = {one.name: one.why for one in plugins.found()}
    assert why["good"] == "" and "taken" in why["taken"] and "should be a Thing" in why["strange"]
    assert "cannot be loaded: AttributeError" in why["gone"]


def test_without_plugins_a_family_is_its_own() -> None:
    assert plugins.extended("whence.nothing", Thing, OWN) == OWN
    assert all(one.group in plugins.GROUPS for one in plugins.found())
