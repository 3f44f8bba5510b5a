"""What is installed in another version than the locks name.

python -m tools.lock.newer LOCK …      in the environment that is asked about
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LEFT_OUT = {"pip", "setuptools", "wheel", "torch"}
"""They come with the environment; torch is installed before everything else, at the version of requirements.txt."""


def pins(text: str) -> dict[str, str]:
    """Package, its name as the index spells it -> version, for every line of a lock that counts on this machine."""
    lines = (line.rstrip(" \\") for line in text.splitlines())
    wanted = [Requirement(line) for line in lines if "==" in line and not line.startswith((" ", "#"))]
    return {
        canonicalize_name(one.name): next(iter(one.specifier)).version
        for one in wanted
        if one.marker is None or one.marker.evaluate()
    }


def differences(locked: Mapping[str, str], installed: Mapping[str, str]) -> list[str]:
    """A line for each package whose version differs, that no lock names, or that is in a lock alone."""
    return [
        f"{name} {locked.get(name, 'in no lock')} -> {installed.get(name, 'not installed')}"
        for name in sorted({*locked, *installed} - LEFT_OUT)
        if locked.get(name) != installed.get(name)
    ]


def _installed() -> dict[str, str]:
    return {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}


def main(locks: Iterable[str]) -> None:
    named = [pins(Path(lock).read_text(encoding="utf-8")) for lock in locks]
    together = {name: version for one in named for name, version in one.items()}
    print("Other than the lock (locked -> installed):")
    print("\n".join(f"  {line}" for line in differences(together, _installed())) or "  nothing")


if __name__ == "__main__":
    main(sys.argv[1:])
