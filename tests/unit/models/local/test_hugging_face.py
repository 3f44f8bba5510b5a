"""Loading, text and tokens, generation and log-probabilities of local models."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
import torch

from core.errors import AppError
from core.models import load
from core.models.local.decoding import draw
from core.records import GenerationParams, ModelSpec, Role

TEXTS = ["The soup has cheese.", "  é 한국어 שלום 🙂\r\n\n ", "ａ́b\t🙂🙂x", "<eos> typed <bos>"]


@pytest.mark.parametrize("text", TEXTS)
def test_spans_cover_the_text_in_whole_characters(load_tiny, text):
    tokens = load_tiny().tokenize(text, text)
    assert tokens.text == text + text
    assert tokens.special[0] and tuple(tokens.char_spans[0]) == (0, 0)
    covered = {i for a, b in tokens.char_spans for i in range(a, b)}
    assert covered == set(range(len(tokens.text)))
    spans = [(int(a), int(b)) for a, b in tokens.char_spans if a < b]
    assert all(left == right or left[1] == right[0] for left, right in itertools.pairwise(spans))
    assert tokens.response == text


def test_the_response_is_joined_as_ids(load_tiny):
    model = load_tiny()
    alone = model.tokenizer("ese", add_special_tokens=False)["input_ids"]
    tokens = model.tokenize("The soup has che", "ese")
    assert tokens.ids[tokens.prompt_len :].tolist() == alone
    assert (tokens.role[tokens.prompt_len :] == Role.RESPONSE).all()


def test_generated_ids_keep_their_text(load_tiny):
    """Ids of arbitrary text, put through the generation's own path, show that text."""
    from core.models.local.decoding import Drawn

    model = load_tiny()
    text = " é한🙂 ok\n"
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    drawn = Drawn(ids, [0.0] * len(ids), "length")
    made = model._generation(model.tokenize("A"), GenerationParams(), drawn, 0.0, "x")
    assert made.text == text == made.tokens.response
    assert made.tokens.ids[made.tokens.prompt_len :].tolist() == ids


def test_greedy_equals_transformers_generate(load_tiny):
    model = load_tiny()
    tokens = model.tokenize("The soup has")
    made = model.generate(tokens, GenerationParams(max_new_tokens=20))
    with torch.inference_mode():
        full = model.model.generate(torch.tensor(tokens.ids)[None], max_new_tokens=20, do_sample=False)
    expected = full[0, len(tokens) :].tolist()
    if expected[-1] in model.end_ids:
        expected = expected[:-1]
    assert made.tokens.ids[tokens.prompt_len :].tolist() == expected
    np.testing.assert_allclose(made.logprob_nats, model.logprobs(made.tokens), atol=1e-4)


def test_streaming_ends_with_the_text(load_tiny):
    seen: list[str] = []
    model = load_tiny()
    made = model.generate(
        model.tokenize("The soup"), GenerationParams(max_new_tokens=12), on_text=seen.append
    )
    assert seen and made.text.startswith(seen[-1])
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))


def test_stop_ends_within_one_token(load_tiny):
    model, stop, seen = load_tiny(), threading.Event(), []

    def on_text(text: str) -> None:
        seen.append(text)
        stop.set()

    made = model.generate(
        model.tokenize("The"), GenerationParams(max_new_tokens=50), on_text=on_text, stop=stop
    )
    assert made.stop_reason == "stopped" and len(seen) == 1
    assert made.text.startswith(seen[0])


def test_sampling_repeats_by_seed_and_leaves_the_global_state(load_tiny):
    model = load_tiny()
    tokens = model.tokenize("The soup")
    before = torch.random.get_rng_state()
    one, again, other = (
        model.generate(
            tokens, GenerationParams(max_new_tokens=12, temperature=1.0, top_p=0.9, seed=seed)
        ).text
        for seed in (1, 1, 2)
    )
    assert one == again != other
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("family", ["gemma2", "gpt2"])
def test_a_left_padded_batch_changes_no_answer(load_tiny, family):
    model = load_tiny(family)
    batch = [model.tokenize(text) for text in ("The", "The soup has cheese in it", "Analyze a menu")]
    params = GenerationParams(max_new_tokens=8)
    for tokens, made in zip(batch, model.generate_batch(batch, params)):
        alone = model.generate(tokens, params)
        assert made.tokens.ids.tolist() == alone.tokens.ids.tolist()
        np.testing.assert_allclose(made.logprob_nats, alone.logprob_nats, atol=1e-4)


