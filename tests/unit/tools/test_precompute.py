"""What ships precomputed is what the bundled model computes now."""

from pathlib import Path

import numpy as np
import pytest

from core.datasets.samples import load
from core.records import GenerationParams
from core.service import Service
from core.settings import Settings
from tools.precompute import METHODS, compute


@pytest.fixture
def fresh(tmp_path: Path):
    return compute(tmp_path / "fresh")


def test_the_first_example_ships_finished_and_right(tmp_path: Path, fresh) -> None:
    generation, matrices = fresh
    service = Service(Settings(data_dir=tmp_path / "other"))
    try:
        spec, sample = service.spec(), load()[0]
        shipped = service.answers.known(sample.prompt, spec, GenerationParams())
        assert shipped is not None, "run `python -m tools.precompute`"
        assert shipped.text == generation.text
        np.testing.assert_array_equal(shipped.tokens.ids, generation.tokens.ids)
        np.testing.assert_allclose(shipped.logprob_nats, generation.logprob_nats, atol=1e-4)
        for method, computed in zip(METHODS, matrices):
            found = service.maps.known(service.maps.request(shipped.tokens, spec, method))
            assert found is not None
            scale = float(np.abs(computed.values).max())
            np.testing.assert_allclose(found.values, computed.values, atol=1e-4 * scale)
            if computed.gram is not None:
                assert found.gram is not None
                np.testing.assert_allclose(found.gram, computed.gram, atol=1e-4 * scale**2)
    finally:
        service.close()
