"""Greedy answers of a model to many prompts at once, in the plain form or in the chat template.

Prompts of similar length share a batch, padded on the left. Knows nothing of what is right.
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
    max_new_tokens: int = 200,
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
        out = model.generate(**inputs, do_sample=False, max_new_tokens=max_new_tokens)  # type: ignore[misc]
        written = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        found.update(zip(rows, written, strict=True))
    return [found[i] for i in range(len(prompts))]
