"""Writes a trained demo model to its folder. Knows nothing of how it was trained or how good it is."""

import copy
import json
from pathlib import Path
from typing import Any

import torch
from transformers import Gemma2ForCausalLM, GenerationConfig, PreTrainedTokenizerBase

from tools.demo_model.tokenizer import END_OF_TURN

DEFAULT_FOLDER = Path(__file__).parents[2] / "data" / "models" / "demo"


def save(
    model: Gemma2ForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: Path, training: dict[str, Any]
) -> None:
    """Writes weights in bfloat16, tokenizer, generation settings and the facts of `training.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)  # type: ignore[arg-type]
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(folder)
    GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TURN)],
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=160,
    ).save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps(training, indent=2) + "\n")
