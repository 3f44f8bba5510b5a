"""Speed on a real model, as ratios within one run: `python -m benchmarks.real_models FOLDER --gguf FILE`.

CPU seconds of one process with one thread, because they hold still when the machine is shared; llama.cpp has a process
of its own and one thread too. The limit of a matrix is the time of its products alone, measured at the same shapes.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from core.models import load
from core.models.local.hugging_face import HuggingFaceModel
from core.records import GenerationParams, ModelSpec, Tokens
from core.salience import method, request_for
from core.salience.leave_one_out import columns_option
from core.segments import segments

TOTAL, LINES, WRITTEN, ROWS = 354, 31, 40, 16
CAPTUM_EVERY = 10
LLAMA = """
import json, sys, time, xllamacpp
asked = json.load(sys.stdin)
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx = asked["file"], 1024
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.warmup, params.verbosity, params.n_parallel = False, -1, 1
server = xllamacpp.Server(params)
def once(text):
    begun = time.process_time()
    server.handle_completions({"prompt": text, "max_tokens": 1, "temperature": 0, "cache_prompt": False})
    return time.process_time() - begun
once("Warm.")
print("CPU", min(once(asked["prompt"]) for _ in range(3)))
"""
Ratio = tuple[str, float, float, str]
"""(what is set against what, ours, theirs, goal); seconds."""


def best(work: Callable[[], Any], repeats: int) -> float:
    """CPU seconds of the quickest of `repeats`."""
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return min(seconds)


def lines_of(count: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    words = ("soup cheese guest garlic likes bread avoids dish menu fine olives city " * 2).split()
    return [" ".join(rng.choices(words, k=9)).capitalize() + "." for _ in range(count)]


def sized(held: HuggingFaceModel, total: int, answer: int) -> Tokens:
    """A text of at most `total` tokens, the last `answer` of them its answer."""
    text = "\n".join(lines_of(60))
    ids = held.tokenize(text).char_spans
    cut, end = int(ids[total - answer, 0]), int(ids[min(total, len(ids) - 1), 0])
    return held.tokenize(text[:cut], text[cut:end])


def products(held: HuggingFaceModel, tokens: int, rows: int) -> float:
    """Seconds of the products alone: every linear map of the layers once forward and `rows` times back."""
    seconds = 0.0
    shapes: dict[tuple[int, int], int] = {}
    for name, module in held.model.named_modules():
        if isinstance(module, torch.nn.Linear) and "lm_head" not in name:
            shape = tuple(module.weight.shape)
            shapes[shape] = shapes.get(shape, 0) + 1
    dtype = held.model.get_input_embeddings().weight.dtype
    with torch.inference_mode():
        for (out, into), count in shapes.items():
            weight, state, back = (
                torch.randn(*s, dtype=dtype) for s in ((out, into), (tokens, into), (tokens, out))
            )
            ahead = best(lambda w=weight, s=state: torch.nn.functional.linear(s, w), 3)
            behind = best(lambda w=weight, b=back: b @ w, 3)
            seconds += count * (ahead + rows * behind)
    return seconds


def matrix(held: HuggingFaceModel, rows: int) -> Iterator[Ratio]:
    tokens = sized(held, TOTAL, rows)
    request, one = request_for(held, tokens, "grad_l2"), method("grad_l2")
    count = len(request.targets)
    ours = best(lambda: one.run(held, request), 1)
    limit = products(held, len(tokens), count)
    yield f"matrix {count} x {len(tokens)} / its products alone", ours, limit, "<= 1.5"
    from captum.attr import LayerGradientXActivation

    ids = torch.tensor(tokens.ids)[None]

    def logprob(part: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(held.model(input_ids=part, use_cache=False).logits[:, -1].float(), -1)

    layer = LayerGradientXActivation(logprob, held.model.get_input_embeddings())
    some = range(tokens.prompt_len, len(tokens), CAPTUM_EVERY)
    theirs = best(lambda: [layer.attribute(ids[:, :at], target=int(ids[0, at])) for at in some], 1)
    theirs *= count / len(some)
    yield f"captum (each {CAPTUM_EVERY}th row, scaled) / matrix", theirs, ours, ">= 3"


def leaving_out(held: HuggingFaceModel) -> Iterator[Ratio]:
    tokens = held.tokenize("\n".join(lines_of(LINES)) + "\nSo:", " " + lines_of(1, 7)[0])
    parts = segments(tokens, "line", "prompt")[:LINES]
    options = (columns_option([part.tokens for part in parts]),)
    spans = ((tokens.prompt_len, len(tokens)),)
    request = request_for(held, tokens, "leave_one_out", targets=spans, options=options)
    ours = best(lambda: method("leave_one_out").run(held, request, tokens=tokens), 1)
    once = best(lambda: held.logprobs(tokens), 2)
    read = len(tokens) + sum(len(tokens) - part.tokens[1] for part in parts)
    yield (
        f"leave one out over {len(parts)} lines / one pass + suffixes",
        ours,
        once * read / len(tokens),
        "<= 1.3",
    )


def writing(held: HuggingFaceModel, gguf: str) -> Iterator[Ratio]:
    text = "\n".join(lines_of(24)) + "\nThe best dish is"
    tokens = held.tokenize(text)
    first = best(lambda: held.generate(tokens, GenerationParams(max_new_tokens=1)), 3)
    if gguf:
        asked = json.dumps({"file": gguf, "prompt": text})
        done = subprocess.run(
            [sys.executable, "-c", LLAMA], input=asked, capture_output=True, text=True, check=False
        )
        said = [line for line in done.stdout.splitlines() if line.startswith("CPU ")]
        if said:
            yield (
                "first token / llama.cpp's (the file's weights)",
                first,
                float(said[-1].split()[1]),
                "<= 1.2",
            )
        else:
            print("llama.cpp is left out:", done.stderr.strip().splitlines()[-1:] or "no answer")
    ends = held.end_ids
    held.end_ids = frozenset()  # both write as many tokens
    ours = best(lambda: held.generate(tokens, GenerationParams(max_new_tokens=WRITTEN)), 2)
    held.end_ids = ends
    ids = torch.tensor(tokens.ids)[None]
    with torch.inference_mode():
        theirs = best(
            lambda: held.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=WRITTEN,
                min_new_tokens=WRITTEN,
                do_sample=False,
            ),
            2,
        )
    yield f"transformers' {WRITTEN} tokens / ours", theirs, ours, ">= 1.0"
    rows = [held.tokenize("\n".join(lines_of(4, seed)) + "\nSo:") for seed in range(ROWS)]
    short = GenerationParams(max_new_tokens=WRITTEN // 2)
    alone = best(lambda: [held.generate(row, short) for row in rows], 1)
    batch = best(lambda: held.generate_batch(rows, short), 1)
    yield f"{ROWS} rows one at a time / as a batch", alone, batch, ">= 3"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a folder, a .gguf file, or package:smollm2")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--gguf", default="", help="the same model for llama.cpp")
    parser.add_argument("--rows", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    held = load(ModelSpec("bench", given.model, dtype=given.dtype))
    torch.set_num_threads(1)
    width = held.model.get_input_embeddings().weight.shape[0]
    print(
        f"{given.model} in {given.dtype}, {held.parameters / 1e6:.0f} M parameters, {width:,} words",
        flush=True,
    )
    parts: list[Callable[[], Iterator[Ratio]]] = [
        lambda: writing(held, given.gguf), lambda: leaving_out(held), lambda: matrix(held, given.rows),
    ]  # fmt: skip
    begun = time.perf_counter()
    for part in parts:
        for name, over, under, goal in part():
            print(f"| {name} | {over:.2f} | {under:.2f} | {over / under:.2f} | {goal} |", flush=True)
    print(f"{time.process_time():.0f} CPU seconds in {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
