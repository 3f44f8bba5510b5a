"""Measures the bundled demo model on held-out prompts of every family and writes its model card.

Every figure of the card comes from here. A prompt is held out when its combination is never drawn in training
(`words.split_of`); unseen recommendation phrases hold only words that no training phrase holds. Half of the
prompts of each row are put in the chat template.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer, Gemma2ForCausalLM, PreTrainedTokenizerBase

from tools.demo_model.batches import shuffled_rng
from tools.demo_model.card import write_card
from tools.demo_model.folder import DEFAULT_FOLDER
from tools.demo_model.generate import greedy
from tools.demo_model.grammar import GrammarPrompt, draw, roughen
from tools.demo_model.grammar.ideas import obeys

SEED = 7  # evaluation draws its own stream; the split keeps it apart from training

Judge = Callable[[GrammarPrompt, str], bool]


@dataclass(frozen=True)
class Row:
    """One line of the evaluation table. `right` of `prompts` were right; `goal` is a share or None."""

    name: str
    prompts: int
    right: int
    goal: float | None


@dataclass(frozen=True)
class Question:
    """What one row asks: a family with its options, and whether the mended prompt is asked too."""

    name: str
    family: str
    goal: float | None
    options: tuple[tuple[str, object], ...] = ()
    edited: bool = False
    mended: bool = False


QUESTIONS = (
    Question("menu, recommendation phrases seen", "menu", 0.95, (("unseen_phrases", False),)),
    Question("menu, recommendation phrases never seen", "menu", 0.85, (("unseen_phrases", True),)),
    Question("menu, contradicting example copied", "menu", None, (("task", "menu_contradiction"),)),
    Question(
        "menu, mended line flips the answer", "menu", 0.95, (("task", "menu_contradiction"),), mended=True
    ),
    Question("menu, principle obeyed", "menu", 0.95, (("task", "menu_principle"),)),
    Question("arithmetic, final number", "arithmetic", 0.85),
    Question("headlines, subject and event", "headlines", 0.90),
    Question("ideas, every principle obeyed", "ideas", 0.90),
    Question("facts among 10", "facts", 0.97, (("segments", 10),)),
    Question("facts among 50", "facts", None, (("segments", 50),)),
    Question("menu, carelessly edited", "menu", None, edited=True),
    Question("facts among 10, carelessly edited", "facts", None, (("segments", 10),), edited=True),
)


def menu_right(record: GrammarPrompt, answer: str) -> bool:
    """Returns whether what stands after the last label is the recommendation, word for word."""
    checks = dict(record.checks)
    marker = f"\n{checks['label']}: "
    return marker in answer and answer.rsplit(marker, 1)[1].strip() == checks["recommendation"]


def number_right(record: GrammarPrompt, answer: str) -> bool:
    return answer.strip().lower().endswith(f"the answer is {dict(record.checks)['number']}.")


def headline_right(record: GrammarPrompt, answer: str) -> bool:
    return all(part in answer for _, part in record.checks)


def ideas_right(record: GrammarPrompt, answer: str) -> bool:
    return bool(answer.strip()) and obeys(answer, record.checks)


def fact_right(record: GrammarPrompt, answer: str) -> bool:
    return answer.strip().endswith(f" is {dict(record.checks)['value']}.")


JUDGES: dict[str, Judge] = {
    "menu": menu_right,
    "arithmetic": number_right,
    "headlines": headline_right,
    "ideas": ideas_right,
    "facts": fact_right,
}


def flipped(record: GrammarPrompt, answer: str) -> bool:
    """Returns whether the answer to a menu's mended prompt ends in the mended recommendation."""
    return record.mend is not None and answer.strip().endswith(f": {record.mend.target}")


