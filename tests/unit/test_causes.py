"""Find the cause as the pages ask for it: a job that shows what it knows, stops at once, and is done once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.cause import Cause, CauseRequest, Removal, proposed_locks
from core.models.manager import ModelManager
from core.records import Role, Segment, Tokens
from core.segments import segments
from core.service import Service
from core.settings import Settings
from core.store.cause_files import CauseFiles
from tests.unit.fake_model import SPEC, FakeModel, loader

LONG = 20.0
PROMPT = "The soup has cheese.\nA vegan\nwould not\nlike it.\nWould they?"


@pytest.fixture
def service(load_tiny, tmp_path: Path) -> Iterator[Service]:
    service = Service(
        Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(lambda *_, **__: load_tiny("llama"))
    )
    yield service
    service.jobs.close()  # the model is everybody's and stays open
    service.store.close()


def test_a_cause_is_measured_step_by_step_and_kept(service: Service, load_tiny) -> None:
    model = load_tiny("llama")
    tokens = model.tokenize(PROMPT, " like")
    lines = segments(tokens, "line", "prompt")
    request = service.causes.request(tokens, model.spec, [(tokens.prompt_len, len(tokens))], lines)
    assert len(request.parts) == 5 and request.locked == (4,)  # <bos> is no part; the question stays
    assert service.causes.known(request) is None
    seen: list[int] = []
    job = service.causes.find(request, tokens, owner="a")
    job.on_change(lambda job: seen.append(len(job.partial.removals)) if job.partial is not None else None)
    cause = job.get(LONG)
    assert cause.verdict != "measuring" and len(cause.removals) >= 5
    assert seen and max(seen) == len(cause.removals)
    assert np.isnan(cause.effect_nats[4]) and np.isfinite(cause.effect_nats[:4]).all()
    assert service.causes.known(request) is cause
    assert service.causes.find(request, tokens, owner="b").get(LONG) is cause


def test_a_restart_loses_nothing(service: Service, load_tiny, tmp_path: Path) -> None:
    model = load_tiny("llama")
    tokens = model.tokenize(PROMPT, " like")
    request = service.causes.request(
        tokens, model.spec, [(tokens.prompt_len, len(tokens))], segments(tokens, "line", "prompt")
    )
    cause = service.causes.find(request, tokens, owner="a").get(LONG)
    fresh = Service(Settings(data_dir=tmp_path, _env_file=None))
    kept = fresh.causes.known(request)
    assert kept is not None and kept.removals == cause.removals and kept.request == request
    assert (kept.verdict, kept.parts, kept.joint) == (cause.verdict, cause.parts, cause.joint)
    np.testing.assert_array_equal(kept.map_scores, cause.map_scores)
    (path,) = (tmp_path / "causes").glob("??/*.json")
    path.write_text(path.read_text()[:-9])
    assert Service(Settings(data_dir=tmp_path, _env_file=None)).causes.known(request) is None
    fresh.store.close()


def test_only_so_many_are_kept_and_what_cannot_be_measured_survives(tmp_path: Path) -> None:
    files = CauseFiles(tmp_path, tmp_path / "none", most=10)
    made = []
    for size in range(2, 14):
        request = CauseRequest(SPEC, tuple(range(size + 1)), size, ((size, size + 1),), ((0, size),))
        made.append(Cause(request, "none", (), (0,), None, (Removal((0,), float("nan")),)))
        files.put(made[-1])
    assert len(list((tmp_path / "causes").glob("??/*.json"))) <= 10
    kept = files.get(made[-1].request.key)
    assert kept is not None and np.isnan(kept.removals[0].effect_nats)


def test_stop_ends_it_within_one_pass(tmp_path: Path) -> None:
    model = FakeModel()
    service = Service(Settings(data_dir=tmp_path, _env_file=None), manager=ModelManager(loader(model)))
    asked, go = threading.Event(), threading.Event()
    plain = model.logprobs
    count = 0

    def slow(tokens: Tokens) -> np.ndarray:
        nonlocal count
        count += 1
        asked.set()
        assert go.wait(LONG)
        return plain(tokens)

    model.logprobs = slow  # type: ignore[method-assign]
    tokens = model.tokenize("abcdefgh", "xy")
    parts = tuple(Segment(i, "a", (i, i + 1), (i, i + 1), Role.PROMPT) for i in range(8))
    request = service.causes.request(tokens, SPEC, [(8, 10)], parts, locked=())
    job = service.causes.find(request, tokens, owner="a")
    assert asked.wait(LONG)
    job.stop()
    go.set()
    assert job.wait(LONG) and job.state == "stopped" and count == 1
    service.close()


@pytest.mark.parametrize(
    ("texts", "locked"),
    [
        (("Facts.\n", "More.\n", "Where is it?\n", "Answer:"), (2, 3)),
        (("Facts.\n", "Where is it?"), (1,)),
        (("Facts.\n", "Answer in French."), ()),
        (("sea otter => loutre\n", "cheese =>"), (1,)),
        (("Facts.\n", "The cat sat on the"), (1,)),
        (("Who?\n", "Where?\n", "Why?"), (1, 2)),
        (("事实。\n", "谁？"), (1,)),
        (("One line?",), ()),
        ((), ()),
    ],
)
def test_the_question_or_the_cue_at_the_end_is_proposed_as_locked(
    texts: tuple[str, ...], locked: tuple[int, ...]
) -> None:
    parts = [Segment(i, text, (0, 0), (i, i + 1)) for i, text in enumerate(texts)]
    assert proposed_locks(parts) == locked
