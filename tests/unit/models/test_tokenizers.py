"""Text and tokens for the kinds of tokenizer that models come with, not only byte-level ones."""

from __future__ import annotations

import itertools

import pytest

from core.models.char_spans import TokenBytes, cover, decode_with_spans

TEXTS = [
    "The soup has cheese.",
    "  two  spaces \n\n\tand a tab ",
    "é 한국어 שלום 🙂🙂 Ω",
    "▁ and <0x41> typed, 👩‍👩‍👧 together",
]
CORPUS = ["The soup has cheese in it.", "two spaces and a tab"]


def sentencepiece(prepend: bool):
    """As in Gemma (no prefix) and Llama 2 (a space put before the text): BPE with bytes to fall back on."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    space = normalizers.Replace(" ", "▁")
    inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), space]) if prepend else space
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    inner.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prepend else steps)
    special = ["<pad>", "<s>", "</s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    inner.train_from_iterator(CORPUS, trainer)
    data = inner.to_str()
    # The trainer marks the bytes as special; in real models they are plain members of the vocabulary.
    import json

    held = json.loads(data)
    held["added_tokens"] = [token for token in held["added_tokens"] if not token["content"].startswith("<0x")]
    inner = Tokenizer.from_str(json.dumps(held))
    inner.add_special_tokens([AddedToken("<s>", special=True)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )


@pytest.fixture(scope="module", params=["gemma", "llama"])
def tokenizer(request):
    return sentencepiece(prepend=request.param == "llama")


@pytest.mark.parametrize("text", TEXTS)
def test_typed_text_is_covered_in_whole_characters(tokenizer, text):
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = cover(
        [tuple(s) for s in encoded["offset_mapping"]], [False] * len(encoded["input_ids"]), len(text)
    )
    assert {i for a, b in spans for i in range(a, b)} == set(range(len(text)))
    units = [span for span in spans if span[0] < span[1]]
    assert all(left == right or left[1] == right[0] for left, right in itertools.pairwise(units))


@pytest.mark.parametrize("text", TEXTS)
def test_generated_ids_show_the_text_they_stand_for(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    tell = TokenBytes(tokenizer)
    shown, spans = decode_with_spans([tell(i) for i in ids])
    # Nothing is stripped: after a prompt the space that a Llama tokenizer puts first is a real one.
    assert shown.replace("▁", " ").removeprefix(" ").lstrip(" ") == text.replace("▁", " ").lstrip(" ")
    assert spans[-1][1] == len(shown)


def test_a_character_of_bytes_is_one_unit(tokenizer):
    ids = tokenizer("a🙂b", add_special_tokens=False)["input_ids"]
    tell = TokenBytes(tokenizer)
    text, spans = decode_with_spans([tell(i) for i in ids])
    face = text.index("🙂")
    assert spans.count((face, face + 1)) == 4


def test_special_tokens_have_no_bytes(tokenizer):
    tell = TokenBytes(tokenizer)
    assert tell.is_special(tokenizer.bos_token_id) and tell(tokenizer.bos_token_id) == b""
