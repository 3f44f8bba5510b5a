"""Salience of a 2-billion-parameter Gemma 2 with random weights on a CUDA GPU: `python -m benchmarks.gpu`.

For bf16, int8 and nf4: seconds and peak memory of a grad L2 matrix at 512 + 64 tokens, row by row against
batched backward passes, and how far the gradients lie from those of the same weights de-quantised to bf16.
Prints one JSON line a measurement. `--tiny` runs the same on a processor with a toy, to see that it runs.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.llama_40m import tokenizer
from core.models import load
from core.records import ModelSpec, SalienceRequest
from core.salience import grad_l2
from core.salience import memory as memory_plans
from core.salience.gradients import gradients
from core.salience.memory import PLANS, Plan

PROMPT, RESPONSE = 512, 64


def save(folder: Path, tiny: bool) -> None:
    """Gemma 2 2B's own configuration (or a toy's) with random bf16 weights."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    toy = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "vocab_size": 512,
        "head_dim": 16,
    }
    config = Gemma2Config(**(toy if tiny else {}), max_position_embeddings=1024)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = Gemma2ForCausalLM(config)
    finally:
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def report(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def peak() -> int:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def timed(model: Any, request: SalienceRequest, plan: Plan) -> tuple[float, int]:
    """Seconds and extra peak bytes of one matrix with one plan, after a warm-up of two rows."""
    memory_plans.PLANS = (plan,)
    grad_l2.METHOD.run(model, replace(request, targets=request.targets[:2]))
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated() if cuda else 0
    start = time.perf_counter()
    grad_l2.METHOD.run(model, request)
    return time.perf_counter() - start, peak() - before


def dequantised(model: Any) -> Any:
    """A bf16 copy whose linear layers hold the quantised model's own weights."""
    import bitsandbytes as bnb

    net = copy.deepcopy(model.model)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, bnb.nn.Linear4bit):
                weight = bnb.functional.dequantize_4bit(child.weight.data, child.weight.quant_state)
            elif isinstance(child, bnb.nn.Linear8bitLt):
                held, scales = child.state.CB, child.state.SCB
                weight = held.float() * scales.float()[:, None] / 127
            else:
                continue
            plain = torch.nn.Linear(child.in_features, child.out_features, bias=False)
            plain.weight = torch.nn.Parameter(weight.to(torch.bfloat16), requires_grad=False)
            setattr(module, name, plain)
    other = copy.copy(model)
    other.model = net
    return other


def agreement(model: Any, request: SalienceRequest) -> dict[str, float]:
    """Gradients of a quantised model against those of its de-quantised weights, over four rows."""
    few = replace(request, targets=request.targets[:4])
    one = torch.stack([g.float().cpu() for _, g, _ in gradients(model, few)])
    two = torch.stack([g.float().cpu() for _, g, _ in gradients(dequantised(model), few)])
    return {
        "cosine": float(torch.nn.functional.cosine_similarity(one.flatten(), two.flatten(), 0)),
        "relative_l2": float((one - two).norm() / two.norm()),
        "signs_equal": float((one.sign() == two.sign()).float().mean()),
    }


def main(tiny: bool) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not tiny:
        sys.exit("No CUDA GPU is here. --tiny runs the same on a processor with a toy.")
    if device == "cuda":
        report(gpu=torch.cuda.get_device_name(), torch=torch.__version__)
    prompt, response = (32, 8) if tiny else (PROMPT, RESPONSE)
    ids = np.random.default_rng(0).integers(3, 500, prompt + response)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder, tiny)
        for quantization in ("none", "int8", "nf4"):
            spec = ModelSpec("gemma", name, dtype="bfloat16", quantization=quantization, device=device)
            model = load(spec)
            targets = tuple((i, i + 1) for i in range(prompt, prompt + response))
            request = SalienceRequest(model.spec, tuple(ids.tolist()), prompt, "grad_l2", targets)
            for label, plan in (
                ("row by row", Plan()),
                ("batches of 8", Plan(batch=8)),
                ("passes of 8 rows, layers anew", PLANS[2]),
            ):
                seconds, extra = timed(model, request, plan)
                report(
                    precision=spec.precision,
                    plan=label,
                    seconds=round(seconds, 3),
                    extra_peak_mb=extra // 2**20,
                    weights_mb=model.bytes // 2**20,
                )
            if quantization != "none":
                report(precision=spec.precision, against="de-quantised", **agreement(model, request))
            model.close()
            del model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true")
    main(parser.parse_args().tiny)
