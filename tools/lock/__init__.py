"""Where the requirement lists and their locks are. Knows nothing of installing."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def lists() -> list[Path]:
    """The requirement lists for people, requirements.txt first."""
    return sorted(ROOT.glob("requirements*.txt"), key=lambda path: (path.stem != "requirements", path.name))


def lock_of(path: Path) -> Path:
    """The lock beside a list: requirements-dev.txt -> requirements-dev.lock."""
    return path.with_suffix(".lock")
