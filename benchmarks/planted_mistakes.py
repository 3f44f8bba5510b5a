"""Is a planted mistake found and mended without a hint? `python -m benchmarks.planted_mistakes --cases 100`.

Each case is a few-shot prompt over rows. Examples of one verdict agree, but the last of them got the recommendation of
the other verdict: the mistake. A case counts only when the model agrees: mended by hand the prompt is right on more
rows, and on none less. The rows' answers are right or wrong by their targets; where the mistake stands nobody says. The
search (`core.improve`) looks at up to six wrong rows of the half to work on, proposes repairs of the two parts that
carried most, runs each, and chooses. *Named*: the part that carried most is the planted line. *Found*: the repair that
won is one of the planted line. *Mended*: it is right on as many of all rows as the prompt that was mended by hand.
Lines are kept in `out/mistakes/<model>.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from core.checks import as_checked
from core.errors import AppError
from core.faithfulness.natural_prompts import BAD, DISHES, DISLIKES, FINE, LIKES
from core.improve.mend import mend
from core.improve.prompt_parts import prompt_parts
from core.improve.rows import RowsAsked, RowToAsk, change
from core.metrics.shares import exact
from core.models import load
from core.records import GenerationParams, ModelSpec
from core.settings import ROOT
from tools.demo_model.grammar import words
from tools.demo_model.grammar.menu import EXAMPLE_HEADINGS, HEADINGS
from tools.demo_model.grammar.menu_cases import case_lines, make_case, make_style

SEED, ROWS = 17, 8
OUT = ROOT / "out" / "mistakes"


@dataclass(frozen=True)
class Mistake:
    """A template with its `planted` line, the same mended by hand, and rows with their targets."""

    template: str
    planted: str
    mended: str
    rows: tuple[RowToAsk, ...]


def menu(rng: random.Random) -> Mistake:
    """Of the demo model's grammar: the last example that does not suit (or suits) got the other recommendation."""
    style, likes = make_style(rng), rng.random() < 0.7
    wrong = rng.random() < 0.5
    if rng.random() < 0.5:
        phrase = {True: rng.choice(words.GOOD_PHRASES), False: rng.choice(words.BAD_PHRASES)}
    else:
        phrase = dict(zip((True, False), _two(lambda: words.composed_phrase(rng))))
    verdicts = [wrong] * rng.randint(2, 3) + [not wrong] * rng.randint(1, 2)
    rng.shuffle(verdicts)
    last = max(i for i, verdict in enumerate(verdicts) if verdict == wrong)
    shown = [make_case(rng, suits=verdict, split=words.examples_split("held_out")) for verdict in verdicts]
    head = [rng.choice(HEADINGS), "", rng.choice(EXAMPLE_HEADINGS), ""]

    def text(mistaken: bool) -> str:
        lines = list(head)
        for i, (case, verdict) in enumerate(zip(shown, verdicts)):
            said = phrase[verdict != (mistaken and i == last)]
            lines += [line.text for line in case_lines(rng_of(i), case, style, with_likes=likes)]
            lines += [f"{style.analysis}: {case.analysis()}", f"{style.recommendation}: {said}", ""]
        return "\n".join([*lines, "{case}"])

    def rng_of(i: int) -> random.Random:
        return random.Random(i)

    rows = []
    for at in range(ROWS):
        case = make_case(rng, suits=bool(at % 2), split="held_out")
        asked = [line.text for line in case_lines(rng, case, style, with_likes=likes)]
        body = "\n".join([*asked, f"{style.analysis}:"])
        rows.append(RowToAsk(str(at), {"case": body}, (phrase[bool(at % 2)],)))
    planted = f"{style.recommendation}: {phrase[not wrong]}"
    return Mistake(text(True), planted, text(False), tuple(rows))


