"""The package's dependencies, read from the requirement lists: one list, for people, the locks and the wheel."""

from __future__ import annotations

from pathlib import Path

APP = {
    "streamlit",
    "authlib",
    "openpyxl",
    "defusedxml",
    "charset-normalizer",
    "pyarrow",
    "sqlalchemy",
    "alembic",
}
"""What only the app, and what it keeps, needs."""
SERVER = {"fastapi", "uvicorn", "prometheus-client"}
EXTRAS = ("ray", "keras", "gemini", "postgres", "notebook", "gcs")
"""Each has a list of its own: requirements-<name>.txt."""


def listed(path: Path) -> list[str]:
    """The requirements of a list, its comments and references to other lists left out."""
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def name_of(requirement: str) -> str:
    """`torch==2.13.0` -> `torch`, without extras and markers."""
    for sign in "~=<>!;[ ":
        requirement = requirement.split(sign)[0]
    return requirement.strip().lower()


def declared(root: Path) -> tuple[list[str], dict[str, list[str]]]:
    """(dependencies, extras) for the package's metadata. torch may be any release of the tested one's line."""
    every = listed(root / "requirements.txt")
    missing = (APP | SERVER) - {name_of(one) for one in every}
    if missing:
        raise ValueError(f"requirements.txt no longer lists {', '.join(sorted(missing))}")
    loose = [one.replace("torch==", "torch~=") if name_of(one) == "torch" else one for one in every]
    base = [one for one in loose if name_of(one) not in APP | SERVER]
    extras = {"app": [one for one in loose if name_of(one) in APP | SERVER]}
    keeps = {"sqlalchemy", "alembic"}
    extras["server"] = [one for one in loose if name_of(one) in SERVER | keeps]
    for name in EXTRAS:
        extras[name] = listed(root / f"requirements-{name}.txt")
    return base, extras
