"""Plans as people write them: templates over columns, behind an address, in a file beside the data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.datasets import Bounds, ColumnPlan, load_bytes, load_startup, open_bytes, place_of, to_examples
from core.datasets.plan import fill, from_json, from_query, unknown, variables
from core.errors import AppError

NAMES = ("question", "Some text", "answers.text", "input")
ROW = {"question": "Why?", "Some text": "It {rained}.", "answers.text": "x", "input": ""}


@pytest.mark.parametrize(
    ("template", "filled", "used"),
    [
        ("Q: {question}\nA:", "Q: Why?\nA:", ("question",)),
        ("Q: {{question}}\nA:", "Q: Why?\nA:", ("question",)),
        ("{{ Question }} {some text}", "Why? It {rained}.", ("question", "Some text")),
        ('{"answer": {answers.text}, "x": {}}', '{"answer": x, "x": {}}', ("answers.text",)),
        ("{question}\n\n{input}", "Why?", ("question", "input")),
        ("### Input:\n{input}\n\n\n### Response:\n", "### Response:\n", ("input",)),
        ("{question}\n\n\nAlways.\n\n", "Why?\n\n\nAlways.\n\n", ("question",)),
        ("{nothing} {question}", "{nothing} Why?", ("question",)),
    ],
)
def test_a_template_over_columns(template: str, filled: str, used: tuple[str, ...]) -> None:
    assert fill(template, NAMES, ROW.__getitem__) == filled
    assert variables(template, NAMES) == used


def test_names_that_are_no_column_are_told() -> None:
    assert unknown('{question} {other} {{more}} {"a": 1} {x:>3}', NAMES) == ("other", "more")


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        ("prompt=question&target=answer", ColumnPlan("question", targets=("answer",))),
        ("template=Q:%20{q}%0AA:&target=a&target=b", ColumnPlan(template="Q: {q}\nA:", targets=("a", "b"))),
        ("prompt=p&source=s&called=id&system=sys", ColumnPlan("p", source="s", called="id", system="sys")),
        ("version=2", None),
        ("prompt=p&version=2", None),
        ("", None),
        ("nothing", None),
    ],
)
def test_a_plan_behind_an_address(query: str, plan: ColumnPlan | None) -> None:
    assert from_query(query) == plan
    assert plan is None or from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("wrong", [7, {"prompt": 7}, {"promt": "x"}, {"target": [1]}, {"targets": {"a": 1}}])
def test_plans_that_make_no_sense_are_refused(wrong: object) -> None:
    with pytest.raises(AppError, match=r"(may say prompt, template, target|should be an object)"):
        from_json(wrong)


def test_where_a_plan_stands_at_start_up(tmp_path: Path) -> None:
    file = tmp_path / "menu.csv"
    file.write_text("a,b\nWhy?,So.\n", encoding="utf-8")
    loaded = load_startup(f"{file}?prompt=a&target=b", Bounds(), name="menu")
    assert [(e.prompt, e.target) for e in loaded.examples] == [("Why?", "So.")]
    (tmp_path / "menu.csv.columns.json").write_text('{"template": "Q: {a}", "target": "b"}', encoding="utf-8")
    assert [e.prompt for e in load_startup(str(file), Bounds()).examples] == ["Q: Why?"]
    (tmp_path / "menu.csv.columns.json").write_text("{", encoding="utf-8")
    with pytest.raises(AppError, match=r"menu\.csv\.columns\.json is not JSON"):
        load_startup(str(file), Bounds())
    odd = tmp_path / "what?prompt=x.csv"
    odd.write_text("prompt\na\n", encoding="utf-8")
    assert place_of(str(odd)).where == str(odd)
    for address in ("https://example.org/a.csv?version=2", "https://example.org/a.csv?version=2#prompt=q"):
        place = place_of(address)
        assert place.where == "https://example.org/a.csv?version=2"
        assert (place.plan and place.plan.prompt) == ("q" if "#" in address else None)


def test_a_plan_that_does_not_fit_names_the_columns() -> None:
    rows = open_bytes(b"a,b\n1,2\n", "x.csv", Bounds())
    for plan, message in (
        (ColumnPlan("c"), "There is no column “c”. The columns are: a, b"),
        (ColumnPlan(), "not said what the prompt is"),
        (ColumnPlan(template="the same"), "names no column"),
        (ColumnPlan("a", targets=("c",)), "no column “c”"),
    ):
        with pytest.raises(AppError, match=message):
            to_examples(rows, plan, Bounds())
    with pytest.raises(AppError, match="no column “c”"):
        load_bytes(b"a,b\n1,2\n", "x.csv", Bounds(), plan=ColumnPlan("c"))


def test_a_template_opens_in_the_editor_as_one() -> None:
    rows = open_bytes(b"a,b\nWhy?,So.\n", "x.csv", Bounds())
    (example,) = to_examples(rows, ColumnPlan(template="Q: {a}"), Bounds()).examples
    assert example.fields["template"] == "Q: {a}" and example.fields["a"] == "Why?"


def test_every_row_is_used_or_has_its_reason() -> None:
    data = b'{"prompt": "a"}\nno\n{"prompt": ""}\n{"prompt": " "}\n{"prompt": "b"}\n{"prompt": "c"}\n'
    counts = load_bytes(data, "x.jsonl", Bounds(max_examples=4)).counts
    assert (counts.rows, counts.used) == (6, 2)
    assert counts.rows == counts.used + sum(count for _, count in counts.left_out)
    assert dict(counts.left_out)["The prompt is empty."] == 2
