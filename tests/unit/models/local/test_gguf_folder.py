"""A `.gguf` file is the model that llama.cpp makes of it, or it is refused; it becomes a folder once, whole."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from core.errors import AppError, Stopped
from core.models import load
from core.models.local import address, gguf_folder, gguf_header, gguf_tokenizer
from core.models.local.estimate import estimate
from core.models.local.folder import has_chat_template
from core.records import GenerationParams, ModelSpec
from tests.unit.conftest import make_tokenizer
from tests.unit.models.local.gguf_files import asked_of_llama_cpp, llama3_factors, stretched, write

LINEAR, YARN = gguf.RopeScalingType.LINEAR, gguf.RopeScalingType.YARN


def phi_long(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_orig_ctx_len(256)
    writer.add_rope_scaling_attn_factors(1.19)


def phi_factors(writer: gguf.GGUFWriter) -> None:
    writer.add_tensor("rope_factors_long.weight", np.array([1.5, 2, 3, 4], np.float32))
    writer.add_tensor("rope_factors_short.weight", np.array([1.0, 1.1, 1.2, 1.3], np.float32))


CASES: dict[str, dict[str, Any]] = {
    "llama": {"architecture": "llama"},
    "llama stretched": {"architecture": "llama", "keys": stretched(LINEAR, 4.0)},
    "llama yarn": {"architecture": "llama", "keys": stretched(YARN, 4.0, 64)},
    "llama 3.1": {
        "architecture": "llama",
        "keys": lambda writer: writer.add_rope_scaling_orig_ctx_len(64),
        "tensors": lambda writer: writer.add_tensor("rope_freqs.weight", llama3_factors(64, 8.0)),
    },
    "qwen2": {"architecture": "qwen2", "split": "qwen2"},
    "qwen2 yarn": {"architecture": "qwen2", "keys": stretched(YARN, 4.0, 64)},
    "qwen3": {"architecture": "qwen3", "head": 16},
    "gemma2": {"architecture": "gemma2", "head": 16, "window": 16},
    "gemma3": {"architecture": "gemma3", "head": 16, "window": 16, "layers": 7},
    "gemma3 stretched": {
        "architecture": "gemma3", "head": 16, "window": 16, "layers": 7, "keys": stretched(LINEAR, 4.0),
    },
    "phi3": {"architecture": "phi3", "pairs": 4},
    "phi3 long": {"architecture": "phi3", "pairs": 4, "context": 1024, "keys": phi_long, "tensors": phi_factors},
    "gpt2": {"architecture": "gpt2", "split": "gpt-2"},
}  # fmt: skip
"""Windows are shorter than the prompts; stretched embeddings reach beyond what they began with."""


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("WHENCE_DATA_DIR", str(tmp_path / "data"))
    address.settings.cache_clear()
    yield tmp_path / "data"
    address.settings.cache_clear()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, tokenizer = tmp_path_factory.mktemp("gguf"), make_tokenizer()
    made = {}
    for name, case in CASES.items():
        more = {key: value for key, value in case.items() if key != "architecture"}
        made[name] = write(folder / f"{name}.gguf", case["architecture"], tokenizer, **more)
    return made


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    rng = np.random.default_rng(1)
    return [[1, *rng.integers(5, 290, 79).tolist()] for _ in range(8)]


@pytest.fixture(scope="module")
def told(files: dict[str, Path], prompts: list[list[int]]) -> dict[str, Any]:
    """What llama.cpp tells of each file."""
    questions = [{"file": str(file), "prompts": prompts} for file in files.values()]
    return dict(zip(files, asked_of_llama_cpp(questions), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_file_gives_the_numbers_that_llama_cpp_gives(name, files, prompts, told):
    model = load(ModelSpec(name, str(files[name])))
    assert told[name]["prompt"] is not None
    with torch.no_grad():
        logits = model.model(torch.tensor([prompts[told[name]["prompt"]]])).logits[0, -1].double()
    nats = torch.log_softmax(logits, -1)
    # llama.cpp looks GELU up in a table of half precision: its own error in the families that use it.
    allowed = 5e-3 if name.startswith(("gemma", "gpt2")) else 1e-4
    assert max(abs(float(nats[number]) - nat) for number, nat in told[name]["nats"]) < allowed


def test_the_stretches_of_the_rotary_embedding_would_be_missed(files, prompts, told):
    """The comparison can fail: what transformers' reader alone makes of three of the files is another model."""
    plain = load(ModelSpec("plain", str(files["llama"])))
    for name in ("llama stretched", "llama yarn", "llama 3.1"):
        with torch.no_grad():
            logits = plain.model(torch.tensor([prompts[told[name]["prompt"]]])).logits[0, -1].double()
        nats = torch.log_softmax(logits, -1)
        assert max(abs(float(nats[number]) - nat) for number, nat in told[name]["nats"]) > 0.05


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    return lambda architecture="llama", **more: write(
        tmp_path / "Tiny.gguf", architecture, make_tokenizer(), **more
    )


