"""Tokenizers of every kind on the page: no lost space, no mark of a vocabulary, in the prompt and in the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.models import load as load_model
from core.records import ModelSpec
from core.ui.salience_page.surface import control_tokens
from tests.pages.test_salience import answer, errors, finish, order, write
from tests.unit.models.local.test_kinds_of_tokenizer import gpt1, unigram, word_level, wordpiece

PROMPT = "The soup has cheese in it"
KINDS = {"wordpiece": wordpiece, "gpt1": gpt1, "word_level": word_level, "unigram": unigram}
CONTROL = "soupend"


def controlled() -> Any:
    """A tokenizer with a control token whose letters it knows as text too."""
    tokenizer = wordpiece()
    tokenizer.add_special_tokens({"additional_special_tokens": [CONTROL]})
    return tokenizer


@pytest.fixture(params=list(KINDS))
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """A small Llama on random weights with the tokenizer of each kind."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder, tokenizer = tmp_path / "kind", {**KINDS, "controlled": controlled}[request.param]()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return lambda spec, **more: load_model(ModelSpec(spec.name, str(folder), dtype="float32", device="cpu"))


def test_the_page_shows_the_text_as_it_is(open_app: Callable[..., AppTest]) -> None:
    app = open_app("salience")
    app.selectbox(key="granularity").set_value("token").run()
    write(app, PROMPT)
    finish(order(app, "run"))
    assert errors(app) == []
    tokens = answer(app).generation.tokens
    assert tokens.text[: tokens.prompt_chars].strip() == PROMPT
    said = tokens.response
    decoder = " ".join(said.split())
    assert decoder and not any(mark in tokens.text for mark in ("##", "</w>", "\u2581"))
    shown = "".join(tokens.text[a:b] for a, b in dict.fromkeys(map(tuple, tokens.char_spans.tolist())))
    assert shown == tokens.text


@pytest.mark.parametrize("load", ["wordpiece"], indirect=True)
def test_half_a_character_is_a_sentence_on_the_page(open_app: Callable[..., AppTest]) -> None:
    app = open_app("salience")
    write(app, "bad \ud83d here")
    order(app, "run")
    for _ in range(3):
        held = answer(app)
        if held.job is not None:
            assert held.job.wait(30)
        app.run()
    assert not app.exception
    assert any("half a character" in told for told in errors(app))


@pytest.mark.parametrize("load", ["controlled"], indirect=True)
def test_a_typed_control_token_is_sent_as_text_where_asked(open_app: Callable[..., AppTest]) -> None:
    app = open_app("salience")
    write(app, f"The {CONTROL} soup")
    finish(order(app, "run"))
    held = answer(app).generation
    assert control_tokens(held) == [CONTROL]
    finish(order(app, "as text"))
    assert errors(app) == []
    plain = answer(app).generation
    assert plain.params.as_text and control_tokens(plain) == []
    assert plain.tokens.text[: plain.tokens.prompt_chars] == f"The {CONTROL} soup"
    assert app.query_params["as_text"] in ("True", ["True"])  # the link asks the very same
    finish(order(app, "as control"))
    assert control_tokens(answer(app).generation) == [CONTROL]
    assert "as_text" not in app.query_params
