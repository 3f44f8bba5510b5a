"""promptfoo's configuration: prompts and tests read from it, and a table written as one.

Read: `prompts` (texts; objects with `label` and `raw`), `tests` with `vars` and `assert`, `defaultTest`. `{{name}}` of
promptfoo is `{name}` here. Files that a configuration only names (`file://…`) are not opened. Source: promptfoo's
documentation, "Configuration reference" and "Assertions & metrics". Runs nothing that it reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import regex
import yaml

from core.checks import Condition, as_checked
from core.datasets.plan import variables
from core.errors import AppError
from core.prompt_table.plan import PromptVersion, TableAnswerer, TablePlan
from core.prompt_table.prompts import row_values
from core.records import Example

_VARIABLE = regex.compile(r"\{\{[ \t]*(?P<name>[^{}\n|]{1,200}?)[ \t]*\}\}")
_NUMBERED = ("equals", "contains", "icontains", "starts-with", "regex", "is-json")


def prompts(name: str, data: bytes) -> list[PromptVersion]:
    """The prompts of a file: a text file is one, a configuration holds its `prompts`. Raises: AppError."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AppError(f"{name} is not a text in UTF-8.") from error
    if PurePath(name).suffix.lower() not in (".yaml", ".yml", ".json"):
        if not text.strip():
            raise AppError(f"{name} is empty.")
        return [PromptVersion(PurePath(name).stem, text.removesuffix("\n"))]
    return prompts_of(configuration(name, text), name)


def configuration(name: str, text: str) -> dict[str, Any]:
    """A configuration's object. Raises: AppError for what is no YAML, or no object."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise AppError(f"{name} is no YAML that can be read.") from error
    if not isinstance(found, dict):
        raise AppError(f"{name} should hold an object with “prompts” and “tests”, as promptfoo writes it.")
    return found


def prompts_of(config: Mapping[str, Any], name: str = "The configuration") -> list[PromptVersion]:
    """Its prompts as versions. Raises: AppError where it holds none that stand in it."""
    listed = config.get("prompts")
    found: list[PromptVersion] = []
    elsewhere = 0
    for at, one in enumerate(listed if isinstance(listed, list) else [listed] if listed else ()):
        raw, label = one, f"prompt {at + 1}"
        if isinstance(one, Mapping):
            raw = one.get("raw") or one.get("id")
            label = str(one.get("label") or one.get("id") or label)
        if (
            not isinstance(raw, str)
            or raw.startswith("file://")
            or regex.fullmatch(r"\S+\.(txt|md|json|ya?ml|py|js)", raw)
        ):
            elsewhere += 1
            continue
        found.append(PromptVersion(label, _ours(raw)))
    if not found:
        why = "its prompts stand in other files" if elsewhere else "it has no “prompts”"
        raise AppError(f"{name} holds no prompt: {why}.", hint="Choose the prompt files themselves.")
    return found


def tests_of(config: Mapping[str, Any]) -> tuple[list[Example], tuple[Condition, ...], int]:
    """Its tests as rows (`vars` as columns), the conditions that all tests share, and how many assertions were not
    read. The text that a test alone asks for is its row's target. Raises: AppError where there are no tests.
    """
    tests = config.get("tests")
    if not isinstance(tests, list) or not tests:
        raise AppError("There are no “tests” in the configuration (as a list).")
    default = config.get("defaultTest")
    shared = default.get("assert") if isinstance(default, Mapping) else None
    common, unread = _conditions(shared)
    rows: list[Example] = []
    kinds: list[tuple[Condition, ...]] = []
    for at, test in enumerate(tests):
        if not isinstance(test, Mapping):
            unread += 1
            continue
        given = test.get("vars")
        fields = {str(k): v for k, v in given.items()} if isinstance(given, Mapping) else {}
        target, own, more = _target(test.get("assert"))
        unread += more
        kinds.append(own)
        called = test.get("description")
        if isinstance(called, str) and called.strip():
            fields["called"] = called.strip()
        text = "\n".join(str(value) for key, value in fields.items() if key != "called") or f"test {at + 1}"
        rows.append(Example(f"test-{at + 1}", text, target, "promptfoo", fields=fields))
    if kinds and kinds[0] and all(one == kinds[0] for one in kinds):
        return rows, (*common, *kinds[0]), unread
    return rows, common or _usual(rows), unread


def to_promptfoo(plan: TablePlan, rows: Sequence[Example], conditions: Sequence[Condition]) -> str:
    """The table as a configuration for promptfoo.

    A model behind an OpenAI-compatible server is named there as it is here; one whose files are here is asked through
    this project's own server, which the comment at the top says how to start. Small changes are left out.
    """
    named = plan.columns_named
    prompts_out = [
        {"label": version.name, "raw": _theirs(version.template, named)} for version in plan.versions
    ]
    tests = []
    for row in rows:
        values = row_values(row, plan.aliases, named)
        test: dict[str, Any] = {"description": row.called, "vars": {name: values[name] for name in named}}
        if asked := [one for c in conditions if (one := _assertion(c, row)) is not None]:
            test["assert"] = asked
        tests.append(test)
    config = {
        "description": "Exported from Whence",
        "prompts": prompts_out,
        "providers": [_provider(who, plan) for who in plan.answerers],
        "tests": tests,
    }
    return _SERVE + yaml.safe_dump(config, allow_unicode=True, sort_keys=False, width=100)


_SERVE = """# Models whose files are here are asked through Whence's server: start it before, one for each of them, with
#   MODEL_CONFIG=name:path WHENCE_SERVER_MAX_NEW_TOKENS=128 whence serve --port 8080
# and put its address below. A server of another kind (no OpenAI-compatible one) has to be put in by hand.
"""


def _provider(who: TableAnswerer, plan: TablePlan) -> dict[str, Any]:
    """As promptfoo's documentation on OpenAI's and HTTP providers has it."""
    if who.spec.backend == "openai_compatible":
        address, _, model = who.spec.path.partition("#")
        kind = "chat" if who.send_as == "chat" else "completion"
        drawn = {"max_tokens": plan.params.max_new_tokens, "temperature": plan.params.temperature}
        more = {"stop": list(plan.params.stop)} if plan.params.stop else {}
        config: dict[str, Any] = {"apiBaseUrl": address, **drawn, **more}
        return {"id": f"openai:{kind}:{model}", "label": who.label, "config": config}
    body = {"inputs": [{"prompt": "{{prompt}}"}]}
    config = {"method": "POST", "body": body, "transformResponse": "json[0].response"}
    return {"id": "http://127.0.0.1:8080/predict", "label": who.label, "config": config}


def _ours(raw: str) -> str:
    return str(_VARIABLE.sub(lambda found: "{" + found["name"] + "}", raw))


def _theirs(template: str, named: Sequence[str]) -> str:
    """`{name}` as `{{name}}` where it is a column; other braces as promptfoo's templates keep them."""
    used = set(variables(template, named))
    return str(
        regex.sub(
            r"\{\{?[ \t]*([^{}\n]{1,200}?)[ \t]*\}\}?",
            lambda found: "{{" + found[1] + "}}" if found[1] in used else found[0],
            template,
        )
    )


