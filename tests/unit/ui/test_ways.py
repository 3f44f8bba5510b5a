"""What a model can be explained by, for the four kinds of model."""

from core.models.language_model import Capabilities
from core.ui.models_page.ways import ways


def able(can: Capabilities) -> dict[str, bool]:
    return {way.name.split(":")[0]: way.able for way in ways(can)}


def test_each_kind_of_model_has_its_ways() -> None:
    every = {"Find the cause": True, "Maps": True, "Leave one out": True, "Does it still say so?": True}
    assert able(Capabilities(gim=True)) == every
    assert "GIM" in ways(Capabilities(gim=True))[1].name and "GIM" not in ways(Capabilities())[1].name
    asked = Capabilities(gradients=False, salience=False, requests=True)
    assert able(asked) == {**every, "Maps": False}
    assert "at least" in ways(asked)[0].exact and ways(asked)[0].price.startswith("requests")
    assert ways(Capabilities(gradients=False, salience=False))[0].price == "one pass a part"
    text = Capabilities(gradients=False, salience=False, logprobs=False)
    assert able(text) == {
        "Find the cause": False, "Maps": False, "Leave one out": False, "Does it still say so?": True,
    }  # fmt: skip
