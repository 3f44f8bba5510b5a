"""A table taken away and back: Python that asks it again, promptfoo's YAML both ways, one HTML file."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest
import yaml

from core.checks import as_checked, to_json
from core.errors import AppError
from core.prompt_table import (
    CellAnswer,
    PromptTable,
    PromptVersion,
    TableAnswerer,
    TablePlan,
    TableRow,
    promptfoo,
    put_together,
    python_code,
)
from core.prompt_table.narrow import shown_rows
from core.records import Example, ModelSpec
from core.report import table_report

CONFIG = """
prompts:
  - 'Translate to {{language}}: {{input}}'
  - label: short
    raw: '{{ input }} in {{language}}?'
  - file://other.txt
providers: [openai:gpt-4]
tests:
  - description: hello
    vars: {language: French, input: Hello}
    assert:
      - {type: icontains, value: bonjour}
  - vars: {language: German, input: Bye}
    assert:
      - {type: icontains, value: tschüss}
      - {type: latency, threshold: 5}
"""
ROWS = [
    Example("a", "x", "bonjour", fields={"input": "Hello", "language": "French"}),
    Example("b", "y", "<b>&", fields={"input": "{evil}", "language": "'''"}),
]


def plan(**more: object) -> TablePlan:
    checks = json.dumps(to_json([as_checked("contains", {})]))
    versions = (
        PromptVersion("v1", "{input} '''in''' {language}"),
        PromptVersion("v<2>", "Say {input}\n{{other}}"),
    )
    answerers = (TableAnswerer(ModelSpec("demo", "/somewhere/secret")),)
    return TablePlan("d", versions, answerers, conditions=checks, columns_named=("input", "language"), **more)  # type: ignore[arg-type]


def table() -> PromptTable:
    cells = [
        CellAnswer("a", 0, 0, "Bonjour", "right", "it contains"),
        CellAnswer("a", 1, 0, "Hello <script>", "wrong", "not"),
        CellAnswer("b", 0, 0, "no", "wrong", "not"),
    ]
    return put_together(plan(), [TableRow(r.id, r.called, r.targets) for r in ROWS], cells)


def test_promptfoo_is_read_with_its_tests() -> None:
    config = promptfoo.configuration("promptfooconfig.yaml", CONFIG)
    assert [(one.name, one.template) for one in promptfoo.prompts_of(config)] == [
        ("prompt 1", "Translate to {language}: {input}"),
        ("short", "{input} in {language}?"),
    ]
    rows, conditions, unread = promptfoo.tests_of(config)
    assert (rows[0].called, rows[0].target) == ("hello", "bonjour")
    assert [row.fields["language"] for row in rows] == ["French", "German"]
    assert [one.check for one in conditions] == ["contains"] and unread == 1


def test_promptfoo_that_is_written_is_read_back_the_same() -> None:
    written = promptfoo.to_promptfoo(plan(), ROWS, [as_checked("contains", {})])
    config = promptfoo.configuration("x.yaml", written)
    assert yaml.safe_load(written)["prompts"][0]["raw"] == "{{input}} '''in''' {{language}}"
    assert [one.template for one in promptfoo.prompts_of(config)] == [
        "{input} '''in''' {language}",
        "Say {input}\n{other}",  # promptfoo has one way to write braces
    ]
    rows, conditions, unread = promptfoo.tests_of(config)
    assert [row.fields["input"] for row in rows] == ["Hello", "{evil}"]
    assert ([row.target for row in rows], [one.check for one in conditions], unread) == (
        ["bonjour", "<b>&"],
        ["contains"],
        0,
    )
    assert "secret" not in written


@pytest.mark.parametrize("text", ["a: [", "- 1", "tests: []", "prompts: [file://a.txt]", "prompts: {a: 1}"])
def test_what_is_no_configuration_says_so(text: str) -> None:
    with pytest.raises(AppError):
        promptfoo.prompts_of(promptfoo.configuration("a.yaml", text))


def test_python_code_is_python_whatever_stands_in_a_prompt() -> None:
    code = python_code.code_of(plan(), 'rows"""\n')
    tree = ast.parse(code)
    found = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "VERSIONS"
    }
    assert found["VERSIONS"] == {one.name: one.template for one in plan().versions}
    assert "secret" not in code
    lines = [json.loads(line) for line in promptfoo.rows_as_json(plan(), ROWS).splitlines()]
    assert lines[0] == {"input": "Hello", "language": "French", "target": "bonjour"}


def test_the_report_tells_the_case_and_runs_nothing() -> None:
    html = table_report.to_html(table(), "v1 / v2", verdict="v<2> is worse").decode()
    assert "v&lt;2&gt; is worse" in html and "<script" not in html and "&lt;script&gt;" in html
    assert "default-src 'none'; style-src 'unsafe-inline'" in html and "http://" not in html
    assert html.index("Bonjour") < html.index(">no<")  # the row that turned stands first


def test_rows_are_narrowed_by_what_became_of_them() -> None:
    made = table()
    found = {
        which: shown_rows(made, which).tolist()
        for which in ("all", "turned", "worse", "better", "wrong", "open")
    }  # type: ignore[arg-type]
    assert found == {"all": [0, 1], "turned": [0], "worse": [0], "better": [], "wrong": [1], "open": [1]}
    assert shown_rows(made, search="SCRIPT").tolist() == [0]
    assert shown_rows(made, order="least").tolist() == [1, 0]


def test_promptfoo_gets_providers_that_it_can_ask() -> None:
    far = ModelSpec("far", "http://host:8000/v1#big/model", backend="openai_compatible")
    answerers = (TableAnswerer(ModelSpec("here", "/models/here")), TableAnswerer(far, "chat"))
    asked = replace(plan(), answerers=answerers)
    here, there = yaml.safe_load(promptfoo.to_promptfoo(asked, ROWS, []))["providers"]
    assert there["id"] == "openai:chat:big/model" and there["config"]["apiBaseUrl"] == "http://host:8000/v1"
    assert there["config"]["max_tokens"] == asked.params.max_new_tokens
    assert here["id"].endswith("/predict") and here["config"]["body"] == {
        "inputs": [{"prompt": "{{prompt}}"}]
    }
    assert here["config"]["transformResponse"] == "json[0].response" and "/models" not in str(here)
