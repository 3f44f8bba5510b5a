"""The tokenizer in a `.gguf` file, so that text becomes the ids that llama.cpp would make of it.

transformers rebuilds the vocabulary; how text is split before merging it knows for some names of
`tokenizer.ggml.pre` only, and takes GPT-2's rule for every other, in silence. The names for which that is right, or
can be made right, are listed here; the rest is refused. Source of the rules: llama.cpp's `src/llama-vocab.cpp`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import AppError
from core.models.local.gguf_header import Header

AS_GPT2 = ("gpt-2", "phi-2", "olmo", "mpt", "jais", "trillion", "granite-docling", "exaone4", "roberta-bpe")
DIGIT_BY_DIGIT = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
ENDS = (
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "< EOT >", "_<EOT>",
    "<|end_of_text|>", "<end_of_utterance>", "<EOT>", "</s>",
)  # fmt: skip
"""Control tokens that end an answer wherever a vocabulary has them, in llama.cpp as here."""
CONTROL = 3


def check(header: Header) -> None:
    """Raises: AppError for a vocabulary, or a way of splitting text, that cannot be rebuilt here."""
    from transformers.integrations.gguf.gguf_tokenizer_mapping import (
        GGUF_PRE_TOKENIZER_SPLITS,
        GGUF_TOKENIZER_TYPES,
    )

    kind, split = header.metadata.get("tokenizer.ggml.model"), header.metadata.get("tokenizer.ggml.pre")
    known = [name for name in GGUF_TOKENIZER_TYPES if name != "t5"]
    if kind not in known:
        raise AppError(
            f"{header.path.name} has a vocabulary of the kind {kind!r}, which cannot be rebuilt here.",
            hint=f"Known: {', '.join(known)}.",
        )
    splits = (*GGUF_PRE_TOKENIZER_SPLITS, *AS_GPT2, *DIGIT_BY_DIGIT)
    if kind == "gpt2" and split not in splits:
        raise AppError(
            f"{header.path.name} splits text by the rule {split!r}, which is not known here: other ids than "
            "llama.cpp's would come of it.",
            hint=f"Known: {', '.join(sorted(splits))}.",
        )


def mend(tokenizer: Any, header: Header) -> Any:
    """transformers' `tokenizer` of the file, that splits digits where the file says so."""
    from tokenizers import Regex, pre_tokenizers

    backend = tokenizer.backend_tokenizer
    if header.metadata.get("tokenizer.ggml.pre") in DIGIT_BY_DIGIT and _byte_level(header):
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(r"\p{N}"), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    return tokenizer


def drop_added(folder: Path, header: Header) -> None:
    """Takes out of a saved tokenizer the control words that the library added and the file does not have.

    They would have an id without weights, where for llama.cpp they are text. `header` keeps the words.
    """
    words = header.metadata["tokenizer.ggml.tokens"]
    file = folder / "tokenizer.json"
    held = json.loads(file.read_text(encoding="utf-8"))
    gone = {token["content"] for token in held["added_tokens"] if token["id"] >= len(words)}
    if not gone:
        return
    held["added_tokens"] = [token for token in held["added_tokens"] if token["content"] not in gone]
    file.write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")
    file = folder / "tokenizer_config.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    for key, value in list(said.items()):
        if value in gone if isinstance(value, str) else isinstance(value, list):
            kept = [one for one in value if one not in gone] if isinstance(value, list) else None
            said[key] = kept
    file.write_text(json.dumps(said, indent=2, ensure_ascii=False), encoding="utf-8")


def end_ids(header: Header) -> list[int]:
    """Every id that ends an answer: the file's own, and the control tokens that do so by their name.

    `header` keeps `tokenizer.ggml.tokens`.
    """
    meta = header.metadata
    ids = [meta.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot", "eom")]
    words, kinds = meta["tokenizer.ggml.tokens"], meta.get("tokenizer.ggml.token_type") or []
    named = set(ENDS)
    for number, (word, kind) in enumerate(zip(words, kinds, strict=False)):
        if kind == CONTROL and word in named:
            ids.append(number)
    return sorted({int(number) for number in ids if number is not None and 0 <= int(number) < len(words)})


def _byte_level(header: Header) -> bool:
    return header.metadata.get("tokenizer.ggml.model") == "gpt2"
