"""What is chosen when nobody chose: by device, by size, and by what was measured."""

from __future__ import annotations

import pytest

from core.models.local import precision
from core.models.local.devices import Device
from core.models.local.precision import PrecisionChoice, automatic, faster_dtype, product_seconds
from core.models.local.sizes import Facts


@pytest.fixture(autouse=True)
def fresh():
    automatic.cache_clear()
    yield
    automatic.cache_clear()


def on(monkeypatch, *names: str) -> None:
    monkeypatch.setattr(precision.devices, "available", lambda: tuple(Device(n, n, 0, 0) for n in names))


def test_a_gpu_takes_nf4(monkeypatch):
    on(monkeypatch, "cuda", "cpu")
    assert automatic("any/model") == PrecisionChoice("bfloat16", "nf4", "cuda")
    automatic.cache_clear()
    on(monkeypatch, "auto", "cuda", "cuda:1", "cpu")
    assert automatic("any/model").device == "auto"


@pytest.mark.parametrize(("parameters", "dtype"), [(2_400_000, "float32"), (7_000_000_000, "bfloat16")])
def test_a_processor_takes_float32_for_small_models_and_the_faster_for_large(monkeypatch, parameters, dtype):
    on(monkeypatch, "cpu")
    monkeypatch.setattr(precision, "facts", lambda spec: Facts(parameters))
    monkeypatch.setattr(precision, "faster_dtype", lambda: "bfloat16")
    assert automatic("any/model") == PrecisionChoice(dtype, "none", "cpu")


def test_it_is_measured_once(tmp_path):
    asked: list[str] = []

    def measure(dtype: str) -> float:
        asked.append(dtype)
        return {"float32": 2.0, "bfloat16": 1.0}[dtype]

    kept = tmp_path / "new" / "cpu.json"
    assert [faster_dtype(measure, kept) for _ in range(3)] == ["bfloat16"] * 3
    assert asked == ["float32", "bfloat16"]
    kept.write_text("broken")
    assert faster_dtype(lambda dtype: {"float32": 1.0, "bfloat16": 2.0}[dtype], kept) == "float32"


def test_products_are_timed():
    assert product_seconds("float32") > 0 and product_seconds("bfloat16") > 0
