"""A model is what its files say, or it is refused with what is wrong with them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from core.errors import AppError
from core.models import load
from core.models.local.folder import revision
from core.models.local.integrity import BUFFERS
from core.records import GenerationParams, ModelSpec

Change = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]


@pytest.fixture
def changed(model_folder: Callable[..., Path], tmp_path: Path) -> Callable[..., ModelSpec]:
    """`changed(weights=…, config=…, family=…)`: a tiny model whose files were changed after it was saved."""

    def make(
        weights: Change | None = None,
        config: dict[str, Any] | str | None = None,
        family: str = "llama",
        **spec: Any,
    ) -> ModelSpec:
        folder = tmp_path / "Broken"
        shutil.copytree(model_folder(family), folder)
        if weights is not None:
            tensors = {
                name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()
            }
            save_file(weights(tensors), folder / "model.safetensors", metadata={"format": "pt"})
        if isinstance(config, str):
            (folder / "config.json").write_text(config)
        elif config is not None:
            known = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps(known | config))
        return ModelSpec("Broken", str(folder), **spec)

    return make


def without(part: str) -> Change:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}


def with_number(name: str, number: float) -> Change:
    def put(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        tensors[name].view(-1)[3] = number
        return tensors

    return put


NORM, DOWN = "model.layers.1.input_layernorm.weight", "model.layers.0.mlp.down_proj.weight"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (
            without("layers.1"),
            r"Broken is not whole: 9 weights are missing .*model\.layers\.1\.input_layernorm",
        ),
        (without("layers.0.mlp.up"), r"1 weight is missing .*layers\.0\.mlp\.up_proj\.weight"),
        (without("embed_tokens"), r"missing .*embed_tokens"),
        (
            lambda tensors: {**tensors, NORM: torch.ones(31)},
            r"1 weight is of another shape, .*input_layernorm.weight: expected \(32,\), the file has \(31,\)",
        ),
        (
            lambda tensors: {**tensors, "model.layers.2.mlp.up_proj.weight": torch.ones(3, 3)},
            r"hold 1 weight that its configuration has no place for \(model\.layers\.2\.mlp\.up_proj",
        ),
        (
            with_number(NORM, float("nan")),
            r"holds 1 number that .* NaN or infinite in .* \(in model\.layers\.1",
        ),
        (with_number(DOWN, float("-inf")), "NaN or infinite"),
    ],
)
@pytest.mark.parametrize("quantization", ["none", "nf4", "int8"])
def test_files_that_are_no_whole_model_are_refused(changed, weights, said, quantization):
    with pytest.raises(AppError, match=said) as refused:
        load(changed(weights, quantization=quantization))
    assert refused.value.code == "damaged" and refused.value.hint


def test_numbers_that_half_precision_cannot_hold_are_refused_and_the_way_out_is_named(changed):
    spec = changed(with_number(DOWN, 1e30), dtype="float16")
    with pytest.raises(AppError, match=r"NaN or infinite in float16.*choose float32 or bfloat16"):
        load(spec)


def test_constants_of_old_files_are_left_out_and_told(changed):
    spec = changed(
        lambda tensors: {**tensors, "transformer.h.0.attn.masked_bias": torch.tensor(-1e4)}, family="gpt2"
    )
    model = load(spec)
    assert all("masked_bias" in note for note in model.notes) and len(model.notes) <= 1


def test_a_tied_head_is_no_fault(load_tiny):
    assert load_tiny("gemma2").notes == ()


def test_a_tokenizer_larger_than_the_embedding_is_refused(changed):
    def cut(tensors):
        return {
            n: t[:280].clone() if n in ("model.embed_tokens.weight", "lm_head.weight") else t
            for n, t in tensors.items()
        }

    with pytest.raises(
        AppError, match=r"tokenizer of Broken knows \d+ tokens, but its weights have rows for 280"
    ):
        load(changed(cut, {"vocab_size": 280}))


def test_a_special_token_without_weights_is_told_and_refused_only_where_it_is_used(changed):
    spec = changed()
    file = Path(spec.path) / "tokenizer.json"
    held = json.loads(file.read_text())
    beyond = len(held["model"]["vocab"])
    held["added_tokens"].append(held["added_tokens"][0] | {"id": beyond, "content": "<image>"})
    file.write_text(json.dumps(held))
    model = load(spec)
    assert model.notes == ("No weights for 1 special token (<image>): text with it is refused.",)
    assert len(model.tokenize("The soup")) > 1
    with pytest.raises(AppError, match=r"no weights for .*<image>"):
        model.tokenize("The <image> soup")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"hidden_size": "x"}, r"`hidden_size` 'x'; expected a whole number"),
        ({"hidden_size": None}, "hidden_size"),
        ({"num_hidden_layers": 1_000_000}, r"asks for 1,000,000 layers, but its files hold 2\d weights"),
        ({"num_hidden_layers": -1}, r"`num_hidden_layers` -1"),
        ({"num_hidden_layers": 1}, "no place for"),
        ({"num_hidden_layers": 3}, "missing"),
        ({"num_attention_heads": 0}, "num_attention_heads"),
        ({"num_attention_heads": 5}, "multiple of the number of attention heads"),
        ({"num_attention_heads": True}, "num_attention_heads"),
        ({"intermediate_size": 1.5}, "intermediate_size"),
        ({"vocab_size": 10}, "another shape"),
        ({"hidden_act": "foo"}, "foo"),
        ({"rms_norm_eps": "a"}, "rms_norm_eps"),
        ({"rope_parameters": {"rope_type": "foo"}}, "foo"),
        ({"model_type": "nope"}, "nope"),
        ({"model_type": ["x"]}, "could not be loaded"),
        ({"dtype": "float99"}, "float99"),
        ({"pad_token_id": 99999}, "Padding_idx"),
        ({"text_config": 3}, "text_config"),
        ({"quantization_config": {"quant_method": "gptq"}}, "saved quantised.*gptq"),
        ({"quantization_config": 5}, "saved quantised"),
        ({"_attn_implementation": "someone/kernel"}, r"'someone/kernel', which would be code fetched"),
        ({"attn_implementation": {"": "someone/kernel"}}, "code fetched"),
        ("[1]", "holds a list; expected an object"),
        ("null", "holds a NoneType"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"model_type": "llama", "hidden_size": NaN}', "hidden_size"),
    ],
)
def test_every_wrong_value_in_the_configuration_is_a_sentence(changed, config, said):
    with pytest.raises(AppError, match=said):
        load(changed(config=config))


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json", "generation_config.json"])
@pytest.mark.parametrize("body", ["[1]", "3", "null", "{"])
def test_a_broken_file_beside_the_weights_is_a_sentence_or_harmless(changed, file, body):
    spec = changed()
    (Path(spec.path) / file).write_text(body)
    try:
        model = load(spec)
    except AppError as refused:
        assert "Broken" in str(refused)
    else:
        assert file == "generation_config.json"
        model.generate(model.tokenize("The soup"), GenerationParams(max_new_tokens=2))


def test_an_answer_that_meets_no_number_ends_in_a_sentence(changed):
    model = load(changed())
    model.model.model.norm.weight[3] = float("nan")
    tokens = model.tokenize("The soup", " has cheese")
    for temperature in (0.0, 1.0):
        params = GenerationParams(max_new_tokens=4, temperature=temperature)
        with pytest.raises(AppError, match="not a number"):
            model.generate(tokens, params)
        with pytest.raises(AppError, match="not a number"):
            model.generate_batch([tokens, model.tokenize("A soup and a salad")], params)
    with pytest.raises(AppError, match="not a number"):
        model.logprobs(tokens)


def test_one_bit_of_a_large_model_changes_its_address_and_an_unread_one_is_not_read_again(
    changed, tmp_path, monkeypatch
):
    from core.models.local import address

    monkeypatch.setattr(address, "SMALL_BYTES", 100)
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path / "data"))
    address.settings.cache_clear()
    path = Path(changed().path)
    first = revision(path)
    read: list[Path] = []
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: read.append(self) or opened(self, *a, **k))
    assert revision(path) == first and not [file for file in read if file.suffix == ".safetensors"]
    weights = path / "model.safetensors"
    raw, about = bytearray(weights.read_bytes()), weights.stat()
    raw[-1] ^= 1
    weights.write_bytes(raw)
    import os

    os.utime(weights, ns=(about.st_atime_ns, about.st_mtime_ns))  # as if nothing had happened
    assert revision(path) != first
    address.settings.cache_clear()


def test_no_library_may_fetch_code(monkeypatch):
    """bitsandbytes and transformers ask the package `kernels` for compiled code on the hub."""
    import core.models.local  # noqa: F401

    assert sys.modules["kernels"] is None
    with pytest.raises(ImportError):
        import kernels  # noqa: F401
    from transformers.utils.import_utils import is_kernels_available

    assert not is_kernels_available()


def test_only_constants_are_harmless_to_leave_out() -> None:
    constants = (
        "rotary_emb.inv_freq",
        "transformer.h.0.attn.bias",
        "h.1.attn.masked_bias",
        "model.position_ids",
    )
    assert all(BUFFERS.search(name) for name in constants)
    weights = ("transformer.h.0.attn.c_attn.bias", "layers.0.self_attn.o_proj.bias", "wposition_ids")
    assert not any(BUFFERS.search(name) for name in weights)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats(width=32) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)
FAMILIES = ("llama", "gpt2", "gemma2", "qwen2")


@pytest.mark.filterwarnings("ignore")  # what libraries say of nonsense is theirs; what they raise is not
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_value_of_any_type_in_the_configuration_loads_or_is_a_sentence(
    model_folder: Callable[..., Path], tmp_path: Path, data: st.DataObject
) -> None:
    source = model_folder(data.draw(st.sampled_from(FAMILIES)))
    known = json.loads((source / "config.json").read_text())
    names = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=2, unique=True))
    changes = {name: data.draw(JSON_VALUES) for name in names}
    folder = tmp_path / "Fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    (folder / "config.json").write_text(json.dumps(known | changes))
    try:
        model = load(ModelSpec("Fuzzed", str(folder)))
        tokens = model.tokenize("soup")
        model.generate(tokens, GenerationParams(max_new_tokens=2))
    except AppError as told:
        assert str(told).strip(), changes
    except Exception as bug:
        raise AssertionError(f"{changes}: {type(bug).__name__}: {bug}") from bug