def ask(
    question: Question, model: Gemma2ForCausalLM, tokenizer: PreTrainedTokenizerBase, prompts: int
) -> tuple[Row, list[tuple[str, str, str]]]:
    """Returns the row of one question and up to five wrong cases (prompt, expected, got)."""
    rng = shuffled_rng(SEED, question.name)
    records: list[GrammarPrompt] = []
    forms: list[bool] = []
    while len(records) < prompts:
        draft = draw(rng, question.family, split="held_out", **dict(question.options))
        record = roughen(rng, draft, share=1.0 if question.edited else 0.0).join()
        if record.mend is not None or not question.mended:
            records.append(record)
            forms.append(len(records) % 2 == 0)
    prompts_, expected = [record.prompt for record in records], [record.response for record in records]
    written = greedy(model, tokenizer, prompts_, expected, chat=forms)
    right = [JUDGES[question.family](record, text) for record, text in zip(records, written, strict=True)]
    if question.mended:
        mends = [record.mend for record in records if record.mend is not None]
        after = greedy(
            model, tokenizer, [mend.prompt for mend in mends], [mend.response for mend in mends], chat=forms
        )
        right = [a and flipped(record, text) for a, record, text in zip(right, records, after, strict=True)]
        written = after
    wrong = [
        (record.prompt, record.response, text)
        for record, text, good in zip(records, written, right, strict=True)
        if not good
    ]
    return Row(question.name, prompts, sum(right), question.goal), wrong[:5]


def measure_answers(
    model: Gemma2ForCausalLM, tokenizer: PreTrainedTokenizerBase, prompts: int, *, show_wrong: bool
) -> list[Row]:
    """Returns all rows of the table, and prints each as soon as it is known."""
    rows = []
    for question in QUESTIONS:
        row, wrong = ask(question, model, tokenizer, prompts)
        rows.append(row)
        print(f"{row.name}: {row.right}/{row.prompts}", flush=True)
        for prompt, expected, got in wrong if show_wrong else ():
            print(f"--- prompt\n{prompt}\n--- expected\n{expected}\n--- got\n{got}\n")
    return rows


def measure_speed(model: Gemma2ForCausalLM, tokens: int = 400) -> dict[str, float]:
    """Returns seconds of one forward with backward to the embeddings on one thread, and tokens/s on two."""
    threads = torch.get_num_threads()
    ids = torch.randint(10, 1000, (1, tokens), device=model.device)
    torch.set_num_threads(1)
    seconds = []
    for _ in range(4):
        embedded = model.get_input_embeddings()(ids).detach().requires_grad_(True)
        begun = time.perf_counter()
        model(inputs_embeds=embedded).logits[0, -1].logsumexp(-1).backward()
        seconds.append(time.perf_counter() - begun)
    torch.set_num_threads(2)
    model.generate(ids[:, :50], min_new_tokens=4, max_new_tokens=4, do_sample=False)
    begun = time.perf_counter()
    model.generate(ids, min_new_tokens=100, max_new_tokens=100, do_sample=False)
    rate = 100 / (time.perf_counter() - begun)
    torch.set_num_threads(threads)
    return {
        "salience_seconds_400_tokens": round(min(seconds), 3),
        "generated_tokens_a_second": round(rate, 1),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--prompts", type=int, default=500, help="held-out prompts a row")
    parser.add_argument("--show-wrong", action="store_true", help="print some wrong answers of each row")
    parser.add_argument("--no-card", action="store_true", help="print only; leave the model card as it is")
    parser.add_argument(
        "--speed-only", action="store_true", help="measure speed again and keep the other figures"
    )
    parser.add_argument("--note", default="", help="a sentence about the training to add to the card")
    given = parser.parse_args(arguments)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(given.folder)
    model = Gemma2ForCausalLM.from_pretrained(given.folder, dtype=torch.float32).to(device).eval()  # type: ignore[arg-type]
    model.requires_grad_(False)
    record = given.folder / "evaluation.json"
    if given.speed_only:
        result = json.loads(record.read_text())
        result["note"] = given.note or result["note"]
    else:
        rows = measure_answers(model, tokenizer, given.prompts, show_wrong=given.show_wrong)
        result = {"seed": SEED, "rows": [asdict(row) for row in rows], "note": given.note}
    result["speed"] = measure_speed(model.cpu())
    print(result["speed"])
    if not given.no_card:
        record.write_text(json.dumps(result, indent=2) + "\n")
        write_card(given.folder)


if __name__ == "__main__":
    main()