def test_it_is_converted_once_and_says_what_it_is(tiny, own_data):
    file = tiny()
    shares: list[float] = []
    model = load(ModelSpec("Tiny", str(file)), progress=lambda share, _: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert model.notes == (
        "F32 weights of a .gguf file, read as float32: the maps are exact for these weights.",
    )
    (made,) = (own_data / "models").iterdir()
    before = made.stat().st_mtime_ns, sorted(file.name for file in made.iterdir())
    again = file.with_name("another name.gguf")
    file.rename(again)
    other = load(ModelSpec("Tiny", str(again)))
    assert other.spec.revision == model.spec.revision == made.name.removeprefix("gguf-")
    assert (made.stat().st_mtime_ns, sorted(file.name for file in made.iterdir())) == before
    assert gguf_folder.origin(made)["architecture"] == "llama"
    answer = model.generate(model.tokenize("The soup"), GenerationParams(max_new_tokens=3))
    assert len(answer.tokens) > answer.tokens.prompt_len


def test_its_sizes_are_told_before_it_is_read(tiny):
    file = tiny()
    expected = estimate(ModelSpec("Tiny", str(file)))
    header = gguf_header.read(file)
    assert expected is not None and expected.weight_bytes == 4 * header.parameters
    assert header.quantization == "F32" and header.name == "Tiny" and not has_chat_template(file)


def test_the_template_in_the_file_is_used(tiny):
    template = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    file = tiny(keys=lambda writer: writer.add_chat_template(template))
    assert has_chat_template(file)
    assert load(ModelSpec("Tiny", str(file))).tokenizer.chat_template == template


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"architecture": "rwkv6"}, r"architecture 'rwkv6', .*Known: llama, qwen2"),
        ({"keys": lambda w: w.add_uint32("llama.some_new_thing", 3)}, r"llama\.some_new_thing, which the reader"),
        ({"keys": lambda w: w.add_uint32("split.count", 3)}, "part 1 of 3"),
        (
            {
                "architecture": "unnamed",
                "keys": lambda w: (w.add_uint32("split.count", 3), w.add_uint32("split.no", 1)),
            },
            r"part 2 of 3 of a model\. Join the parts",
        ),
        ({"keys": lambda w: w.add_type("adapter")}, "of the kind 'adapter'"),
        ({"keys": stretched(gguf.RopeScalingType.LONGROPE, 4.0)}, "rope.scaling.type 'longrope'"),
        ({"tensors": lambda w: w.add_tensor("blk.0.attn_q.bias", np.ones(32, np.float32))}, r"blk\.0\.attn_q\.bias"),
        (
            {"tensors": lambda w: w.add_tensor("rope_freqs.weight", np.array([1, 9, 2, 5], np.float32))},
            "none of Llama 3.1's kind",
        ),
        ({"without": ["blk.1.ffn_up.weight"]}, "missing .*layers.1.mlp.up_proj"),
        ({"damage": lambda n, a: a * np.nan if n == "blk.0.ffn_up.weight" else a}, "NaN or infinite"),
        ({"split": "no-such-rule"}, "splits text by the rule 'no-such-rule'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_rightly_is_refused_and_leaves_nothing(tiny, own_data, more, said):
    with pytest.raises(AppError, match=said):
        load(ModelSpec("Tiny", str(tiny(**more))))
    left = list((own_data / "models").glob("*")) if (own_data / "models").exists() else []
    assert not [folder for folder in left if gguf_folder.origin(folder) is None]


def test_every_cut_of_a_file_is_a_sentence(tiny, tmp_path):
    whole = tiny().read_bytes()
    head = gguf_header.read(tmp_path / "Tiny.gguf")
    cut = tmp_path / "cut.gguf"
    rng = np.random.default_rng(0)
    size = len(whole) - 4 * head.parameters - 1000  # of the header, about
    for length in [0, 3, 4, 8, 20, 24, *rng.integers(25, size, 60).tolist()]:
        cut.write_bytes(whole[:length])
        with pytest.raises(AppError):
            gguf_header.read(cut)
    for _ in range(200):  # a flipped byte may be harmless to the header, but is never anything but a sentence
        raw = bytearray(whole[:size])
        raw[int(rng.integers(4, size))] ^= int(rng.integers(1, 255))
        cut.write_bytes(raw)
        with contextlib.suppress(AppError):
            gguf_header.read(cut)
    assert head.architecture == "llama"
    cut.write_bytes(whole[:-2000])
    with pytest.raises(AppError):
        load(ModelSpec("Cut", str(cut)))


@pytest.mark.parametrize("text", ["Reading the vocabulary", "Reading the weights", "Keeping the weights"])
def test_cancel_leaves_nothing_behind(tiny, own_data, text):
    stop = threading.Event()

    def progress(_: float, message: str) -> None:
        if message == text:
            stop.set()

    with pytest.raises(Stopped):
        load(ModelSpec("Tiny", str(tiny())), progress=progress, stop=stop)
    assert not list((own_data / "models").glob("*.part"))


def test_too_little_room_is_told_before_anything_is_written(tiny, own_data, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(AppError, match=r"on disk as float32 weights, and 0\.0 GB are free") as refused:
        load(ModelSpec("Tiny", str(tiny())))
    assert refused.value.code == "storage" and not (own_data / "models").exists()


def test_a_missing_file_and_another_kind_of_file_are_sentences(tmp_path):
    with pytest.raises(AppError, match=r"There is no file .*gone\.gguf"):
        load(ModelSpec("x", str(tmp_path / "gone.gguf")))
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(AppError, match=r"no file of a kind that is read here"):
        load(ModelSpec("x", str(tmp_path / "weights.bin")))
    (tmp_path / "no.gguf").write_bytes(b"PK\x03\x04 a zip file with another name")
    with pytest.raises(AppError, match="does not begin with the letters GGUF"):
        load(ModelSpec("x", str(tmp_path / "no.gguf")))


def test_a_control_word_that_the_library_adds_and_the_file_has_not_is_text(tiny):
    model = load(ModelSpec("Tiny", str(tiny())))
    assert len(model.tokenizer) == 300
    tokens = model.tokenize("The soup <|endoftext|>")
    assert tokens.text == "The soup <|endoftext|>" and not tokens.special[1:].any()


def test_every_way_to_end_an_answer_counts(tiny):
    header = gguf_header.read(tiny(keys=lambda w: w.add_eot_token_id(4)), ("tokenizer.ggml.tokens",))
    assert gguf_tokenizer.end_ids(header) == [2, 4]


def test_what_is_kept_of_the_origin_is_no_part_of_the_model(tiny, own_data):
    load(ModelSpec("Tiny", str(tiny())))
    (made,) = (own_data / "models").iterdir()
    held = json.loads((made / gguf_folder.ORIGIN).read_text())
    assert held["file"] == "Tiny.gguf" and held["quantization"] == "F32"
