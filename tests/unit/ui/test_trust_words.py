"""The sentence of trust under a map: what was measured of the method, and what this example's own check said."""

from core.records import ModelSpec
from core.salience import method
from core.ui.explaining.trust import AGREE, DISAGREE, trust_words

DEMO = ModelSpec("demo", "data/models/demo")


def test_measured_with_this_model_and_checked_here() -> None:
    assert "with this model. Here map and measurement agree." in trust_words(method("gim"), DEMO, AGREE)
    assert trust_words(method("gim"), DEMO, DISAGREE).endswith("believe the measurement.")
    assert "nothing was taken out yet" in trust_words(method("gim"), DEMO, "")
    assert trust_words(method("gim"), DEMO).endswith("with this model.")


def test_what_was_not_measured_says_so() -> None:
    assert "was not measured" in trust_words(method("integrated_gradients"), DEMO, "")
    assert "measured on this prompt itself" in trust_words(method("leave_one_out"), DEMO)
