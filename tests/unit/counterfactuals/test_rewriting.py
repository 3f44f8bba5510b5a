"""Paraphrase and back-translation, with models made of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.counterfactuals import Context, generator, make
from core.counterfactuals.back_translation import translation_models
from core.errors import AppError
from core.models.language_model import Capabilities
from core.records import Example

PROMPT = "The soup is hot.\n\n123\nIt has eggs. "


@dataclass
class Writer:
    """A model that answers with a function of what it is asked."""

    write: Callable[[str], str]
    capabilities: Capabilities = field(default_factory=Capabilities)
    spec: Any = field(default_factory=lambda: SimpleNamespace(name="writer"))
    asked: list[Any] = field(default_factory=list)

    def tokenize(self, prompt: Any, response: str | None = None) -> Any:
        self.asked.append(prompt)
        return prompt if isinstance(prompt, str) else [prompt[0].content]

    def generate(self, tokens: Any, params: Any, **_: Any) -> Any:
        asked = tokens if isinstance(tokens, str) else tokens[0]
        return SimpleNamespace(text=self.write(asked), params=params)


def test_each_sentence_is_written_again() -> None:
    model = Writer(lambda asked: f' "NEW {len(asked)}"\n\nSure, here it is')
    made = make(
        generator("paraphrase"),
        [Example("a", PROMPT)],
        {"instruction": "Say: {text}"},
        contexts=Context(model),
    )  # type: ignore[arg-type]
    assert [e.prompt for e in made.examples] == [
        "NEW 23\n\n123\nIt has eggs. ",
        "The soup is hot.\n\n123\nNEW 19 ",
    ]
    assert made.examples[0].edit == "sentence 1 in other words: “The soup is hot.”"


def test_a_chat_model_is_asked_as_a_chat_model() -> None:
    model = Writer(lambda asked: "x", Capabilities(chat=True))
    make(generator("paraphrase"), [Example("a", "one two")], {"part": "prompt"}, contexts=Context(model))  # type: ignore[arg-type]
    (message,) = model.asked[0]
    assert message.role == "user" and message.content.endswith("\n\none two")


def test_paraphrase_says_what_is_missing() -> None:
    rows = [Example("a", PROMPT)]
    with pytest.raises(AppError, match="should hold"):
        make(generator("paraphrase"), rows, {"instruction": "again!"}, contexts=Context(Writer(str)))  # type: ignore[arg-type]
    silent = Writer(str, Capabilities(generate=False, why={"generate": "it only scores"}))
    with pytest.raises(AppError, match="cannot use writer: it only scores"):
        make(generator("paraphrase"), rows, contexts=Context(silent))  # type: ignore[arg-type]


def test_back_translation_goes_there_and_back() -> None:
    calls: list[tuple[str, str]] = []

    def translate(text: str, source: str, target: str) -> str:
        calls.append((source, target))
        return f"{text}<{target}>"

    made = make(
        generator("back_translation"),
        [Example("a", "Hot soup.")],
        {"through": "de, fr", "part": "prompt"},
        contexts=Context(translate=translate),
    )
    assert [e.prompt for e in made.examples] == ["Hot soup.<de><en>", "Hot soup.<fr><en>"]
    assert calls == [("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en")]
    assert made.examples[1].edit == "prompt 1 through fr: “Hot soup.”"


def test_back_translation_says_what_is_missing() -> None:
    rows, member = [Example("a", "Hot soup.")], generator("back_translation")
    with pytest.raises(AppError, match="none is set up"):
        make(member, rows)
    here = Context(translate=lambda text, source, target: text)
    with pytest.raises(AppError, match="a code such as en"):
        make(member, rows, {"through": "German/../x"}, contexts=here)
    with pytest.raises(AppError, match="Name at least one"):
        make(member, rows, {"through": " , "}, contexts=here)
    with pytest.raises(AppError, match="expected a name with"):
        translation_models("opus")
    missing = translation_models("/nowhere/{source}-{target}")
    with pytest.raises(AppError, match="cannot be loaded"):
        missing("a", "en", "de")


def test_translation_models_are_sequence_to_sequence_models(tmp_path: Path) -> None:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    torch.set_num_threads(1)
    inner = Tokenizer(
        models.WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, "hot": 3, "soup": 4}, unk_token="<unk>")
    )
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path / "en-de"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=5, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    model = T5ForConditionalGeneration(config)
    model.save_pretrained(folder)
    translate = translation_models(str(tmp_path / "{source}-{target}"))
    ids = tokenizer("hot soup", return_tensors="pt").input_ids
    expected = model.eval().generate(ids, max_new_tokens=512, do_sample=False)
    assert translate("hot soup", "en", "de") == tokenizer.decode(expected[0], skip_special_tokens=True)
