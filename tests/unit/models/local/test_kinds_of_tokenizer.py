"""Text of generated tokens is the tokenizer's own, whatever its kind; typed answers gain nothing that nobody typed."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from core.errors import AppError
from core.models.char_spans import TokenBytes, cover, decode_with_spans
from tests.unit.conftest import CORPUS


def wrapped(inner: Any) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]")


def wordpiece() -> Any:
    inner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.decoder = decoders.WordPiece(cleanup=False)
    inner.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=60, special_tokens=["[UNK]"], show_progress=False)
    )
    return wrapped(inner)


def gpt1() -> Any:
    inner = Tokenizer(models.BPE(unk_token="[UNK]", end_of_word_suffix="</w>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.decoder = decoders.BPEDecoder(suffix="</w>")
    inner.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=60, special_tokens=["[UNK]"], end_of_word_suffix="</w>", show_progress=False
        ),
    )
    return wrapped(inner)


def word_level() -> Any:
    inner = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.train_from_iterator(
        CORPUS, trainers.WordLevelTrainer(special_tokens=["[UNK]"], show_progress=False)
    )
    return wrapped(inner)


def unigram() -> Any:
    inner = Tokenizer(models.Unigram())
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.decoder = decoders.Metaspace()
    inner.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=80, special_tokens=["[UNK]"], unk_token="[UNK]", show_progress=False
        ),
    )
    return wrapped(inner)


@pytest.mark.parametrize("make", [wordpiece, gpt1, word_level, unigram])
def test_generated_tokens_read_as_their_own_decoder_says(make):
    tokenizer = make()
    ids = tokenizer("The soup has cheese in it", add_special_tokens=False)["input_ids"]
    pieces = TokenBytes(tokenizer)
    text, spans = decode_with_spans([pieces(number) for number in ids])
    assert text.strip() == tokenizer.decode(ids).strip() == "The soup has cheese in it"
    assert len(spans) == len(ids) and "".join(text[a:b] for a, b in spans) == text


def test_starts_without_ends_are_repaired():
    assert cover([(0, 0), (3, 3), (7, 7), (10, 10)], [False] * 4, 11) == [(0, 3), (3, 7), (7, 10), (10, 11)]


def llama2() -> Any:
    """Llama 2's normaliser: a space before every text, spaces as ▁, bytes for what has no piece."""
    words = [
        "<unk>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "\u2581",
        *"AnswerY:s",
        "Ye",
        "\u2581A",
        "\u2581Y",
    ]
    vocab = {word: number for number, word in enumerate(dict.fromkeys(words))}
    merges = [("Y", "e"), ("\u2581", "A"), ("\u2581", "Y")]
    inner = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", byte_fallback=True))
    inner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    inner.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return wrapped(inner)


@pytest.mark.parametrize("target", ["Yes", "Answer", " Yes", "Yes Answer"])
def test_a_typed_answer_has_the_ids_that_it_has_within_the_text(load_tiny, target):
    model = load_tiny("llama")
    tokenizer, model.tokenizer = model.tokenizer, llama2()
    known, model._bytes_of = model._bytes_of, TokenBytes(model.tokenizer)
    try:
        tokens = model.tokenize("Answer:\n", target)
        whole = model.tokenizer(f"Answer:\n{target}", add_special_tokens=False)["input_ids"]
        assert tokens.ids.tolist() == whole
        assert tokens.char_spans[tokens.prompt_len][0] == len("Answer:\n")
    finally:
        model.tokenizer, model._bytes_of = tokenizer, known


def test_half_a_character_is_a_sentence(load_tiny):
    with pytest.raises(AppError, match=r"half a character \(U\+D83D, a lone surrogate\) at its place 5"):
        load_tiny("llama").tokenize("bad \ud83d here")
    with pytest.raises(AppError, match="half a character"):
        load_tiny("llama").tokenize("good", " \ud83d")