def notes(rng: random.Random) -> Mistake:
    """In plain English: tasting notes of which the last one recommends what its analysis speaks against."""
    kinds = ["bad", "bad", "good", "good"]
    rng.shuffle(kinds)
    last = max(i for i, kind in enumerate(kinds) if kind == "bad")
    dishes = rng.sample(DISHES, len(kinds) + ROWS)

    def described(dish: str, kind: str, at: int) -> list[str]:
        own = random.Random(f"{dish} {at}")
        like, dislike = own.choice(LIKES), own.choice(DISLIKES)
        note = f"it has {dislike}, which you dislike." if kind == "bad" else f"it has {like}, which you like."
        return [f"Likes: {like}", f"Dislikes: {dislike}", f"Dish: {dish}", f"Analysis: {note}"]

    def text(mistaken: bool) -> str:
        lines = ["Recommend dishes by what people like.", ""]
        for i, kind in enumerate(kinds):
            said = FINE if kind == "good" or (mistaken and i == last) else BAD
            lines += [*described(dishes[i], kind, i), f"Recommendation: {said}", ""]
        return "\n".join([*lines, "{case}"])

    rows = []
    for at in range(ROWS):
        kind = "good" if at % 2 else "bad"
        body = "\n".join([*described(dishes[len(kinds) + at], kind, at), "Recommendation:"])
        rows.append(RowToAsk(str(at), {"case": body}, (FINE if kind == "good" else BAD,)))
    return Mistake(text(True), f"Recommendation: {FINE}", text(False), tuple(rows))


def _two(draw: Callable[[], str]) -> tuple[str, str]:
    one = draw()
    while (other := draw()) == one or other in one or one in other:
        pass
    return one, other


def measure(model: Any, case: Mistake, params: GenerationParams, batch: int = 32) -> dict[str, Any]:
    """What the search made of one case, as a line of JSON."""

    def answer(pairs: Sequence[tuple[int, str]]) -> list[str]:
        out: list[str] = []
        for at in range(0, len(pairs), batch):
            asked = [model.tokenize(prompt) for _, prompt in pairs[at : at + batch]]
            out += [made.text for made in model.generate_batch(asked, params)]
        return out

    ask = RowsAsked(case.rows, answer, [as_checked("contains", {})])
    told = ask([case.template, case.mended])
    truth = change(told.outcomes[0], told.outcomes[1])
    if truth.better < 2 or truth.worse:
        return {"verified": False}
    parts = prompt_parts(case.template, "line", ["case"])
    planted = next(i for i, (start, _) in enumerate(parts.spans) if start == _place(case))
    try:
        found = mend(
            lambda: nullcontext(model),
            parts,
            ask,
            lambda _row, prompt: model.generate(model.tokenize(prompt), params).tokens,
            lambda text: len(model.tokenize(text).ids),
        )
    except AppError as error:
        return {"verified": True, "named": False, "found": False, "mended": False, "why": str(error)}
    first = found.carriers.leading[0].part if found.carriers.leading else None
    winner = found.repaired.winner if found.repaired else None
    after = ask([winner.repair.text]).outcomes[0] if winner else told.outcomes[0]
    right = int((after == 1).sum())
    return {
        "verified": True,
        "named": first == planted,
        "found": winner is not None and winner.repair.part == planted,
        "mended": right >= truth.right,
        "kind": winner.repair.kind if winner else "",
        "said": winner.repair.said if winner else "",
        "right": [int((told.outcomes[0] == 1).sum()), right, truth.right],
        "held": [winner.held.better, winner.held.worse] if winner and winner.held else None,
    }


def _place(case: Mistake) -> int:
    """Where template and mended template first differ: within the planted line; its beginning."""
    at = next(i for i, (a, b) in enumerate(zip(case.template, case.mended)) if a != b)
    return case.template.rindex("\n", 0, at) + 1


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="data/models/demo", help="a model's folder or file")
    parser.add_argument("--cases", type=int, default=100, help="verified cases")
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args(arguments)
    name = "demo" if given.model.endswith("demo") else given.model.rstrip("/").rpartition("/")[2]
    draw = menu if name == "demo" else notes
    params = GenerationParams(max_new_tokens=160 if name == "demo" else 10, stop=("\n\n",))
    OUT.mkdir(parents=True, exist_ok=True)
    place = OUT / f"{name}.jsonl"
    lines = [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []
    model = load(ModelSpec(name, given.model))
    begun = time.monotonic()
    with place.open("a") as kept:
        while sum(line["verified"] for line in lines) < given.cases:
            if time.monotonic() - begun > given.minutes * 60:
                break
            line = measure(model, draw(random.Random(f"{SEED} {len(lines)}")), params)
            lines.append(line)
            kept.write(json.dumps(line) + "\n")
            kept.flush()
    verified = [line for line in lines if line["verified"]]
    for key in ("named", "found", "mended"):
        hits, rows = sum(line[key] for line in verified), len(verified)
        low, high = exact(hits, rows)
        print(
            f"{name}: {key} in {hits} of {rows} verified cases [{low:.2f}, {high:.2f}] ({len(lines)} drawn)"
        )


if __name__ == "__main__":
    main()
