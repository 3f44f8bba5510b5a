"""KerasHub on torch: small presets with random weights, against transformers with the same weights."""

from __future__ import annotations

import gc
import importlib.util
import io
import json
import os
import shutil
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
# Looked for, not imported: once Keras is, Streamlit clears its session after every page that a test draws.
if importlib.util.find_spec("keras_hub") is None:
    pytest.skip("KerasHub is not installed: requirements-keras.lock", allow_module_level=True)

from core import salience
from core.errors import AppError, Stopped
from core.models import language_model, load
from core.records import GenerationParams, Message, ModelSpec
from core.service import Service
from core.settings import Settings
from tests.unit.conftest import CORPUS, make_config, make_tokenizer

# KerasHub leaves the files of SentencePiece models open, and Keras hands torch numbers to numpy.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]
FAMILIES = ("gpt2", "gemma2", "llama", "mistral")
PROMPT, ANSWER = "The soup has é 한 cheese.", " A vegan would not 🙂"


def sentence_piece(bos: str, eos: str) -> bytes:
    """A SentencePiece model with byte fallback, trained on two sentences."""
    import sentencepiece

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 5), model_writer=out, vocab_size=300, model_type="bpe",
        byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False, pad_id=0, eos_id=1,
        bos_id=2, unk_id=3, bos_piece=bos, eos_piece=eos, hard_vocab_limit=False,
        normalization_rule_name="identity",
        control_symbols=["<start_of_turn>", "<end_of_turn>"], minloglevel=2, num_threads=1,
    )  # fmt: skip
    return out.getvalue()


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Any]]:
    """`pair(family)`: the KerasHub model and transformers' own, from one folder of random weights."""
    import sentencepiece
    import torch
    import transformers as tf

    torch.set_num_threads(1)
    made: dict[str, tuple[Any, Any]] = {}

    def make(family: str) -> tuple[Any, Any]:
        if family in made:
            return made[family]
        folder = tmp_path_factory.mktemp(f"keras-{family}")
        if family == "gpt2":
            tokenizer = make_tokenizer(template=False)
            inner = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
            vocabulary = dict(inner["vocab"])
            vocabulary["<|endoftext|>"] = vocabulary.pop("<eos>")
            (folder / "vocab.json").write_text(json.dumps(vocabulary))
            merges = [m if isinstance(m, str) else " ".join(m) for m in inner["merges"]]
            (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges))
            config = make_config("gpt2", len(vocabulary))
        elif family == "llama":
            tokenizer = make_tokenizer(template=False)
            tokenizer.save_pretrained(folder)
            config = make_config("llama", len(tokenizer))
        else:
            marks = ("<bos>", "<eos>") if family == "gemma2" else ("<s>", "</s>")
            proto = sentence_piece(*marks)
            (folder / "tokenizer.model").write_bytes(proto)
            size = sentencepiece.SentencePieceProcessor(model_proto=proto).vocab_size()
            config = make_config(family, size)
        if family != "llama":
            (folder / "tokenizer_config.json").write_text("{}")
        torch.manual_seed(0)
        reference = tf.AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
        for weight in reference.parameters():  # KerasHub's converter passes some through float16
            weight.copy_(weight.half().float())
        reference.save_pretrained(folder)
        ours = load(ModelSpec(family, str(folder), backend="keras_hub"))
        made[family] = (ours, reference)
        return made[family]

    return make


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_cover_the_text(pair: Callable[[str], tuple[Any, Any]], family: str) -> None:
    model, _ = pair(family)
    tokens = model.tokenize(PROMPT, ANSWER)
    assert tokens.text == PROMPT + ANSWER
    assert tokens.response == ANSWER
    assert tokens.special.tolist() == [True] + [False] * (len(tokens) - 1)
    covered = {i for a, b in tokens.char_spans for i in range(a, b)}
    assert covered == set(range(len(tokens.text)))
    smile = [i for i, text in enumerate(tokens.strings) if "🙂" in text]
    assert len(smile) == 4  # four bytes, one character
    assert isinstance(model, language_model.GradientModel)
    assert model.parameters > 0 and model.bytes == 4 * model.parameters


