"""Change the maths a little, thousands of times, and see whether its tests notice (mutmut 3).

    python -m tools.mutants [GROUP …]      every group of tools/mutants/groups.py, or those named
    python -m tools.mutants --sample 400 salience    only so many of its mutants, always the same
    python -m tools.mutants --report       only write docs/mutants.md from what was run

Each group gets a copy of the project under out/mutants/, in which mutmut forks a process a mutant (torch is
imported once) and runs the tests that reach the changed function, under a clock. What was run is kept there: a
second run tests the mutants of changed functions, and those that survived.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

from tools.mutants.groups import GROUPS, ROOT, Group
from tools.mutants.report import write
from tools.mutants.undecorated import undecorated

PLACE = ROOT / "out" / "mutants"
SEED = 10
COPIED = ("data", "tools", "tests", "docs", "pages", "README.md", "requirements.txt")
"""What tests read beside the source."""
SETTINGS = """
[tool.mutmut]
source_paths = ["core"]
only_mutate = {files}
also_copy = {copied}
do_not_mutate_patterns = ['raise AppError\\(', 'assert ']
pytest_add_cli_args = ["-p", "tools.mutants.quick", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
process_isolation = "forkserver"
use_git_change_detection = false
on_dependency_change = "ignore"
timeout_constant = 2.0
timeout_multiplier = 10.0
"""


def prepare(group: Group) -> Path:
    """The folder in which mutmut works on `group`: the project of now, and mutmut's settings."""
    place = PLACE / group.name
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "core").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            _put(path, place / path.relative_to(ROOT), group)
    for name in COPIED:
        shutil.rmtree(place / name, ignore_errors=True)
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, place / name)
    settings = SETTINGS.format(
        files=json.dumps(group.files), copied=json.dumps(COPIED), tests=json.dumps(group.tests)
    )
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (place / "pyproject.toml").write_text(project + settings, encoding="utf-8")
    return place


def _put(path: Path, to: Path, group: Group) -> None:
    """Copies a file; one that is mutated is written without decorators, and left alone where nothing changed."""
    to.parent.mkdir(parents=True, exist_ok=True)
    mutated = any(path.relative_to(ROOT).match(pattern) for pattern in group.files)
    if not mutated:
        shutil.copy2(path, to)
        return
    text = undecorated(path.read_text(encoding="utf-8"))
    if not to.exists() or to.read_text(encoding="utf-8") != text:
        to.write_text(text, encoding="utf-8")


def run(group: Group, sample: int | None = None) -> None:
    """Every mutant of `group` that was not tested since its function changed, and those that survived.

    With `sample`, that many of all mutants of the group, always the same ones.
    """
    place = prepare(group)
    chosen = None if sample is None else set(_sampled(group, place, sample))
    killed: set[str] = set()
    for meta in place.glob("mutants/core/**/*.meta"):
        found = json.loads(meta.read_text(encoding="utf-8"))
        codes = found["exit_code_by_key"]
        killed |= {key for key, code in codes.items() if code == 1}
        again = {key: None for key in codes if key not in killed and (chosen is None or key in chosen)}
        found["exit_code_by_key"] = {**codes, **again}
        meta.write_text(json.dumps(found), encoding="utf-8")
    (place / "mutants" / "mutmut-stats.json").unlink(
        missing_ok=True
    )  # which tests reach what: of today's tests
    named = sorted((chosen or set()) - killed)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *named]
    print(f"{group.name}: {', '.join(group.files)} by {', '.join(group.tests)}", flush=True)
    if sample is None or named:
        subprocess.run(command, cwd=place, check=True)  # noqa: S603


def _sampled(group: Group, place: Path, count: int) -> list[str]:
    """`count` names out of all mutants of `group`, by a fixed seed."""
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.file_utils import change_cwd
    from mutmut.utils.format_utils import get_mutant_name

    with change_cwd(place):
        paths = sorted({path for pattern in group.files for path in Path().glob(pattern)})
        names = [
            get_mutant_name(path, name)
            for path in paths
            for name in mutate_file_contents(str(path), path.read_text(encoding="utf-8")).mutant_names
        ]
    return random.Random(SEED).sample(names, min(count, len(names)))


def main() -> None:
    arguments = argparse.ArgumentParser(description="Mutation tests of the maths.")
    arguments.add_argument("groups", nargs="*", help=", ".join(one.name for one in GROUPS))
    arguments.add_argument("--sample", type=int, help="only so many mutants of each group, by a fixed seed")
    arguments.add_argument("--report", action="store_true", help="only write docs/mutants.md")
    given = arguments.parse_args()
    for group in GROUPS:
        if not given.report and (not given.groups or group.name in given.groups):
            run(group, given.sample)
    write(PLACE)


if __name__ == "__main__":
    main()
