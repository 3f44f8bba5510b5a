"""For all tests: property tests try the same cases on every run, and the last lines say what was left out."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from core.models.local.real_models import REAL_MODELS, RealModel, real_model
from core.settings import Settings

settings.register_profile("whence", deadline=None, derandomize=True)
settings.load_profile("whence")

EXTRAS = {
    "ray": ("ray", "dataset work on Ray Data"),
    "keras": ("keras_hub", "KerasHub presets"),
    "gemini": ("google.genai", "Gemini and Vertex AI"),
    "postgres": ("psycopg", "PostgreSQL as the store"),
    "notebook": ("anywidget", "the widget in notebooks"),
}
"""Extra -> a module that only it brings, and what its tests are about."""


REAL = Settings().data_dir / "models"
"""Where `make model` puts real models; the tests themselves have data folders of their own."""


def real_folder(model: RealModel) -> Path:
    """The folder that the model was converted into, there or not."""
    return REAL / f"gguf-{model.revision}"


@pytest.fixture(scope="session")
def real_files() -> Callable[[str], tuple[Path, Path]]:
    """`real_files("smollm2")`: the model's `.gguf` file and its folder; skips where `make model` has not been run."""

    def find(name: str) -> tuple[Path, Path]:
        model = real_model(name)
        found = REAL / model.name / model.gguf, real_folder(model)
        if not all(place.exists() for place in found):
            pytest.skip(f"{model.title} is not on this machine: make model NAME={name}")
        return found

    return find


def missing_models() -> list[RealModel]:
    return [model for model in REAL_MODELS if not (real_folder(model) / "origin.json").is_file()]


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
    models = missing_models()
    if models:
        terminalreporter.section("left out: real models that are not on this machine")
        for model in models:
            accept = " ACCEPT_TERMS=yes" if model.must_accept else ""
            terminalreporter.write_line(f"{model.title}: make model NAME={model.name}{accept}")
