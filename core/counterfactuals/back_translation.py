"""Back-translation: into another language and back, which keeps the meaning and changes the words.

The translation is a callable (`Context.translate`); `translation_models` makes one from sequence-to-
sequence models of transformers, one a direction, such as the Opus-MT family. Optional: nothing is loaded
unless it is set up.
Source of the use: Sennrich et al. 2016 (arXiv 1511.06709).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import regex

from core.counterfactuals.generator import Choices, Context, Edit, Generator, Translate, shown
from core.counterfactuals.parts import PARTS, parts
from core.errors import AppError
from core.family import Field
from core.records import Example

_LANGUAGE = regex.compile(r"[a-z]{2,3}(?:_[A-Za-z]{2,4})?")
_LONGEST_TOKENS = 512


def _language(code: str) -> str:
    if not _LANGUAGE.fullmatch(code):
        raise AppError(f"A language is written as a code such as en, de or zh, but it is {code!r}.")
    return code


def _edits(example: Example, choices: Choices, _rng: random.Random, context: Context) -> Iterator[Edit]:
    translate = cast(Translate, context.translate)
    own = _language(str(choices["language"]).strip())
    through = [_language(code.strip()) for code in str(choices["through"]).split(",") if code.strip()]
    if not through:
        raise AppError("Through which language? Name at least one, for example: de, fr.")
    prompt = example.prompt
    for other in through:
        for number, (start, stop) in enumerate(parts(prompt, str(choices["part"])), start=1):
            old = prompt[start:stop]
            new = translate(translate(old, own, other), other, own).strip()
            if new:
                words = f"{choices['part']} {number} through {other}: {shown(old)}"
                yield Edit(prompt[:start] + new + prompt[stop:], words)


def translation_models(pattern: str) -> Translate:
    """A `Translate` by the models that `pattern` names, `{source}` and `{target}` filled with languages.

    Models are loaded when first needed, safetensors only, and the last four kept. Raises: AppError for a
    pattern without both places, and, when used, for a model that cannot be loaded.
    """
    if "{source}" not in pattern or "{target}" not in pattern:
        raise AppError(
            f"The translation models are set to {pattern!r}; expected a name with {{source}} and {{target}}, "
            "such as Helsinki-NLP/opus-mt-{source}-{target}."
        )

    @lru_cache(maxsize=4)
    def loaded(name: str) -> tuple[Any, Any]:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        local = Path(name).expanduser().exists()
        try:
            tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local, trust_remote_code=False)
            model = AutoModelForSeq2SeqLM.from_pretrained(
                name, local_files_only=local, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise AppError(
                f"The translation model {name} cannot be loaded.",
                hint="Check the name, and that its weights are safetensors.",
            ) from error
        return tokenizer, model.eval()

    def translate(text: str, source: str, target: str) -> str:
        import torch

        tokenizer, model = loaded(pattern.replace("{source}", source).replace("{target}", target))
        ids = tokenizer(text, return_tensors="pt", truncation=True, max_length=_LONGEST_TOKENS)
        with torch.inference_mode():
            out = model.generate(
                ids["input_ids"],
                attention_mask=ids["attention_mask"],
                max_new_tokens=_LONGEST_TOKENS,
                do_sample=False,
            )
        return str(tokenizer.decode(out[0], skip_special_tokens=True))

    return translate


GENERATOR = Generator(
    name="back_translation",
    label="Back-translation",
    description="Parts of the prompt are translated into another language and back by translation models.",
    edits=_edits,
    needs="translate",
    fields=(
        Field(name="part", label="What to rewrite", kind="choice", default="sentence", choices=PARTS),
        Field(
            name="language",
            label="Language of the prompt",
            kind="line",
            default="en",
            description="A code such as en.",
        ),
        Field(
            name="through",
            label="Through",
            kind="line",
            default="de",
            description="Codes parted by commas: de, fr.",
        ),
    ),
)