@pytest.mark.parametrize("family", ["gemma2", "gpt2", "llama", "qwen3"])
@pytest.mark.parametrize("padded", [False, True])
def test_rows_that_end_leave_the_batch_and_change_no_answer(load_tiny, family, padded):
    model, params = load_tiny(family), GenerationParams(max_new_tokens=24)
    texts = ["The", "The soup", "Analyze", "Analyze a menu item", "a b c d e"]
    prompts = [model.tokenize(text).ids.tolist() for text in texts]
    prompts = prompts if padded else [ids[-1:] for ids in prompts]
    lengths = [1, 20, 7, 24, 13]
    sizes = []
    forward = model.model.forward

    def watched(*args, input_ids, **more):
        sizes.append(len(input_ids))
        return forward(*args, input_ids=input_ids, **more)

    def end(row, drawn):
        return "stop" if len(drawn.ids) == lengths[row] else None

    model.model.forward = watched
    try:
        together = draw(model.model, prompts, params, end_ids=frozenset(), accept=end)
    finally:
        model.model.forward = forward
    assert (sizes[0], sizes[-1]) == (5, 1) and len(sizes) == 24
    for row, (prompt, drawn) in enumerate(zip(prompts, together)):
        (alone,) = draw(
            model.model, [prompt], params, end_ids=frozenset(), accept=lambda _, d, r=row: end(r, d)
        )
        assert (drawn.ids, len(drawn.ids)) == (alone.ids, lengths[row])
        np.testing.assert_allclose(drawn.logprob_nats, alone.logprob_nats, atol=1e-4)


def test_folders_that_cannot_be_loaded(tmp_path):
    def fault(path) -> str:
        with pytest.raises(AppError) as caught:
            load(ModelSpec("x", str(path)))
        return str(caught.value)

    assert "no folder" in fault(tmp_path / "none")
    assert "is not a model: expected a config.json" in fault(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "no weights" in fault(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    assert "pickled" in fault(tmp_path)


def test_prompts_that_cannot_be_read(load_tiny):
    model = load_tiny()
    with pytest.raises(AppError, match="empty"):
        model.tokenize("  \n")
    with pytest.raises(AppError, match=r"257 tokens long.*at most 256"):
        model.tokenize("\x00" * 256)


def test_stop_texts_cut_the_answer(load_tiny):
    """The greedy answer once more, stopped at three of its own characters: text before, ids up to them."""
    model = load_tiny("gpt2")
    tokens = model.tokenize("The soup")
    whole = model.generate(tokens, GenerationParams(max_new_tokens=12))
    mark = whole.text[5:8]
    cut = whole.text.index(mark)
    params = GenerationParams(max_new_tokens=12, stop=("never written", mark))
    for made in (model.generate(tokens, params), model.generate_batch([tokens], params)[0]):
        assert made.stop_reason == "stop"
        assert made.text == whole.text[:cut]
        ids = made.tokens.ids.tolist()
        assert ids == whole.tokens.ids[: len(ids)].tolist()
        assert made.tokens.response.startswith(made.text) and made.tokens.char_spans[-1, 0] - 8 < cut
    shown: list[str] = []
    model.generate(tokens, params, on_text=shown.append)
    assert shown[-1] == whole.text[:cut]
    assert all(whole.text[:cut].startswith(text) for text in shown)  # the start of a stop text is never shown


def test_a_device_map_over_what_there_is(model_folder):
    model = load(ModelSpec("x", str(model_folder("llama")), device="auto"))
    made = model.generate(model.tokenize("The soup"), GenerationParams(max_new_tokens=2))
    assert len(made.logprob_nats) == 2


def test_a_broken_model_is_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(AppError, match=r"weights model.safetensors in .* cannot be read"):
        load(ModelSpec("x", str(tmp_path)))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(AppError, match="is no JSON"):
        load(ModelSpec("x", str(tmp_path)))


def test_what_transformers_does_not_know_is_a_sentence(model_folder, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(model_folder("llama"), broken)
    (broken / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(AppError, match="x could not be loaded as a causal language model"):
        load(ModelSpec("x", str(broken)))
