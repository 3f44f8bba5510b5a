"""The operator's environment in LIT's words: what works, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import AppError
from core.models.configured import configured_specs, told
from core.settings import Settings


def settings(models: str, **more: Any) -> Settings:
    return Settings(_env_file=None, MODEL_CONFIG=models, precision="float32", device="cpu", **more)


@pytest.mark.parametrize("path", ["gemma_2b_en", "gpt2_base_en", "gemma_instruct_2b_en", "llama3_8b_en"])
def test_a_keras_preset_is_one_without_being_told(path):
    (spec,) = configured_specs(settings(f"m:{path}"))
    assert (spec.backend, spec.path, spec.quantization) == ("keras_hub", path, "none")


@pytest.mark.parametrize("path", ["google/gemma-2b", "gpt2", "openai-community/gpt2", "Gemma_2b_en_other/x"])
def test_a_name_on_the_hub_is_none(path):
    assert configured_specs(settings(f"m:{path}"))[0].backend == "hugging_face"


def test_a_real_model_needs_no_name_of_its_own():
    one, two = configured_specs(settings("package:smollm2,mine:package:gemma3"))
    assert (one.name, one.path) == ("smollm2", "package:smollm2")
    assert (two.name, two.path) == ("mine", "package:gemma3")


@pytest.mark.parametrize(
    ("runtime", "said"), [("tensorflow", "models run on torch"), ("jaxx", "is not known")]
)
def test_another_runtime_is_refused_in_words(runtime, said):
    with pytest.raises(AppError, match=rf"DL_RUNTIME is '{runtime}', .*{said}"):
        configured_specs(settings("m:google/gemma-2b", runtime=runtime))


def test_a_model_server_is_one_still():
    assert configured_specs(settings("m:https://x.example:8080"))[0].backend == "lit_server"


def test_defaults_are_said_as_such_and_what_was_set_as_set():
    plain = told(Settings(_env_file=None))
    assert plain == {
        "PRECISION": "auto, the default: float32 where a processor has room and time for it, nf4 on a GPU",
        "BATCH_SIZE": "16 texts of a dataset at once, the default",
        "SEQUENCE_LENGTH": "the model's own limit of prompt and answer, the default",
    }
    others = Settings(_env_file=None, PRECISION="bfloat16", BATCH_SIZE=1, SEQUENCE_LENGTH=512)
    assert told(others) == {
        "PRECISION": "bfloat16, as set (default: auto)",
        "BATCH_SIZE": "1 text of a dataset at once, as set (default: 16)",
        "SEQUENCE_LENGTH": "512 tokens of prompt and answer, as set (default: the model's own limit)",
    }
