"""What is chosen when nobody chose: by device, by size, and by what was measured."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.models.local import precision
from core.models.local.devices import Device
from core.models.local.precision import (
    PrecisionChoice,
    automatic,
    product_seconds,
    speeds,
    what_the_other_costs,
)
from core.models.local.sizes import Facts
from core.records import ModelSpec


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


@pytest.mark.parametrize(
    ("parameters", "fits", "float32_seconds", "dtype"),
    [
        (2_400_000, False, 9.0, "float32"),  # small: time and memory are nothing
        (135_000_000, True, 1.9, "float32"),  # it fits and costs less than twice: truth
        (135_000_000, True, 2.1, "bfloat16"),
        (7_000_000_000, False, 1.9, "bfloat16"),
        (7_000_000_000, False, 0.5, "float32"),  # this processor is slow in bf16
    ],
)
def test_a_processor_takes_float32_where_it_fits_and_costs_at_most_twice(
    monkeypatch, parameters, fits, float32_seconds, dtype
):
    on(monkeypatch, "cpu")
    monkeypatch.setattr(precision, "facts", lambda spec: Facts(parameters))
    monkeypatch.setattr(precision, "estimate", lambda spec: SimpleNamespace(fits=fits))
    monkeypatch.setattr(precision, "speeds", lambda: {"float32": float32_seconds, "bfloat16": 1.0})
    assert automatic("any/model") == PrecisionChoice(dtype, "none", "cpu")


def test_what_the_other_precision_costs_is_told(monkeypatch):
    monkeypatch.setattr(precision, "facts", lambda spec: Facts(135_000_000))
    monkeypatch.setattr(precision, "speeds", lambda: {"float32": 1.4, "bfloat16": 1.0})
    whole = ModelSpec("m", "m", dtype="float32", device="cpu")
    assert "bf16 would be 1.4 times as fast here" in what_the_other_costs(whole)
    assert "rounded to 8 bits, 1.4 times as fast" in what_the_other_costs(replace(whole, dtype="bfloat16"))
    assert what_the_other_costs(replace(whole, quantization="nf4")) == ""


def test_it_is_measured_once(tmp_path):
    asked: list[str] = []

    def measure(dtype: str) -> float:
        asked.append(dtype)
        return {"float32": 2.0, "bfloat16": 1.0}[dtype]

    kept = tmp_path / "new" / "cpu.json"
    assert [speeds(measure, kept) for _ in range(3)] == [{"float32": 2.0, "bfloat16": 1.0}] * 3
    assert asked == ["float32", "bfloat16"]
    for spoilt in (
        "broken",
        '{"machine": "another", "rule": 2, "seconds": {"float32": 1, "bfloat16": 1}}',
        "[]",
    ):
        kept.write_text(spoilt)
        assert speeds(lambda dtype: 3.0, kept) == {"float32": 3.0, "bfloat16": 3.0}


def test_products_are_timed():
    assert product_seconds("float32") > 0 and product_seconds("bfloat16") > 0
