"""For all tests: property tests try the same cases on every run, and the last lines say what was left out."""

from importlib.util import find_spec

import pytest
from hypothesis import settings

settings.register_profile("whence", deadline=None, derandomize=True)
settings.load_profile("whence")

EXTRAS = {
    "ray": ("ray", "dataset work on Ray Data"),
    "keras": ("keras_hub", "KerasHub presets"),
    "gemini": ("google.genai", "Gemini and Vertex AI"),
    "postgres": ("psycopg", "PostgreSQL as the store"),
}
"""Extra -> a module that only it brings, and what its tests are about."""


def missing_extras() -> dict[str, str]:
    """The extras that are not installed here, with what they are for."""
    found = {}
    for extra, (module, purpose) in EXTRAS.items():
        try:
            there = find_spec(module) is not None
        except ModuleNotFoundError:  # the package around a module inside one
            there = False
        if not there:
            found[extra] = purpose
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which optional parts were not tested, and the command that brings each."""
    left_out = missing_extras()
    if left_out:
        terminalreporter.section("left out: optional extras that are not installed here")
        for extra, purpose in left_out.items():
            terminalreporter.write_line(
                f"{purpose}: sh tools/install.sh .venv/bin/python requirements-{extra}.lock"
            )