def _target(asserted: Any) -> tuple[str | None, tuple[Condition, ...], int]:
    """The one text that a test's assertions hope for, the conditions that say how, and the assertions left unread."""
    if not isinstance(asserted, list):
        return None, (), 0
    hoped: str | None = None
    own: list[Condition] = []
    unread = 0
    for one in asserted:
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, Mapping) else (None, None)
        if (
            kind in ("equals", "contains", "icontains", "starts-with")
            and hoped is None
            and isinstance(value, str | int | float)
        ):
            hoped = str(value)
            own.append(_by_target(str(kind)))
            continue
        made, more = _conditions([one])
        own += made
        unread += more
    return hoped, tuple(own), unread


def _by_target(kind: str) -> Condition:
    check = {
        "equals": "equals",
        "contains": "contains",
        "icontains": "contains",
        "starts-with": "starts_with",
    }[kind]
    return as_checked(check, {})


def _conditions(asserted: Any) -> tuple[tuple[Condition, ...], int]:
    """What of a list of assertions is a check here, and how many are none."""
    found: list[Condition] = []
    unread = 0
    for one in asserted if isinstance(asserted, list) else ():
        kind, value = (one.get("type"), one.get("value")) if isinstance(one, Mapping) else (None, None)
        negated = isinstance(kind, str) and kind.startswith("not-")
        plain = str(kind).removeprefix("not-")
        try:
            if plain in ("equals", "contains", "icontains", "starts-with") and isinstance(
                value, str | int | float
            ):
                name = {"equals": "equals", "starts-with": "starts_with"}.get(plain, "contains")
                found.append(as_checked(name, {"text": str(value)}, negated=negated))
            elif plain == "regex" and isinstance(value, str):
                found.append(as_checked("regex", {"pattern": value}, negated=negated))
            elif plain == "is-json" and value is None:
                found.append(as_checked("is_json", {}, negated=negated))
            else:
                unread += 1
        except AppError:
            unread += 1
    return tuple(found), unread


def _usual(rows: Sequence[Example]) -> tuple[Condition, ...]:
    return (as_checked("contains", {}),) if any(row.target for row in rows) else ()


def _assertion(condition: Condition, row: Example) -> dict[str, Any] | None:
    """A check as promptfoo writes it; None for one that it has none for."""
    text = str(condition.options.get("text") or row.target or "")
    before = "not-" if condition.negated else ""
    if condition.check in ("equals", "contains", "starts_with") and text:
        kind = {"equals": "equals", "contains": "icontains", "starts_with": "starts-with"}[condition.check]
        return {"type": f"{before}{kind}", "value": text}
    if condition.check == "number" and row.target:
        return {"type": f"{before}contains", "value": row.target.rsplit("####", 1)[-1].strip()}
    if condition.check == "regex":
        return {"type": f"{before}regex", "value": str(condition.options.get("pattern", ""))}
    if condition.check == "is_json":
        return {"type": f"{before}is-json"}
    return None


def rows_as_json(plan: TablePlan, rows: Sequence[Example]) -> bytes:
    """What the versions name of each row, and its targets, as JSON Lines: for `python_code`."""
    lines = []
    for row in rows:
        values = row_values(row, plan.aliases, plan.columns_named)
        listed = list(row.targets)
        told: dict[str, Any] = {name: values[name] for name in plan.columns_named if name != "target"}
        told["target"] = listed if len(listed) > 1 else row.target or ""
        lines.append(json.dumps(told, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()
