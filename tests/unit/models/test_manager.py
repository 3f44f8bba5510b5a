"""One model at a time, and the old one back when the new one fails."""

from __future__ import annotations

import pytest

from core.errors import AppError
from core.models.manager import ModelManager
from core.records import ModelSpec

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
