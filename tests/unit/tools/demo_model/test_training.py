"""Tokenizer, batches, schedule and card: the parts of training that need no training run."""

import json
import random
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from tools.demo_model.batches import IGNORED, Batcher, encode
from tools.demo_model.card import wilson, write_card
from tools.demo_model.evaluate import JUDGES, flipped
from tools.demo_model.folder import save
from tools.demo_model.grammar import FAMILIES, draw, words
from tools.demo_model.model import make_config, make_model
from tools.demo_model.tokenizer import SPECIAL, train_tokenizer
from tools.demo_model.train import Plan, begin, loss_of


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return train_tokenizer(seed=1, vocabulary=1500, prompts=60)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_survives(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    if any(mark in text for mark in SPECIAL):
        return
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("text", ["한국어 🙂", "שלום\r\n\n\n", "e\u0301  \t x ", "12 345.6"])
def test_hard_texts_survive(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_ingredients_and_digits_are_single_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    for word in words.ALL_INGREDIENTS:
        assert len(tokenizer.tokenize(f" {word}")) == 1, word
    assert tokenizer.tokenize("407") == ["4", "0", "7"]


def test_the_chat_template_is_gemmas(tokenizer: PreTrainedTokenizerBase) -> None:
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], add_generation_prompt=True, tokenize=False
    )
    assert text == "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n"


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_counts_on_the_whole_response(
    tokenizer: PreTrainedTokenizerBase, family: str, chat: bool
) -> None:
    record = draw(random.Random(2), family).join()
    sequence = encode(record, tokenizer, chat=chat)
    end = "<end_of_turn>" if chat else "<eos>"
    counted = [token for token, label in zip(sequence.ids, sequence.labels) if label != IGNORED]
    assert tokenizer.decode(counted).endswith(record.response.strip() + end)
    assert all(label in (IGNORED, token) for token, label in zip(sequence.ids, sequence.labels))


def test_batches_are_padded_on_the_right_and_lose_nothing(tokenizer: PreTrainedTokenizerBase) -> None:
    rng = random.Random(3)
    made = [encode(draw(rng, "ideas").join(), tokenizer, chat=False) for _ in range(200)]
    ids, labels = Batcher(iter(made), tokenizer.pad_token_id, tokens=640).next()
    assert ids.shape == labels.shape
    for row, marks in zip(ids.tolist(), labels.tolist()):
        real = [token for token in row if token != tokenizer.pad_token_id]
        assert row[: len(real)] == real
        assert any(sequence.ids == real for sequence in made)
        assert marks[len(real) :] == [IGNORED] * (len(row) - len(real))


def test_the_loss_is_the_mean_over_labelled_tokens() -> None:
    config = make_config(40, pad=0, eos=1, bos=2)
    model = make_model(config, seed=1).eval()
    ids = torch.tensor([[2, 7, 8, 9], [2, 11, 1, 0]])
    labels = torch.tensor([[IGNORED, IGNORED, 8, 9], [IGNORED, 11, IGNORED, IGNORED]])
    with torch.no_grad():
        logprobs = model(input_ids=ids).logits.log_softmax(-1)
        expected = -(logprobs[0, 1, 8] + logprobs[0, 2, 9] + logprobs[1, 0, 11]) / 3
        assert loss_of(model, ids, labels).item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_rate_rises_holds_and_falls() -> None:
    plan = Plan(steps=1000, warmup=100, cooldown=0.2)
    assert plan.rate(0) == pytest.approx(0.01)
    assert plan.rate(500) == 1.0
    assert plan.rate(900) == pytest.approx(0.5)
    assert plan.rate(1000) == 0.0


def test_a_saved_model_loads_again(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = make_model(make_config(len(tokenizer), pad=0, eos=1, bos=2), seed=1)
    save(model, tokenizer, tmp_path, {"step": 7})
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded).__name__ == "Gemma2ForCausalLM"
    assert loaded.generation_config.eos_token_id == [1, 5]
    assert AutoTokenizer.from_pretrained(tmp_path).tokenize(" butter") == tokenizer.tokenize(" butter")
    assert model.model.embed_tokens.weight.dtype == torch.float32
    resumed, _, done = begin(Plan(), tmp_path)
    assert resumed.dtype == torch.float32
    assert (done["step"], done["restarts"]) == (7, [7])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_judge_takes_the_right_answer_and_no_other(family: str) -> None:
    rng = random.Random(5)
    for _ in range(20):
        record = draw(rng, family).join()
        assert JUDGES[family](record, record.response)
        assert not JUDGES[family](record, "")
        if family == "menu" and record.mend is not None:
            assert flipped(record, record.mend.response)
            assert not flipped(record, record.response)


def test_wilson_against_a_worked_case() -> None:
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_the_card_says_what_was_missed(tmp_path: Path) -> None:
    rows = [
        {"name": "easy", "prompts": 500, "right": 500, "goal": 0.9},
        {"name": "hard", "prompts": 500, "right": 300, "goal": 0.9},
    ]
    speed = {"salience_seconds_400_tokens": 0.1, "generated_tokens_a_second": 90.0}
    records = {
        "training.json": {
            "seed": 1,
            "step": 10,
            "tokens": 1000,
            "seconds": 60,
            "device": "cpu",
            "restarts": [],
        },
        "evaluation.json": {"seed": 7, "rows": rows, "speed": speed, "note": "Said once."},
        "config.json": {"max_position_embeddings": 2048},
    }
    for name, record in records.items():
        (tmp_path / name).write_text(json.dumps(record))
    (tmp_path / "model.safetensors").write_bytes(b"0" * 2000)
    write_card(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "Goals missed: hard." in card
    assert "Said once." in card
    assert "| easy | 100.0% [99.2%, 100.0%] | ≥ 90% | reached |" in card
