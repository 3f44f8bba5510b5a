"""Paraphrase: a loaded model writes the prompt, or each of its parts, again in other words.

As good as the model is: a person looks at the staged table before anything is added.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import cast

from core.counterfactuals.generator import Choices, Context, Edit, Generator, shown
from core.counterfactuals.parts import PARTS, parts
from core.errors import AppError
from core.family import Field
from core.models.language_model import LanguageModel
from core.records import Example, GenerationParams, Message

_ROOM = 32
"""Tokens that a paraphrase may be longer than its text twice over."""
INSTRUCTION = (
    "Write this text again in other words, with the same meaning. Answer with the new text alone.\n\n{text}"
)


def asked(model: LanguageModel, instruction: str, text: str, seed: int, context: Context) -> str:
    """What the model answers to the instruction, on one piece of text; "" where it answers nothing."""
    if "{text}" not in instruction:
        raise AppError("The instruction should hold {text}, the place where the text to be rewritten goes.")
    request = instruction.replace("{text}", text)
    prompt: str | list[Message] = request + "\n\n"
    if model.capabilities.chat:
        prompt = [Message("user", request)]
    tokens = model.tokenize(prompt)
    longest = 2 * len(model.tokenize(text)) + _ROOM
    params = GenerationParams(max_new_tokens=longest, temperature=0.8, top_p=0.95, seed=seed)
    written = model.generate(tokens, params, stop=context.stop).text.strip()
    return written.split("\n\n")[0].strip(' "“”')


def _edits(example: Example, choices: Choices, rng: random.Random, context: Context) -> Iterator[Edit]:
    model = cast(LanguageModel, context.model)
    prompt = example.prompt
    for _ in range(int(choices["count"] or 1)):
        for number, (start, stop) in enumerate(parts(prompt, str(choices["part"])), start=1):
            seed = rng.randrange(2**31)
            old = prompt[start:stop]
            if new := asked(model, str(choices["instruction"]), old, seed, context):
                words = f"{choices['part']} {number} in other words: {shown(old)}"
                yield Edit(prompt[:start] + new + prompt[stop:], words)


GENERATOR = Generator(
    name="paraphrase",
    label="Paraphrase",
    description="The model in use writes parts of the prompt again in other words.",
    edits=_edits,
    needs="generate",
    fields=(
        Field(name="part", label="What to rewrite", kind="choice", default="sentence", choices=PARTS),
        Field(name="count", label="Versions of each", kind="number", default=1, minimum=1, maximum=20),
        Field(
            name="instruction",
            label="Instruction",
            kind="text",
            default=INSTRUCTION,
            description="{text} stands for the part to rewrite.",
        ),
    ),
)
