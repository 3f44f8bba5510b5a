"""The model card of the bundled demo model, written from `training.json` and `evaluation.json` beside it.

Knows how to say things, not how to measure them.
"""

import json
import math
from pathlib import Path

TEXT = """# Whence demo model

A very small Gemma 2 ({parameters:.1f} million parameters, {megabytes:.1f} MB as bfloat16 safetensors)
that was trained from nothing on a synthetic grammar, so that Whence can be seen at work without a
download. It is a teaching aid and a test object. It is not a language model for any other use: outside
the forms below it writes nonsense, and it knows nothing of the world. What it says about food is no
advice.

## What it was trained on

Prompts made by `tools/demo_model/grammar`, in plain form and in the chat template:

- **menu**: does a dish suit a guest with a restriction? None to six examples, analysis in writing, then
  the recommendation that the last example with the same verdict got; a principle, above or below the
  examples, outranks them.
  In training 45 % of the recommendations are random words and a quarter are worded freely, so that
  their wording can only come from the prompt.
- **arithmetic**: word problems of two steps with numbers under 100, worked out in writing.
- **headlines**: a short article gets a headline that names its subject and what happened.
- **ideas**: a proposal under none to four principles, each of which it must obey.
- **facts**: invented facts and a question that one line answers, or two, or none ("not stated").

## What it can and cannot do

It was trained on any number and order of examples up to six, and on blank lines, trailing spaces and
lower case (rows "carelessly edited" below). It judges the ingredients that the dish line lists, by name
or by the categories dairy,
meat, fish, egg, nuts and gluten, or by the diets vegan and vegetarian. It reads English in the
grammar's own phrasings; free conversation, other languages and other tasks are beyond it. It reads at
most {context} tokens.

## Evaluation

{prompts} held-out prompts a row: combinations never drawn in training, half of them in the chat
template, greedy decoding, float32. A menu is right when its recommendation is the expected one word for
word, a sum when its last number is, a headline when it holds subject and event, an idea when it obeys
every principle, a fact when its value (or "not stated") is the expected one. In brackets: 95 % Wilson
interval.

| task | right | goal | |
|---|---|---|---|
{table}

{missed}

Speed on the machine that evaluated: {salience} s for one forward and backward over 400 tokens on one
CPU thread; {rate} generated tokens a second on two.

## Training

Seed {seed}, {steps:,} steps, {tokens:,} tokens (padding included), {minutes} minutes on
one {device}.{restarts}
Evaluation seed {evaluation_seed}. `make train-demo` repeats it: `python -m tools.demo_model.train`,
then `python -m tools.demo_model.evaluate`, which writes this card. Version {version}. Licence:
Apache-2.0.
"""

VERSION = "1.0"


def wilson(right: int, prompts: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the Wilson score interval of a share (Wilson 1927), each end between 0 and 1."""
    share = right / prompts
    middle = share + z * z / (2 * prompts)
    half = z * math.sqrt(share * (1 - share) / prompts + z * z / (4 * prompts * prompts))
    scale = 1 + z * z / prompts
    return (middle - half) / scale, (middle + half) / scale


def write_card(folder: Path) -> None:
    """Writes `README.md` of the model folder from the two records of training and evaluation in it."""
    training = json.loads((folder / "training.json").read_text())
    evaluation = json.loads((folder / "evaluation.json").read_text())
    config = json.loads((folder / "config.json").read_text())
    size = (folder / "model.safetensors").stat().st_size
    rows = evaluation["rows"]
    missed = [
        row["name"] for row in rows if row["goal"] is not None and row["right"] < row["goal"] * row["prompts"]
    ]
    (folder / "README.md").write_text(
        TEXT.format(
            parameters=size / 2e6,
            megabytes=size / 1e6,
            context=config["max_position_embeddings"],
            prompts=rows[0]["prompts"],
            table="\n".join(_line(row) for row in rows),
            missed=f"Goals missed: {'; '.join(missed)}." if missed else "All goals were reached.",
            salience=evaluation["speed"]["salience_seconds_400_tokens"],
            rate=evaluation["speed"]["generated_tokens_a_second"],
            seed=training["seed"],
            steps=training["step"],
            tokens=training["tokens"],
            minutes=round(training["seconds"] / 60),
            device="GPU" if training["device"] == "cuda" else "CPU thread",
            restarts=_restarts(training["restarts"])
            + (f" {evaluation['note']}" if evaluation["note"] else ""),
            evaluation_seed=evaluation["seed"],
            version=VERSION,
        )
    )


def _line(row: dict) -> str:
    low, high = wilson(row["right"], row["prompts"])
    share = row["right"] / row["prompts"]
    goal = "" if row["goal"] is None else f"≥ {row['goal']:.0%}"
    verdict = "" if row["goal"] is None else ("reached" if share >= row["goal"] else "missed")
    return f"| {row['name']} | {share:.1%} [{low:.1%}, {high:.1%}] | {goal} | {verdict} |"


def _restarts(steps: list[int]) -> str:
    if not steps:
        return ""
    named = ", ".join(map(str, steps))
    return f" Training was resumed from its own checkpoint, with fresh optimizers, at step {named}."