@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_equal_transformers(pair: Callable[[str], tuple[Any, Any]], family: str) -> None:
    import torch

    model, reference = pair(family)
    tokens = model.tokenize(PROMPT, ANSWER)
    ids = torch.tensor(tokens.ids)
    logits = reference(ids[None]).logits[0, tokens.prompt_len - 1 : -1]
    expected = torch.log_softmax(logits, -1).gather(1, ids[tokens.prompt_len :, None])[:, 0]
    np.testing.assert_allclose(model.logprobs(tokens), expected.numpy(), atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_salience_equals_a_plain_backward_pass_in_transformers(
    pair: Callable[[str], tuple[Any, Any]], family: str
) -> None:
    """The reference: embeddings as a leaf, the whole loss, autograd; no part of Whence."""
    import torch

    model, reference = pair(family)
    tokens = model.tokenize(PROMPT, ANSWER)
    ids = torch.tensor(tokens.ids)
    matrices = {
        name: salience.method(name).run(model, salience.request_for(model, tokens, name))
        for name in ("grad_l2", "grad_dot_input")
    }
    for row, target in list(enumerate(range(tokens.prompt_len, len(tokens))))[::3]:
        leaf = reference.get_input_embeddings()(ids[None]).detach().requires_grad_(True)
        logits = embedded_logits(reference, leaf)
        loss = -torch.log_softmax(logits[0, target - 1], -1)[ids[target]]
        (gradient,) = torch.autograd.grad(loss, leaf)
        scale = float(gradient[0].norm(dim=-1).max())
        np.testing.assert_allclose(
            matrices["grad_l2"].values[row] / scale, gradient[0].norm(dim=-1).numpy() / scale, atol=1e-3
        )
        products = -(gradient[0] * leaf[0].detach()).sum(-1).numpy()
        np.testing.assert_allclose(
            matrices["grad_dot_input"].values[row], products, atol=1e-3 * float(np.abs(products).max())
        )
        assert not matrices["grad_l2"].values[row, target:].any()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_average_embedding_equals_transformers(
    pair: Callable[[str], tuple[Any, Any]], family: str
) -> None:
    import torch

    model, reference = pair(family)
    module = reference.get_input_embeddings()
    expected = module(torch.arange(module.weight.shape[0])[None])[0].mean(0)
    torch.testing.assert_close(model.mean_embedding(), expected, rtol=1e-4, atol=1e-5)


def embedded_logits(reference: Any, leaf: Any) -> Any:
    """Logits for embeddings that stand in for the embedding module's output."""
    handle = reference.get_input_embeddings().register_forward_hook(lambda *_: leaf)
    try:
        import torch

        return reference(torch.zeros(leaf.shape[:2], dtype=torch.long)).logits
    finally:
        handle.remove()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_greedy_answer_is_the_likeliest_each_time(
    pair: Callable[[str], tuple[Any, Any]], family: str
) -> None:
    import torch

    model, reference = pair(family)
    heard: list[str] = []
    made = model.generate(
        model.tokenize(PROMPT), GenerationParams(max_new_tokens=8), on_text=heard.append, example_id="e"
    )
    ids = torch.tensor(made.tokens.ids)
    logits = reference(ids[None]).logits[0]
    rows = len(ids) - made.tokens.prompt_len
    assert rows == 8 or made.stop_reason == "eos"
    best = logits[made.tokens.prompt_len - 1 : -1].argmax(-1)
    np.testing.assert_array_equal(ids[made.tokens.prompt_len :], best)
    np.testing.assert_allclose(made.logprob_nats, model.logprobs(made.tokens), atol=1e-3)
    assert made.text == made.tokens.response
    assert not heard or made.text.startswith(heard[-1])
    assert made.example_id == "e"


def test_sampling_keeps_its_seed_stops_and_bounds(pair: Callable[[str], tuple[Any, Any]]) -> None:
    model, _ = pair("llama")
    tokens = model.tokenize(PROMPT)
    params = GenerationParams(max_new_tokens=12, temperature=1.0, top_p=0.9, seed=3)
    one, two = (model.generate(tokens, params) for _ in range(2))
    assert one.text == two.text
    mark = next(char for char in one.text[1:] if char not in one.text[0])
    cut = model.generate(
        tokens, GenerationParams(max_new_tokens=12, temperature=1.0, top_p=0.9, seed=3, stop=(mark,))
    )
    assert (cut.stop_reason, cut.text) == ("stop", one.text[: one.text.index(mark)])
    stop = threading.Event()
    stop.set()
    assert model.generate(tokens, params, stop=stop).stop_reason == "stopped"
    assert [g.text for g in model.generate_batch([tokens, tokens], params)] == [one.text] * 2


def test_limits_and_empty_prompts(pair: Callable[[str], tuple[Any, Any]]) -> None:
    model, _ = pair("gpt2")
    with pytest.raises(AppError, match="empty"):
        model.tokenize("  ")
    with pytest.raises(AppError, match="reads at most 256"):
        model.tokenize("soup " * 400)
    assert model.tokenize([Message("user", "Hi")]).text == "user: Hi\nassistant: "
    assert not model.capabilities.chat and model.capabilities.why["chat"]


def test_a_preset_saved_by_keras_hub_loads_again(
    pair: Callable[[str], tuple[Any, Any]], tmp_path: Path
) -> None:
    model, _ = pair("gpt2")
    folder = tmp_path / "preset"
    model._lm.save_to_preset(str(folder))
    again = load(ModelSpec("gpt2", str(folder), backend="keras_hub", dtype="bfloat16"))
    tokens = again.tokenize(PROMPT, ANSWER)
    np.testing.assert_array_equal(tokens.ids, model.tokenize(PROMPT, ANSWER).ids)
    np.testing.assert_allclose(again.logprobs(tokens), model.logprobs(tokens), atol=0.2)
    again.close()


def test_collecting_garbage_passes_over_the_libraries_but_not_over_a_model(
    pair: Callable[[str], tuple[Any, Any]], tmp_path: Path
) -> None:
    model, _ = pair("gpt2")
    assert gc.get_freeze_count() > len(gc.get_objects())  # what clearing Keras's session looks through
    folder = tmp_path / "preset"
    model._lm.save_to_preset(str(folder))
    again = load(ModelSpec("gpt2", str(folder), backend="keras_hub"))
    weights = weakref.ref(again._weights[0])
    again.close()
    del again
    gc.collect()
    assert weights() is None


def test_what_cannot_be_loaded_is_said(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"no config\.json"):
        load(ModelSpec("x", str(tmp_path), backend="keras_hub"))
    with pytest.raises(AppError, match="not in nf4"):
        load(ModelSpec("x", str(tmp_path), backend="keras_hub", quantization="nf4"))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(AppError, match="could not load x"):
        load(ModelSpec("x", str(tmp_path), backend="keras_hub"))
    shutil.rmtree(tmp_path)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        load(ModelSpec("x", str(tmp_path), backend="keras_hub"), stop=stop)


@pytest.fixture
def preset(pair: Callable[[str], tuple[Any, Any]], tmp_path: Path) -> Callable[..., ModelSpec]:
    """`preset(form, change)`: a preset in KerasHub's own form or in transformers', its files then changed."""

    def make(form: str, change: Callable[[Path], object]) -> ModelSpec:
        ours, reference = pair("gpt2" if form == "own" else "llama")
        folder = tmp_path / "Broken"
        if form == "own":
            ours._lm.save_to_preset(str(folder))
        else:
            make_tokenizer(template=False).save_pretrained(folder)
            reference.save_pretrained(folder)
        change(folder)
        return ModelSpec("Broken", str(folder), backend="keras_hub")

    return make


def in_h5(change: Callable[[Any, str], object]) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        import h5py

        with h5py.File(folder / "model.weights.h5", "a") as file:
            names: list[str] = []
            file.visit(names.append)
            change(file, next(name for name in names if name.endswith("vars/0") and "layers" in name))

    return work


def in_safetensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = {name: one.clone() for name, one in load_file(folder / "model.safetensors").items()}
        change(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return work


def in_json(name: str, *keys: str, to: Any) -> Callable[[Path], None]:
    def work(folder: Path) -> None:
        held = json.loads((folder / name).read_text())
        inner = held
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = to
        (folder / name).write_text(json.dumps(held))

    return work


def _cut(file: Any, name: str) -> None:
    values = file[name][...]
    del file[name]
    file[name] = values[:-1]


DOWN = "model.layers.0.mlp.down_proj.weight"


@pytest.mark.parametrize(
    ("form", "change", "said"),
    [
        ("own", in_h5(lambda file, name: file.__delitem__(name)), "could not load|not what its files say"),
        ("own", in_h5(_cut), "could not load"),
        ("own", in_h5(lambda file, _: file.create_dataset("layers/more/vars/0", data=[1.0, 2.0])), "left out"),
        ("own", in_h5(lambda file, name: file[name].write_direct(np.full(file[name].shape, np.inf, np.float32))),
         "NaN or infinite"),
        ("own", in_json("task.json", "config", "backbone", "config", "num_layers", to=1), "could not load|left out"),
        ("transformers", in_safetensors(lambda held: held.pop(DOWN)), "could not load"),
        ("transformers", in_safetensors(lambda held: held.update({DOWN: held[DOWN][:, :-1].contiguous()})),
         "could not load"),
        ("transformers", in_safetensors(lambda held: held[DOWN].view(-1)[3:4].fill_(float("nan"))),
         "NaN or infinite"),
        ("transformers", in_json("config.json", "num_hidden_layers", to=1), "left out"),
    ],
)  # fmt: skip
def test_a_preset_that_is_not_what_its_files_say_is_refused(
    preset: Callable[..., ModelSpec], form: str, change: Callable[[Path], object], said: str
) -> None:
    with pytest.raises(AppError, match=said):
        load(preset(form, change))


def test_a_preset_with_fewer_rows_than_tokens_is_refused(preset: Callable[..., ModelSpec]) -> None:
    def fewer(folder: Path) -> None:
        in_json("config.json", "vocab_size", to=200)(folder)
        in_safetensors(
            lambda held: held.update(
                {n: t[:200].contiguous() for n, t in held.items() if "embed" in n or "head" in n}
            )
        )(folder)

    with pytest.raises(AppError, match=r"knows \d+ tokens, but its weights have rows for 200 only"):
        load(preset("transformers", fewer))


def test_the_address_of_a_preset_covers_its_weights(preset: Callable[..., ModelSpec], tmp_path: Path) -> None:
    spec = preset("transformers", lambda folder: None)
    service = Service(Settings(data_dir=tmp_path / "home", _env_file=None))  # type: ignore[call-arg]
    before = service.resolve(spec)
    assert before.revision and load(spec).spec.revision == before.revision
    in_safetensors(lambda held: held[DOWN].view(-1)[3:4].add_(1))(Path(spec.path))
    assert service.resolve(spec).revision not in ("", before.revision)
