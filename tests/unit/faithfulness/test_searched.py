"""Maps against taking out, on a model whose lines add up: what each loses is known by hand."""

import numpy as np
import pytest

from core.cause import CauseRequest
from core.faithfulness import Case, verify
from core.faithfulness.searched import Scores, map_measures, map_ranks, request_of
from core.records import GenerationParams
from tests.unit.faithfulness.test_planted import Copier

# The lines "a", "key=b", "idle" and "c": without them the answer loses 1, 4, 0 and 2 nats; the last is locked.
PROMPT = "a\nkey=b\nidle\nc\n?"


@pytest.fixture
def asked() -> tuple[Copier, object, CauseRequest]:
    model = Copier()
    (trial,) = verify(
        model, [Case(PROMPT, "b", ((2, 7),), PROMPT.replace("key=b\n", ""))], GenerationParams()
    )
    return model, trial, request_of(trial, model)


def test_scores_that_are_the_losses_predict_every_mask_and_others_do_not(asked) -> None:  # type: ignore[no-untyped-def]
    model, trial, request = asked
    assert request.free == (0, 1, 2, 3) and request.locked == (4,)
    scores: Scores = {
        "the losses": (np.array([1.0, 4.0, 0.0, 2.0, 9.0]), True),
        "turned round": (np.array([-1.0, -4.0, 0.0, -2.0, 9.0]), True),
        "half on what does nothing": (np.array([0.0, 3.0, -4.0, 1.0, 9.0]), False),
    }
    told = map_measures(model, trial, request, scores, masks=16)
    assert told["the losses"] == pytest.approx({"lds": 1.0, "idle_share": 0.0})
    assert told["turned round"]["lds"] == pytest.approx(-1.0)
    assert told["half on what does nothing"]["idle_share"] == pytest.approx(0.5)
    assert told["half on what does nothing"]["lds"] < 0.9
    assert told["leave_one_out"] == pytest.approx({"lds": 1.0, "idle_share": 0.0})


def test_ranks_are_by_the_value_where_the_sign_counts_and_by_size_elsewhere(asked) -> None:  # type: ignore[no-untyped-def]
    _, _, request = asked
    values = np.array([1.0, 2.0, -3.0, 0.0, 9.0])
    assert map_ranks({"by sign": (values, True), "by size": (values, False)}, request, (1,)) == {
        "by sign": 1,
        "by size": 2,
    }
