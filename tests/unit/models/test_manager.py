"""One model at a time, and the old one back when the new one fails."""

from __future__ import annotations

import pytest

from core.errors import AppError, Stopped
from core.models.manager import ModelManager
from core.records import ModelSpec
from core.salience import method, request_for

A, B = ModelSpec("a", "a"), ModelSpec("b", "b")


class Fake:
    def __init__(self, spec, log):
        self.spec, self.log = spec, log
        log.append(f"load {spec.name}")

    def close(self):
        self.log.append(f"close {self.spec.name}")


def manager(log, broken=()):
    def loader(spec, progress, stop):
        if spec in broken:
            raise AppError("broken")
        return Fake(spec, log)

    return ModelManager(loader)


def test_evicts_before_it_loads():
    log: list[str] = []
    models = manager(log)
    for spec in (A, A, B):
        with models.get(spec) as model:
            assert model.spec == spec
    assert log == ["load a", "close a", "load b"]
    assert models.loaded == (B,)
    models.evict()
    assert models.loaded == () and log[-1] == "close b"


def test_a_failed_load_leaves_the_old_model_working():
    log: list[str] = []
    models = manager(log, broken=(B,))
    with models.get(A):
        pass
    with pytest.raises(AppError, match="broken"), models.get(B):
        pass
    with models.get(A) as model:
        assert model.spec == A


def test_when_the_old_one_is_gone_too_the_first_reason_is_told():
    log: list[str] = []
    broken: list[ModelSpec] = [B]
    models = manager(log, broken)
    with models.get(A):
        broken.append(A)
    with pytest.raises(AppError, match="broken"), models.get(B):
        pass
    assert models.loaded == ()


def test_twenty_loads_leave_the_memory_where_it_was(model_folder):
    """6 MB of weights each time, and what a pass leaves: models kept by mistake would show."""
    import gc
    import weakref

    import psutil

    folder = model_folder("llama", hidden_size=128, intermediate_size=512, num_hidden_layers=6)
    spec = ModelSpec("x", str(folder))
    models, process = ModelManager(), psutil.Process()
    gone: list[weakref.ref] = []

    def cycle() -> int:
        with models.get(spec) as model:
            tokens = model.tokenize("The soup has", " cheese")
            method("grad_l2").run(model, request_for(model, tokens, "grad_l2"))
            gone.append(weakref.ref(model.model))
        models.evict()
        gc.collect()
        return process.memory_info().rss

    settled = [cycle() for _ in range(3)][-1]
    after = [cycle() for _ in range(20)][-1]
    assert abs(after - settled) <= 0.05 * settled
    assert all(reference() is None for reference in gone)


def test_loading_tells_how_far_it_is_and_can_be_cancelled(model_folder):
    import threading

    spec, seen, stop = ModelSpec("x", str(model_folder("llama"))), [], threading.Event()
    models = ModelManager()
    with models.get(spec, progress=lambda share, words: seen.append((share, words))):
        pass
    shares = [share for share, _ in seen]
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 5
    assert {"Reading the tokenizer", "Reading the weights", "Ready"} <= {words for _, words in seen}

    def cancel(share: float, words: str) -> None:
        if words == "Reading the weights":
            stop.set()

    other = ModelSpec("y", str(model_folder("gpt2")))
    with pytest.raises(Stopped), models.get(other, progress=cancel, stop=stop):
        pass
    with models.get(spec) as model:
        assert model.spec.name == "x"
