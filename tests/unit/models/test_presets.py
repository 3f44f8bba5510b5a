"""The operator's list of models and what becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError
from core.models.configured import configured_specs, parse_model_config
from core.models.local.estimate import estimate
from core.models.presets import PRESETS
from core.records import ModelSpec
from core.settings import ROOT, Settings


def settings(**values: str) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a:x", (("a", "x"),)),
        (" a : x , b:/y/z ,", (("a", "x"), ("b", "/y/z"))),
        ("a:c:/models/x", (("a", "c:/models/x"),)),
        ("google/gemma-2-2b-it", (("gemma-2-2b-it", "google/gemma-2-2b-it"),)),
    ],
)
def test_parsed(text, pairs):
    assert parse_model_config(text) == pairs


@pytest.mark.parametrize(
    ("text", "words"), [("", "empty"), ("a:", "name:path"), (":x", "name:path"), ("a:x,a:y", "twice")]
)
def test_refused(text, words):
    with pytest.raises(AppError, match=words):
        parse_model_config(text)


name = st.text("abcXYZ019-_", min_size=1)
path = st.text("abc/.:-_", min_size=1).filter(str.strip)


@given(st.dictionaries(name, path, min_size=1, max_size=4))
def test_any_names_and_paths_come_back(models):
    text = ",".join(f"{key}:{value}" for key, value in models.items())
    assert parse_model_config(text) == tuple(models.items())


def test_the_demo_model_is_the_default():
    (spec,) = configured_specs(settings())
    assert spec.name == "demo" and spec.path in (str(ROOT / "data/models/demo"), "data/models/demo")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PRECISION": "bf16"}, ("bfloat16", "none")),
        ({"PRECISION": "nf4"}, ("float32", "nf4")),
        ({"QUANTIZATION": "int8"}, ("float32", "int8")),
        ({"PRECISION": "bfloat16", "QUANTIZATION": "nf4"}, ("bfloat16", "nf4")),
    ],
)
def test_precision_and_quantization(monkeypatch, given, expected):
    from core.models import configured
    from core.models.local.precision import PrecisionChoice

    monkeypatch.setattr(configured, "automatic", lambda path: PrecisionChoice("float32", "none", "cpu"))
    (spec,) = configured_specs(settings(**given))
    assert (spec.dtype, spec.quantization) == expected


def test_an_unknown_precision_lists_the_known():
    with pytest.raises(AppError, match=r"PRECISION is 'tiny'.*float32"):
        configured_specs(settings(PRECISION="tiny"))


def test_presets_are_named_once():
    assert len({p.name for p in PRESETS}) == len({p.path for p in PRESETS}) == len(PRESETS)


def test_web_addresses_are_model_servers():
    spec = configured_specs(settings(MODEL_CONFIG="demo:data/models/demo,big:http://server:8080/"))[1]
    assert (spec.name, spec.backend, spec.path) == ("big", "lit_server", "http://server:8080")


@pytest.mark.parametrize(("named", "backend"), [("transformers", "hugging_face"), ("kerasnlp", "keras_hub")])
def test_the_framework_chooses_the_backend(named, backend):
    assert configured_specs(settings(DL_FRAMEWORK=named))[0].backend == backend


def test_an_unknown_framework_lists_the_known_ones():
    with pytest.raises(AppError, match=r"'jax'.*transformers, kerasnlp"):
        configured_specs(settings(DL_FRAMEWORK="jax"))


def test_the_operator_may_name_the_device():
    assert configured_specs(settings(device="cuda:1"))[0].device == "cuda:1"


@pytest.mark.parametrize(
    ("address", "kind", "path"),
    [
        ("http://gpu:8080/", "lit_server", "http://gpu:8080"),
        ("http://gpu:8000/v1", "openai_compatible", "http://gpu:8000/v1"),
        ("https://gpu/api#org/m", "openai_compatible", "https://gpu/api#org/m"),
        (
            "https://generativelanguage.googleapis.com#gemini-x",
            "gemini",
            "https://generativelanguage.googleapis.com#gemini-x",
        ),
    ],
)
def test_the_kind_of_server_is_read_off_its_address(address, kind, path):
    (spec,) = configured_specs(settings(MODEL_CONFIG=f"far:{address}"))
    assert (spec.name, spec.backend, spec.path, spec.device) == ("far", kind, path, "remote")


KEY_VALUE_HEADS = {
    "Gemma 2 2B instruct": 4, "Gemma 3 1B instruct": 1,
    "Llama 3.2 1B instruct": 8, "Llama 3.2 3B instruct": 8,
    "Mistral 7B instruct": 8, "Qwen 2.5 0.5B instruct": 2, "Qwen 2.5 1.5B instruct": 2, "Qwen 3 0.6B": 8,
    "Qwen 3 1.7B": 8, "SmolLM2 135M instruct": 3, "SmolLM2 360M instruct": 5, "GPT-2": 12,
}  # fmt: skip
KINDS = {
    "Gemma 2": "gemma2", "Gemma 3": "gemma3_text", "Llama": "llama", "Mistral": "mistral",
    "Qwen 2.5": "qwen2", "Qwen 3": "qwen3", "SmolLM2": "llama", "GPT-2": "gpt2",
}  # fmt: skip


@pytest.mark.parametrize("preset", [p for p in PRESETS if p.name in KEY_VALUE_HEADS], ids=lambda p: p.name)
def test_the_sizes_of_a_preset_give_its_parameters(preset):
    """transformers' own class with these sizes, without memory, has exactly as many parameters."""
    import torch
    import transformers as tf

    s, kind = preset.sizes, next(kind for start, kind in KINDS.items() if preset.name.startswith(start))
    if kind == "gpt2":
        config = tf.GPT2Config(vocab_size=s.vocabulary, n_embd=s.width, n_layer=s.layers, n_head=s.heads)
    else:
        config = tf.AutoConfig.for_model(
            kind, vocab_size=s.vocabulary, hidden_size=s.width, intermediate_size=s.inner,
            num_hidden_layers=s.layers, num_attention_heads=s.heads,
            num_key_value_heads=KEY_VALUE_HEADS[preset.name],
            head_dim=256 if "gemma" in kind else 128 if kind == "qwen3" else s.width // s.heads,
            tie_word_embeddings=kind != "mistral",
        )  # fmt: skip
    with torch.device("meta"):
        model = tf.AutoModelForCausalLM.from_config(config)
    assert sum(p.numel() for p in model.parameters()) == s.parameters
    assert s.eager == bool(getattr(config, "attn_logit_softcapping", None))


def test_what_a_preset_needs_is_told_before_it_is_fetched():
    for preset in PRESETS:
        found = estimate(ModelSpec(preset.name, preset.path), 1024, 64)
        assert found is not None
        assert found.salience_bytes
        assert "to explain 64 of 1,024 tokens" in found.sentence
