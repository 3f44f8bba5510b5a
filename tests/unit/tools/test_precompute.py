"""What ships precomputed is what the models compute now, and can be read without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets import stories
from core.models.local.real_models import real_model
from core.models.manager import ModelManager
from core.service import Service
from core.settings import Settings
from tools.precompute import METHODS, Asked, cause_of, compute, demo, fresh, real


def same(service: Service, asked: Asked, generation: Any, matrices: list[Any]) -> None:
    """The shipped answer and maps are those computed."""
    shipped = service.answers.known(asked.prompt, asked.spec, asked.params)
    assert shipped is not None, "run `python -m tools.precompute`, and `python -m tools.precompute real`"
    assert shipped.text == generation.text
    np.testing.assert_array_equal(shipped.tokens.ids, generation.tokens.ids)
    np.testing.assert_allclose(shipped.logprob_nats, generation.logprob_nats, atol=1e-3)
    for computed in matrices:
        method = computed.request.method
        found = service.maps.known(service.maps.request(shipped.tokens, asked.spec, method))
        assert found is not None
        scale = float(np.abs(computed.values).max())
        np.testing.assert_allclose(found.values, computed.values, atol=1e-3 * scale)
        if computed.gram is not None:
            assert found.gram is not None
            np.testing.assert_allclose(found.gram, computed.gram, atol=1e-3 * scale**2)


def test_the_first_example_ships_finished_and_right(tmp_path: Path) -> None:
    service = fresh(tmp_path / "fresh", Settings(data_dir=tmp_path / "fresh"))
    other = Service(Settings(data_dir=tmp_path / "other"))
    try:
        ((asked, generation, matrices),) = compute(service, demo(service))
        same(other, asked, generation, matrices)
        cause = cause_of(service, asked.spec, generation)
        shipped = other.causes.known(cause.request)
        assert shipped is not None and (shipped.verdict, shipped.parts) == (cause.verdict, cause.parts)
        np.testing.assert_allclose(shipped.effect_nats, cause.effect_nats, atol=0.05)
    finally:
        service.close()
        other.close()


def test_every_story_of_a_real_model_is_readable_without_its_weights(tmp_path: Path) -> None:
    def load(*_: Any, **__: Any) -> Any:
        raise AssertionError("a model was loaded")

    service = Service(Settings(data_dir=tmp_path), manager=ModelManager(load))
    try:
        for asked in real():
            shipped = service.answers.known(asked.prompt, asked.spec, asked.params)
            assert shipped is not None and shipped.text, asked.example_id
            assert (shipped.model.name, shipped.model.precision) == (asked.spec.name, "float32")
            for method in METHODS:
                assert (
                    service.maps.known(service.maps.request(shipped.tokens, asked.spec, method)) is not None
                )
    finally:
        service.close()


def test_the_codelabs_story_holds_on_both_real_models(tmp_path: Path) -> None:
    """The mistake in the example is copied; with the line mended the answer turns."""
    service = Service(Settings(data_dir=tmp_path))
    try:
        told = {story.example.id: story for story in stories.load()}
        for name in ("smollm2", "gemma3"):
            spec = real_model(name).spec()
            answers = {}
            for which in ("real-mistake", "real-mended"):
                found = service.answers.known(told[which].sent, spec, told[which].params)
                assert found is not None
                answers[which] = found.text
            assert answers["real-mistake"].endswith("Recommendation: You have to try it.")
            assert answers["real-mended"].endswith("Recommendation: Avoid.")
    finally:
        service.close()


def test_a_story_of_a_real_model_is_what_it_computes_now(
    tmp_path: Path, real_files: Callable[[str], tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = real_files("smollm2")
    home = file.parents[2]
    monkeypatch.setenv("WHENCE_DATA_DIR", str(home))
    from core.models.local import address

    address.settings.cache_clear()
    service, other = fresh(tmp_path, Settings(data_dir=home)), Service(Settings(data_dir=tmp_path / "other"))
    try:
        asked = next(one for one in real("smollm2") if one.example_id == "real-headline")
        ((_, generation, matrices),) = compute(service, [asked], ("gim", "grad_l2"))
        same(other, asked, generation, matrices)
    finally:
        service.close()
        other.close()
        address.settings.cache_clear()
