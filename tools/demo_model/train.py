"""Trains the bundled demo model from nothing: tokenizer, weights, folder. Run as a module, see `--help`.

Matrices are trained with Muon (Jordan et al. 2024, as in torch.optim.Muon), the rest with AdamW; the learning
rate is constant and falls to zero at the end. What is saved is the moving average of the weights. bfloat16
autocast on a CPU or GPU. The same seed and number of steps give the same data in the same order.
"""

import argparse
import copy
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset
from transformers import AutoTokenizer, Gemma2ForCausalLM, PreTrainedTokenizerBase

from tools.demo_model.batches import Batcher, Sequence, encode, shuffled_rng
from tools.demo_model.curriculum import drawn_at
from tools.demo_model.folder import DEFAULT_FOLDER, save
from tools.demo_model.grammar import roughen
from tools.demo_model.model import make_config, make_model
from tools.demo_model.tokenizer import train_tokenizer


@dataclass(frozen=True)
class Plan:
    """Everything that decides the weights. `steps` are optimizer steps of about 4,096 tokens each."""

    seed: int = 20
    steps: int = 7800
    vocabulary: int = 2048
    warmup: int = 150
    cooldown: float = 0.25  # share of the steps in which the learning rate falls to zero
    matrix_rate: float = 0.01
    other_rate: float = 0.003
    weight_decay: float = 0.01
    average: float = 0.998  # decay of the moving average of the weights

    def rate(self, step: int) -> float:
        """Returns the factor on the learning rates at a step."""
        falling = max(1.0, self.steps * self.cooldown)
        return min(1.0, (step + 1) / self.warmup, max(0.0, (self.steps - step) / falling))


class GrammarBatches(IterableDataset):
    """Batches in their one order; each batch is drawn from the curriculum at the step that it belongs to."""

    def __init__(self, plan: Plan, tokenizer: PreTrainedTokenizerBase, first: int = 0) -> None:
        self.plan = plan
        self.tokenizer = tokenizer
        self.first = self.step = first

    def sequences(self) -> Iterator[Sequence]:
        rng = shuffled_rng(self.plan.seed, f"train from {self.first}")
        while True:
            draft = drawn_at(rng, self.step / self.plan.steps)
            yield encode(roughen(rng, draft).join(), self.tokenizer, chat=rng.random() < 0.3)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        batcher = Batcher(self.sequences(), self.tokenizer.pad_token_id)
        for step in range(self.first, self.plan.steps):
            self.step = step
            yield batcher.next()


def make_optimizers(model: nn.Module, plan: Plan) -> list[torch.optim.Optimizer]:
    """Returns Muon for the matrices of the layers and AdamW for embedding and norms."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(matrices, lr=plan.matrix_rate, momentum=0.95, weight_decay=plan.weight_decay),
        torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]


def loss_of(model: Gemma2ForCausalLM, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Returns the mean loss in nats over the labelled tokens of ids and labels, both (B, T)."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    wanted = labels[:, 1:]
    counted = wanted >= 0
    logits = model.lm_head(hidden[counted])
    return nn.functional.cross_entropy(logits.float(), wanted[counted])


def begin(
    plan: Plan, resumed: Path | None
) -> tuple[Gemma2ForCausalLM, PreTrainedTokenizerBase, dict[str, Any]]:
    """Returns model, tokenizer and what an earlier, interrupted training of the same plan had done.

    `resumed` is the folder that it wrote: its weights and tokenizer are taken over, the optimizers are not.
    """
    done: dict[str, Any] = {"step": 0, "tokens": 0, "seconds": 0, "restarts": []}
    if resumed is None:
        tokenizer = train_tokenizer(plan.seed, plan.vocabulary)
        ids = {"pad": tokenizer.pad_token_id, "eos": tokenizer.eos_token_id, "bos": tokenizer.bos_token_id}
        return make_model(make_config(len(tokenizer), **ids), plan.seed), tokenizer, done
    done |= json.loads((resumed / "training.json").read_text())
    done["restarts"] = [*done["restarts"], done["step"]]
    model = Gemma2ForCausalLM.from_pretrained(resumed, dtype=torch.float32)
    return model, AutoTokenizer.from_pretrained(resumed), done


def train(
    plan: Plan,
    folder: Path,
    *,
    checkpoint_every: int,
    compiled: bool,
    resumed: Path | None = None,
    log_every: int = 25,
) -> None:
    """Trains by the plan and writes the model to the folder, also each `checkpoint_every` steps.

    Raises:
        RuntimeError: the loss is no longer finite.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, tokenizer, before = begin(plan, resumed)
    first = before["step"]
    model = model.to(device).train()  # type: ignore[arg-type]
    averaged = copy.deepcopy(model)
    if compiled:
        for layer in model.model.layers:
            layer.compile(dynamic=False)
    optimizers = make_optimizers(model, plan)
    rates = [[group["lr"] for group in one.param_groups] for one in optimizers]
    source = GrammarBatches(plan, tokenizer, first)
    loader = DataLoader(source, batch_size=None, num_workers=1, prefetch_factor=8)
    begun, seen, losses = time.perf_counter(), 0, []  # of this run alone
    for step, (batch, labels) in enumerate(loader, start=first):
        warming = min(1.0, (step - first + 1) / plan.warmup)  # fresh optimizers warm up after a restart too
        for optimizer, started in zip(optimizers, rates, strict=True):
            for group, rate in zip(optimizer.param_groups, started, strict=True):
                group["lr"] = rate * plan.rate(step) * warming
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of(model, batch.to(device), labels.to(device))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        decay = min(plan.average, (step - first + 1) / (step - first + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1 - decay)
        seen += batch.numel()
        losses.append(loss.detach())
        seconds = time.perf_counter() - begun
        if (step + 1) % log_every == 0:
            mean = torch.stack(losses).mean().item()
            losses.clear()
            if not math.isfinite(mean):
                raise RuntimeError(f"the loss became {mean} at step {step + 1}")
            speed = f"{seen / seconds:.0f} tokens/s, {seconds:.0f} s"
            print(f"step {step + 1}/{plan.steps}: loss {mean:.4f} nats, {speed}", flush=True)
        if (step + 1) % checkpoint_every == 0 or step + 1 == plan.steps:
            facts = {
                **asdict(plan),
                "step": step + 1,
                "tokens": before["tokens"] + seen,
                "seconds": before["seconds"] + round(seconds),
                "device": device,
                "restarts": before["restarts"],
            }
            save(averaged, tokenizer, folder, facts)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the model is written")
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--checkpoint-every", type=int, default=500)
    parser.add_argument(
        "--no-compile", action="store_true", help="do without a C++ compiler, at half the speed"
    )
    parser.add_argument(
        "--resume", type=Path, help="a folder written by an interrupted training to go on from"
    )
    given = parser.parse_args(arguments)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    train(
        Plan(seed=given.seed, steps=given.steps),
        given.folder,
        checkpoint_every=given.checkpoint_every,
        compiled=not given.no_compile,
        resumed=given.resume,
    )


if __name__ == "__main__":
    main()
