"""The operator's environment in LIT's words: what works, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import AppError
from core.models.configured import configured_specs
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


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("https://x.example/model.tar.gz", "an archive"),
        ("https://x.example/model.gguf", "an archive"),
        ("gs://bucket/model", "a place in a bucket"),
    ],
)
def test_an_archive_is_no_model_server(path, said):
    with pytest.raises(AppError, match=rf"which is {said}: weights are not fetched from there"):
        configured_specs(settings(f"m:{path}"))


def test_a_model_server_is_one_still():
    assert configured_specs(settings("m:https://x.example:8080"))[0].backend == "lit_server"
