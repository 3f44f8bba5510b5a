from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from core.models.local import devices


def test_a_machine_without_gpus_has_its_processor_and_asks_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_DRIVERS", ())
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "torch", None)  # an import would fail
    (cpu,) = devices.available()
    assert cpu.name == "cpu"
    assert 0 < cpu.free_bytes <= cpu.total_bytes


def test_several_gpus_stand_first_and_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cuda = SimpleNamespace(
        is_available=lambda: True,
        device_count=lambda: 2,
        mem_get_info=lambda index: ((5, 8), (7, 8))[index],
        get_device_name=lambda index: f"GPU {index}",
    )
    monkeypatch.setattr(devices, "_DRIVERS", (str(tmp_path_factory.mktemp("driver")),))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    names = [(d.name, d.free_bytes, d.total_bytes) for d in devices.available()[:3]]
    assert names == [("auto", 12, 16), ("cuda", 5, 8), ("cuda:1", 7, 8)]
