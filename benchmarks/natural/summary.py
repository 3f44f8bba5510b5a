"""From the lines that were measured to `data/natural_causes.json` and `docs/natural-causes.md`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.natural.prompts import TASKS
from core.cause import CauseSettings
from core.faithfulness.searched import MAPS
from core.metrics.shares import exact
from core.settings import ROOT
from tools.demo_model.grammar.planted import TASKS as DEMO

DATA, PAGE = ROOT / "data" / "natural_causes.json", ROOT / "docs" / "natural-causes.md"
LABELS = {task.key: task.label for task in (*DEMO, *TASKS)}
TUNED = ("smollm2", "no_cause", 19)
"""On the first so many of these prompts the last threshold was set: they do not count."""
BF16 = "-bf16"
"""What the name of a run in bfloat16 ends with: it is compared with the run in float32, prompt by prompt."""
LOOKED_AT = ("demo", "contradicting_example", 100)
"""Rules were made after looking at misses among the first so many of these prompts: those after them are fresh."""
RULE = 2
"""Grows when the search itself changes: 2 is blocks, the map among lines that do as much, and impossible words."""
HEAD = """# Find the cause on planted causes: real models and natural prompts

Written by `python -m benchmarks.natural_causes --summary`; not edited by hand. People, places and things are
invented, so that no model can know them. A prompt counts only when the model writes the planted words greedily and no
longer does once the cause is **mended** (it says something else; an instruction is left out). Taking the cause out is
measured too and decides nothing here: prompts chosen by removal would flatter a method that removes; the column
*removal turns* says how often both agree. Right: the cause alone is named for a single one, all copies and nothing
else for copies, nothing for none. In brackets: exact 95 % intervals. Sent as plain text (instructions as a chat);
lines are the parts; the question or the cue at the end is locked as the page proposes it. smollm2 is SmolLM2 135M
Instruct, gemma3 is Gemma 3 270M, both from their GGUF files in float32; demo is the bundled model in its own grammar.
The numbers of prompts are those that were reached on a shared machine with two cores; more are one command away.
"""


def rows(folder: Path) -> list[dict[str, Any]]:
    """One row a model and task."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        if path.stem.endswith(BF16):
            continue
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for task in dict.fromkeys(line["task"] for line in lines):
            mine = [line for line in lines if line["task"] == task]
            if (path.stem, task) == TUNED[:2]:
                mine = mine[TUNED[2] :]
            tried = [_by_the_rule(line["search"]) for line in mine if "search" in line]
            if tried:
                found.append(_row(path.stem, task, mine, tried))
    return found


def _by_the_rule(tried: dict[str, Any]) -> dict[str, Any]:
    """A spread effect below the threshold is none; lines measured before that rule say "spread"."""
    if tried["verdict"] == "spread" and tried["joint_nats"] < CauseSettings().kept_nats:
        return {**tried, "verdict": "none", "right": not tried["causes"], "first": False}
    return tried


