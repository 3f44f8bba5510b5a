"""What the results of the benchmark mean for the person who reads a map: sentences and what a figure needs.

Pure functions over `core.faithfulness.results`; no Streamlit.
"""

from __future__ import annotations

from core.faithfulness import FLAT
from core.faithfulness.results import FULL, Area, BenchmarkResults, of, told_by_form
from core.records import ModelSpec

TASKS = {
    "contradicting_example": "One example contradicts the others",
    "obeyed_principle": "A principle decides",
    "fact_in_10": "A fact among 10",
    "fact_in_50": "A fact among 50",
    "fact_twice": "The same fact twice",
    "no_cause": "No cause in the prompt",
}
GRADIENT_GOAL, LEAVE_ONE_OUT_GOAL = 0.90, 0.95
SHOWN_CONTROLS = ("bm25", "random")


def task_name(key: str) -> str:
    return TASKS.get(key, key.replace("_", " "))


def of_hundred(share: float) -> str:
    """A share in words; what is all or nothing only after rounding says so."""
    whole = round(100 * share)
    if whole == 100 and share < 1:
        return "over 99 of 100"
    return "under 1 of 100" if whole == 0 and share > 0 else f"{whole} of 100"


def about(found: BenchmarkResults, spec: ModelSpec) -> str:
    """Why the figures may not hold for the chosen model; empty where they were measured on exactly it."""
    measured = f"{found.model} (version {found.revision[:8]}, {FULL})"
    if (spec.path, spec.revision) != (found.path, found.revision):
        same = spec.path == found.path
        chosen = "another version of it" if same else f"{spec.name}, the model chosen now"
        return (
            f"These figures were measured on {measured}, not on {chosen}. Take them as a hint about the "
            "methods; for this model, draw the curve at the end of the page."
        )
    if spec.precision != "float32":
        return (
            f"These figures were measured on {measured}; the model is loaded in {spec.precision}. "
            "What quantising changes stands under Precisions."
        )
    return ""


def lead(best: str, first: str) -> str:
    """The one sentence that leads: "Grad L2 finds the cause first in 87 of 100."."""
    return f"{best} finds the cause first in {first}."


def caveats(found: BenchmarkResults) -> list[str]:
    """What the figures do not cover, or show against the methods."""
    said = []
    flat = [
        f"{row.label} in {of(row.measures[FLAT].value, row.measures[FLAT].count)} prompts"
        for row in found.rows
        if FLAT in row.measures and row.arm == FULL and not row.control
    ]
    if flat:
        said.append(
            "Where nothing in the prompt states the answer, a map should be called “nothing decisive”. That "
            f"holds for {', '.join(flat)}: that a map stands out does not prove that there is a cause."
        )
    said += told_by_form(found)
    verdicts = [goal.met for goal in found.goals]
    said.append(
        f"Goals: {verdicts.count(True):,} met, {verdicts.count(False):,} missed, "
        f"{verdicts.count(None):,} not judged for want of prompts."
    )
    if found.verified < 300:
        said.append(
            f"Only {found.verified:,} prompts a task could be measured so far, so the intervals are wide. "
            "“make bench-methods” goes on with 300."
        )
    return said


def prompts_table(found: BenchmarkResults) -> list[dict[str, object]]:
    """Every row about prompts with a cause, for `st.dataframe`; shares from 0 to 1, in whole percents."""
    return [
        {
            "Task": task_name(row.task),
            "Method": f"{row.label} (control)" if row.control else row.label,
            "Cause first": round(first.value, 2),
            "from": round(first.low, 2),
            "to": round(first.high, 2),
            "In the first three": round(row.measures["top3"].value, 2),
            "Mean reciprocal rank": row.measures["mrr"].value,
            "Precision@k": round(row.measures["precision"].value, 2),
            "Prompts": first.count,
        }
        for row in found.rows
        if (first := row.measures.get("top1")) is not None
    ]


def changes(found: BenchmarkResults) -> list[dict[str, object]]:
    """What quantising changes, in points of the share of prompts whose cause comes first."""
    return [
        {
            "Task": task_name(row.task),
            "Method": row.label,
            "Change (points)": 100 * top1.value,
            "from": 100 * top1.low,
            "to": 100 * top1.high,
            "Prompts": top1.count,
        }
        for row in found.changes
        if (top1 := row.measures.get("top1")) is not None
    ]


def goals(found: BenchmarkResults) -> list[dict[str, str]]:
    verdict = {True: "met", False: "MISSED", None: "not judged"}
    return [
        {
            "Task": task_name(goal.task),
            "Goal": goal.what,
            "Wanted": goal.wanted,
            "Got": goal.got,
            "": verdict[goal.met],
        }
        for goal in found.goals
    ]


def areas(found: BenchmarkResults) -> list[dict[str, object]]:
    def row(area: Area) -> dict[str, object]:
        return {
            "Task": task_name(area.task),
            "Method": area.label,
            "Deletion (nats)": area.deletion.value,
            "Insertion (nats)": area.insertion.value,
            "Prompts": area.deletion.count,
        }

    return [row(area) for area in found.areas]
