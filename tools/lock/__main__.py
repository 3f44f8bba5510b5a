"""Compile every requirements*.txt into the lock that is installed.

    python -m tools.lock

All lists are resolved together first, so that an extra never brings another version of what the app has; then each
list gets a lock of its own from that one set: exact versions of everything direct and transitive, hashes, markers for
Linux, macOS and Windows, no index address. torch is left out: tools/install.sh puts it in first and alone.
Versions that a lock already names are kept while its list allows them; `--upgrade` takes the newest allowed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lock import ROOT, lists, lock_of

HEADER = "# Made from {name} by `make lock`. Do not edit.\n"


def _compile(sources: list[Path], out: Path, *more: str) -> None:
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
        *("--universal", "--python-version", "3.11", "--no-emit-package", "torch", "--output-file", str(out)),
        *(*more, *(str(path.relative_to(ROOT)) for path in sources), "tools/lock/torch.txt"),
    ]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603


def _pins() -> list[str]:
    """Every `name==version ; marker` that the locks of today hold."""
    known = [lock_of(path).read_text(encoding="utf-8") for path in lists() if lock_of(path).exists()]
    lines = (line.rstrip(" \\") for text in known for line in text.splitlines())
    return sorted({line for line in lines if "==" in line and not line.startswith((" ", "#"))})


def main() -> None:
    arguments = argparse.ArgumentParser(description="Compile the requirement lists into locks.")
    arguments.add_argument("--upgrade", action="store_true", help="take the newest versions that are allowed")
    upgrade = ["--upgrade"] if arguments.parse_args().upgrade else []
    with tempfile.TemporaryDirectory() as folder:
        together = Path(folder) / "together.txt"
        together.write_text("" if upgrade else "\n".join(_pins()) + "\n", encoding="utf-8")
        _compile(lists(), together, *upgrade)
        for path in lists():
            lock = lock_of(path)
            lock.unlink(missing_ok=True)
            _compile([path], lock, "--generate-hashes", "--constraint", str(together))
            text = HEADER.format(name=path.name) + lock.read_text(encoding="utf-8")
            lock.write_text(text, encoding="utf-8")
            print(f"{lock.name}: {sum('==' in line for line in text.splitlines())} packages")


if __name__ == "__main__":
    main()
