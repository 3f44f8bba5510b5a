"""Greedy answers of a model to many prompts at once, in the plain form or in the chat template.

Prompts of similar length share a batch, padded on the left. A whole expected answer can be checked in one
pass: greedy decoding writes it exactly when each of its tokens is the most likely one after those before it.
"""

import torch
from transformers import Gemma2ForCausalLM, PreTrainedTokenizerBase

from tools.demo_model.batches import as_text


@torch.no_grad()
def answers(
    model: Gemma2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    chat: list[bool],
    batch: int = 50,
    max_new_tokens: int = 160,
) -> list[str]:
    """Returns the text that greedy decoding adds to each prompt, end tokens left out, in their order."""
    texts = [as_text(prompt, "", chat=form)[0] for prompt, form in zip(prompts, chat, strict=True)]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found: dict[int, str] = {}
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        inputs = tokenizer(
            [texts[i] for i in rows],
            add_special_tokens=False,
            return_tensors="pt",
            padding=True,
            padding_side="left",
        ).to(model.device)
        out = model.generate(**inputs, do_sample=False, max_new_tokens=max_new_tokens)
        written = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        found.update(zip(rows, written, strict=True))
    return [found[i] for i in range(len(prompts))]


@torch.no_grad()
def writes(
    model: Gemma2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    expected: list[str],
    *,
    chat: list[bool],
    batch: int = 25,
) -> list[bool]:
    """Returns for each prompt whether greedy decoding writes the expected answer and then ends."""
    pairs = [as_text(*texts, chat=form) for *texts, form in zip(prompts, expected, chat, strict=True)]
    before, after = (
        tokenizer([pair[side] for pair in pairs], add_special_tokens=False)["input_ids"] for side in (0, 1)
    )
    order = sorted(range(len(pairs)), key=lambda i: len(before[i]) + len(after[i]))
    found: dict[int, bool] = {}
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        width = max(len(before[i]) + len(after[i]) for i in rows)
        ids = torch.full((len(rows), width), tokenizer.pad_token_id)
        for row, i in enumerate(rows):
            ids[row, : len(before[i]) + len(after[i])] = torch.tensor([*before[i], *after[i]])
        likeliest = model(ids.to(model.device), use_cache=False).logits.argmax(-1).tolist()
        for row, i in enumerate(rows):
            first = len(before[i]) - 1
            found[i] = likeliest[row][first : first + len(after[i])] == after[i]
    return [found[i] for i in range(len(prompts))]


def greedy(
    model: Gemma2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    expected: list[str],
    *,
    chat: list[bool],
) -> list[str]:
    """Returns the greedy answers, generated only where they are not the expected ones."""
    same = writes(model, tokenizer, prompts, expected, chat=chat)
    others = [i for i, good in enumerate(same) if not good]
    written = answers(model, tokenizer, [prompts[i] for i in others], chat=[chat[i] for i in others])
    replaced = dict(zip(others, written, strict=True))
    return [replaced.get(i, text) for i, text in enumerate(expected)]
