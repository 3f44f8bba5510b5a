"""Makes `data/precomputed`: answers and maps that are there before any model is.

    python -m tools.precompute          the first sample's, of the bundled model: the first page paints before torch
    python -m tools.precompute real     the stories of the real models (make model NAME=smollm2, and gemma3, first)

The files are what `core.service` finds by content; tests recompute them and compare.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.answer_defaults import answer_default
from core.cause import Cause
from core.datasets import samples, stories
from core.models.local.real_models import PREFIX, check_here, real_model
from core.records import Generation, GenerationParams, ModelSpec, SalienceMatrix
from core.segments import segments
from core.service import Service
from core.settings import Settings
from core.store.bundle import Bundle
from core.store.cause_files import CauseFiles
from core.store.keys import Prompt
from core.store.store import PRECOMPUTED, Store

METHODS = ("gim", "grad_l2", "grad_dot_input")


@dataclass(frozen=True)
class Asked:
    """One question that ships with its answer."""

    prompt: Prompt
    spec: ModelSpec
    params: GenerationParams
    example_id: str = ""


def demo(service: Service) -> list[Asked]:
    """The first sample, asked of the bundled model."""
    first = samples.load()[0]
    return [Asked(first.prompt, service.spec(), answer_default(first.prompt).params())]


def real(*names: str) -> list[Asked]:
    """Every story of the models `names` (all where none is named)."""
    wanted = names or ("smollm2", "gemma3")
    return [
        Asked(story.sent, real_model(name).spec(), story.params, story.example.id)
        for name in wanted
        for story in stories.load()
        if name in story.models
    ]


def compute(
    service: Service, asked: Sequence[Asked], methods: Sequence[str] = METHODS
) -> list[tuple[Asked, Generation, list[SalienceMatrix]]]:
    """The answers and their matrices, a row a token, computed afresh by a service whose store is empty."""
    done = []
    for one in asked:
        job = service.answers.generate(
            one.prompt, one.spec, one.params, owner="precompute", example_id=one.example_id
        )
        job.wait()
        if job.result is None:
            raise job.error or RuntimeError("no answer")
        # How long this machine took says nothing to anybody else.
        generation = replace(job.result, seconds=0.0) if one.spec.path.startswith(PREFIX) else job.result
        made = []
        for method in methods:
            filled = service.maps.fill(generation.tokens, one.spec, method, owner=f"precompute {method}")
            filled.wait()
            if filled.result is None:
                raise filled.error or RuntimeError("no map")
            made.append(filled.result[method])
        done.append((one, generation, made))
        print(
            f"{one.spec.name}, {one.example_id or 'the first sample'}: {generation.text!r}", file=sys.stderr
        )
    return done


def cause_of(service: Service, spec: ModelSpec, generation: Generation) -> Cause:
    """What *Find the cause* says of the answer's last line, as the page asks it at first, by the line."""
    tokens = generation.tokens
    lines = [part for part in segments(tokens, "line", "response") if any(map(str.isalnum, part.text))]
    request = service.causes.request(tokens, spec, [lines[-1].tokens], segments(tokens, "line", "prompt"))
    job = service.causes.find(request, tokens, owner="precompute cause")
    job.wait()
    if job.result is None:
        raise job.error or RuntimeError("no cause")
    return replace(job.result, seconds=0.0)


def fresh(folder: Path, settings: Settings) -> Service:
    """A service that finds nothing computed before."""
    return Service(settings, Store("", folder, bundle=folder / "none"))


def forget(real_ones: bool) -> None:
    """Takes out of `data/precomputed` what belongs to the real models, or to the bundled one."""
    bundle = Bundle(PRECOMPUTED)
    for path in [*PRECOMPUTED.glob("generations/??/*.json"), *PRECOMPUTED.glob("salience/??/*.npz")]:
        found = bundle.generation(path.stem) if path.suffix == ".json" else bundle.salience(path.stem)
        if found is not None:
            spec = found.model if isinstance(found, Generation) else found.request.model
            if spec.path.startswith(PREFIX) is not real_ones:
                continue
        path.unlink()


def main() -> None:
    real_ones = sys.argv[1:] == ["real"]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings() if real_ones else Settings(data_dir=Path(folder))
        service = fresh(Path(folder), settings)
        try:
            asked = real() if real_ones else demo(service)
            for one in asked if real_ones else ():
                check_here(one.spec.path)
            done = compute(service, asked)
            causes = [] if real_ones else [cause_of(service, one.spec, answer) for one, answer, _ in done]
        finally:
            service.close()
    forget(real_ones)
    bundle = Bundle(PRECOMPUTED)
    for one, generation, matrices in done:
        bundle.write_generation(one.prompt, generation)
        for matrix in matrices:
            bundle.write_salience(matrix)
    for cause in causes:
        CauseFiles(PRECOMPUTED, PRECOMPUTED).put(cause)
    size = sum(path.stat().st_size for path in PRECOMPUTED.rglob("*") if path.is_file())
    print(f"{PRECOMPUTED.name}: {len(done)} answers made, {size / 1e6:.2f} MB in all")


if __name__ == "__main__":
    main()