def _row(model: str, task: str, lines: list[dict[str, Any]], tried: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(tried)
    right = sum(one["right"] for one in tried)
    variants = [(one, line["search"]) for line in lines for one in line.get("variants", {}).values()]
    return {
        "model": model,
        "task": task,
        "rule": RULE,
        "label": LABELS[task],
        "asked": len(lines),
        "verified": count,
        "right": right,
        "interval": [round(x, 3) for x in exact(right, count)],
        "first": sum(one["first"] for one in tried),
        **_fresh(model, task, lines),
        "verdicts": dict(Counter(one["verdict"] for one in tried)),
        "removal_turns": sum(one["removal_turns"] is True for one in tried),
        "escalated": sum(one["escalated"] for one in tried),
        "passes": round(sum(one["passes"] for one in tried) / count, 1),
        "removals": round(sum(one["measured"] for one in tried) / count, 1),
        "lines": round(sum(one["parts"] for one in tried) / count, 1),
        "maps_first": {
            name: sum(one["ranks"][name] <= len(one["causes"]) for one in tried)
            for name, *_ in MAPS
            if all(name in one["ranks"] for one in tried)
        },
        "maps_in_five": {
            name: sum(one["ranks"][name] <= 5 for one in tried)
            for name, *_ in MAPS
            if all(name in one["ranks"] for one in tried)
        },
        "maps_measured": _measured([line["maps"] for line in lines if "maps" in line]),
        "variants": len(variants),
        "variants_same": sum(bool(a["right"]) == bool(b["right"]) for a, b in variants),
    }


def _measured(told: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Means over the prompts where maps were compared with taking out; those that say nothing are left out."""
    names = told[0] if told else {}
    means: dict[str, Any] = {"prompts": len(told)}
    for name in names:
        values = {
            key: [one[name][key] for one in told if one[name][key] == one[name][key]] for key in told[0][name]
        }
        means[name] = {key: round(sum(found) / len(found), 2) for key, found in values.items() if found}
    return means


def _fresh(model: str, task: str, lines: list[dict[str, Any]]) -> dict[str, list[int]]:
    """[right, all] of the prompts that nobody had looked at when the newest rules were made."""
    if (model, task) != LOOKED_AT[:2]:
        return {}
    after = [
        _by_the_rule(one["search"])["right"]
        for one in lines
        if "search" in one and one["row"] >= LOOKED_AT[2]
    ]
    return {"fresh": [sum(after), len(after)]} if after else {}


def _published(path: Path, what: str) -> list[dict[str, Any]]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))[what])
    except (OSError, ValueError, KeyError):
        return []


def kept(fresh: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`fresh`, and of `before` what was not measured on more prompts now: a machine that starts anew loses nothing."""
    found = {(row["model"], row["task"]): row for row in before}
    for row in fresh:
        old = found.get((row["model"], row["task"]))
        if old is None or row["verified"] >= old["verified"]:
            found[row["model"], row["task"]] = row
        elif row.get("maps_measured", {}).get("prompts", 0) > old.get("maps_measured", {}).get("prompts", 0):
            found[row["model"], row["task"]] = {**old, "maps_measured": row["maps_measured"]}
    return sorted(found.values(), key=lambda row: row["model"])


def in_another_precision(folder: Path) -> list[dict[str, Any]]:
    """bfloat16 against float32 on the same prompts: model, asked in both, verified in both, as right in both."""
    found = []
    for path in sorted(folder.glob(f"*{BF16}.jsonl")):
        other = path.with_name(path.name.replace(BF16, ""))
        if other.exists():
            low, full = (
                {
                    (line["task"], line["row"]): line
                    for line in map(json.loads, one.read_text("utf-8").splitlines())
                }
                for one in (path, other)
            )
            both = low.keys() & full.keys()
            searched = [key for key in both if "search" in low[key] and "search" in full[key]]
            same = sum(low[key]["search"]["right"] == full[key]["search"]["right"] for key in searched)
            verdicts = sum(
                (low[key]["verdict"] == "verified") == (full[key]["verdict"] == "verified") for key in both
            )
            found.append(
                {
                    "model": other.stem,
                    "asked": len(both),
                    "as_verified": verdicts,
                    "searched": len(searched),
                    "same": same,
                }
            )
    return found


def write(folder: Path) -> None:
    """`data/natural_causes.json` and its page, from the lines in `folder` and what was published before."""
    made = kept(rows(folder), _published(DATA, "rows"))
    precision = in_another_precision(folder) or _published(DATA, "precision")
    told = {"rows": made, "precision": precision}
    DATA.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sections = [HEAD, *_search(made), "", *_maps(made), "", *_agreement(made), "", *_notes(made, precision)]
    PAGE.write_text("\n".join(sections) + "\n", encoding="utf-8")


def _search(made: list[dict[str, Any]]) -> list[str]:
    out = [
        "## Find the cause",
        "",
        "| model | planted | asked | verified (n) | right | removal turns | escalated | lines | removals | passes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in made:
        low, high = row["interval"]
        turns = f"{row['removal_turns']}" if row["task"] not in ("no_cause", "copies", "fact_twice") else "-"
        out.append(
            f"| {row['model']} | {row['label']} | {row['asked']} | {row['verified']} | **{row['right']}** "
            f"[{low:.2f}, {high:.2f}] | {turns} | {row['escalated']} | {row['lines']} | {row['removals']} | "
            f"{row['passes']} |"
        )
    return out


def _maps(made: list[dict[str, Any]]) -> list[str]:
    names = [name for name, *_ in MAPS]
    out = [
        "## The maps alone: cause first / among the first five",
        "",
        "Over the parts that may be taken out. For copies: all of them before everything else / among the first five.",
        "",
        f"| model | planted | n | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    for row in made:
        if row["maps_first"]:
            cells = [f"{row['maps_first'].get(n, 0)} / {row['maps_in_five'].get(n, 0)}" for n in names]
            out.append(f"| {row['model']} | {row['label']} | {row['verified']} | {' | '.join(cells)} |")
    total = [row for row in made if row["maps_first"]]
    cells = [
        f"{sum(r['maps_first'][n] for r in total)} / {sum(r['maps_in_five'][n] for r in total)}"
        for n in names
    ]
    out.append(f"| all | | {sum(r['verified'] for r in total)} | {' | '.join(cells)} |")
    return out


def _agreement(made: list[dict[str, Any]]) -> list[str]:
    names = [*(name for name, *_ in MAPS), "leave_one_out"]
    out = [
        "## Do a map's numbers predict what taking out does?",
        "",
        "LDS / share on idle lines, means over the prompts. LDS: the rank correlation of the kept lines' scores,",
        "summed, with the words' log-probability over 16 texts that keep each line with probability ½ (1 is best).",
        "Idle lines: those whose own removal does less than a tenth of what the most effective one's does (0 is best).",
        "*Find the cause* has no such figure: few lines are measured, and it says so of the others.",
        "",
        f"| model | planted | n | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(names)}",
    ]
    for row in made:
        told = row.get("maps_measured", {})
        if told.get("prompts"):
            cells = [
                f"{told[n].get('lds', float('nan')):.2f} / {told[n].get('idle_share', float('nan')):.2f}"
                if n in told
                else "-"
                for n in names
            ]
            out.append(f"| {row['model']} | {row['label']} | {told['prompts']} | {' | '.join(cells)} |")
    return out if len(out) > 9 else []


def _notes(made: list[dict[str, Any]], precision: list[dict[str, Any]]) -> list[str]:
    asked, same = sum(r["variants"] for r in made), sum(r["variants_same"] for r in made)
    return [
        "## Notes",
        "",
        f"- Trailing spaces or another heading: {same} of {asked} searches end as right or wrong as before "
        "(only prompts that the model still answers so).",
        f"- The last threshold (a spread effect under {CauseSettings().kept_nats:g} nats is none) was set on the first "
        f"{TUNED[2]} prompts without a cause on {TUNED[0]}; those do not count above.",
        "- The rules for lines that do as much alone and for impossible words were made after looking at 6 misses of "
        "the demo's contradicting example among the first 100 of these prompts (94 right before)"
        + "".join(
            f"; on the {one['fresh'][1]} after them {one['fresh'][0]} are right"
            for one in made
            if one.get("fresh")
        )
        + ".",
        *_of_an_earlier_rule(made),
        "- Gemma 3 270M is a base model without a chat template: it is not asked for instructions.",
        *(
            f"- bfloat16 against float32, {one['model']}: of {one['asked']} prompts asked in both "
            f"{one['as_verified']} are verified in both or in neither; of {one['searched']} that were searched in both "
            f"{one['same']} end alike, right or wrong."
            for one in precision
        ),
    ]


def _of_an_earlier_rule(made: list[dict[str, Any]]) -> list[str]:
    """Which rows were measured before the search last changed."""
    old: dict[str, list[str]] = {}
    for row in made:
        if row.get("rule", 1) < RULE:
            old.setdefault(row["model"], []).append(row["task"])
    if not old:
        return []
    said = "; ".join(f"{model}: {', '.join(tasks)}" for model, tasks in old.items())
    return [
        "- Measured before blocks took the place of doubling the candidates, before the map led among lines that do as "
        f"much alone, and before a line without which the words are impossible was enough: {said}.",
    ]
