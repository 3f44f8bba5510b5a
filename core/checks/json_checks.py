"""Checks of JSON: is the answer JSON, what stands at a path in it, does it fit a schema.

A code fence around the JSON is no part of it. Schemas are JSON Schema 2020-12 by `jsonschema`; what they refer to is
never fetched, and their patterns are searched under the same time limit as any expression here.
Paths: `a.b[0].c`, or a JSON pointer (RFC 6901) `/a/b/0/c`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from core.checks.check import NO_TARGET, Check, Evidence, Options, Ruling, shortened, wanted
from core.errors import AppError
from core.expressions import compiled, matches
from core.family import Field
from core.metrics.numbers import last_number, same

_FENCE = regex.compile(r"\A\s*(?:`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*(?:`{3,}|~{3,})\s*\Z", regex.DOTALL)
_STEP = regex.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")
_LONGEST = 1_000_000
_LONGEST_SCHEMA = 50_000
_MISSING = object()


def parse(text: str) -> Any:
    """The value that `text` is in JSON. Raises: ValueError with the reason."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is {len(text):,} characters long; at most {_LONGEST:,} are read")
    inner = found[1] if (found := _FENCE.match(text)) else text
    try:
        return json.loads(inner, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def steps(path: str) -> tuple[str | int, ...]:
    """The keys and places of a path. Raises: AppError for one that cannot be read."""
    path = path.strip()
    if path.startswith("/"):
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))
    bare = path.removeprefix("$")
    found: list[str | int] = []
    at = 0
    while at < len(bare):
        step = _STEP.match(bare, at)
        if step is None or step.end() == at:
            raise AppError(
                f"The path “{shortened(path)}” cannot be read at character {at + 1}.",
                hint="Write it like items[0].price, or as /items/0/price.",
            )
        found.append(int(step[2]) if step[2] is not None else step[3] if step[3] is not None else step[1])
        at = step.end()
    return tuple(found)


def at_path(value: Any, path: str) -> Any:
    """What stands at `path` within `value`. Raises: KeyError with the step that leads nowhere."""
    for step in steps(path):
        if isinstance(value, list) and str(step).isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and str(step) in value:
            value = value[str(step)]
        else:
            raise KeyError(step)
    return value


def _is_json(evidence: Evidence, options: Options) -> Ruling:
    try:
        value = parse(evidence.answer)
    except ValueError as error:
        return Ruling("wrong", f"it is not JSON: {error}")
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    kind = kinds.get(type(value), "a number")
    return Ruling.of(options["kind"] in ("any", kind), f"it is JSON: {kind}")


def _value(evidence: Evidence, options: Options) -> Ruling:
    looked_for = wanted(options, evidence, "value")
    if not looked_for:
        return NO_TARGET
    try:
        found = at_path(parse(evidence.answer), str(options["path"]))
    except ValueError as error:
        return Ruling("wrong", f"it is not JSON: {error}")
    except KeyError as error:
        return Ruling("wrong", f"there is nothing at “{error.args[0]}”")
    shown = shortened(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))
    return Ruling.of(any(_equal(found, text) for text in looked_for), f"there stands {shown}")


def _equal(found: Any, text: str) -> bool:
    """Whether a JSON value is what `text` says: as JSON, as a number, or as the text itself."""
    try:
        said: Any = parse(text)
    except ValueError:
        said = _MISSING
    if said is not _MISSING and not isinstance(said, str) and type(said) is type(found) and said == found:
        return True
    if isinstance(found, bool) or found is None or isinstance(found, dict | list):
        return bool(
            said is not _MISSING and said == found and isinstance(said, bool) == isinstance(found, bool)
        )
    if isinstance(found, int | float):
        number, other = last_number(repr(found)), last_number(text)
        return number is not None and other is not None and other.text == text.strip() and same(number, other)
    return bool(found.strip() == text.strip() or found == said)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError(f"{shortened(instance)!r} does not fit {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], instance: Any, _schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, inner in patterns.items():
            for key, value in instance.items():
                if matches(pattern, key):
                    yield from validator.descend(value, inner, path=key, schema_path=pattern)


_Validator = extend(Draft202012Validator, {"pattern": _pattern, "patternProperties": _pattern_properties})


@lru_cache(maxsize=32)
def _schema(text: str) -> Any:
    if len(text) > _LONGEST_SCHEMA:
        raise AppError(f"The schema is {len(text):,} characters long; at most {_LONGEST_SCHEMA:,} are read.")
    try:
        found = parse(text)
        Draft202012Validator.check_schema(found)
    except ValueError as error:
        raise AppError(f"The schema is no JSON: {error}.", hint="Write a JSON Schema.") from error
    except (SchemaError, RecursionError) as error:
        told = error.message if isinstance(error, SchemaError) else "it is nested too deeply"
        raise AppError(f"This is no JSON Schema: {shortened(told, 200)}.") from error
    for pattern in _patterns(found):
        compiled(pattern)
    registry: Registry[Any] = Registry()  # knows nothing, so that nothing is fetched
    return _Validator(found, registry=registry)


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), dict):
            yield from schema["patternProperties"]
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _patterns(inner)


def _fits(evidence: Evidence, options: Options) -> Ruling:
    try:
        value = parse(evidence.answer)
    except ValueError as error:
        return Ruling("wrong", f"it is not JSON: {error}")
    try:
        fault = next(_schema(str(options["schema"])).iter_errors(value), None)
    except (AppError, Unresolvable, RecursionError) as error:
        return Ruling("unsure", f"the schema cannot be applied: {shortened(str(error), 200)}")
    if fault is None:
        return Ruling("right", "it fits the schema")
    where = "".join(f"/{part}" for part in fault.absolute_path) or "the whole"
    return Ruling("wrong", f"{where}: {shortened(fault.message, 200)}")


def _one_schema(options: Options) -> None:
    _schema(str(options["schema"]))


def _one_path(options: Options) -> None:
    if not steps(str(options["path"])):
        raise AppError("The path is empty.", hint="Write it like items[0].price, or as /items/0/price.")


IS_JSON = Check(
    name="is_json",
    label="Is JSON",
    description="The answer is JSON; a code fence around it does not count.",
    find=_is_json,
    fields=(
        Field(
            name="kind",
            label="And",
            kind="choice",
            default="any",
            choices=(("any", "of any kind"), ("an object", "an object"), ("a list", "a list")),
        ),
    ),
    in_words=lambda options: "" if options["kind"] == "any" else str(options["kind"]),
)
JSON_VALUE = Check(
    name="json_value",
    label="JSON value",
    description="At this path in the answer's JSON stands this value, or the target; 42.0 is 42.",
    find=_value,
    fields=(
        Field(
            name="path",
            label="Path",
            kind="line",
            default="",
            description="items[0].price, or /items/0/price",
        ),
        Field(name="value", label="Value", kind="line", default="", description="Empty: the row's target."),
    ),
    validate=_one_path,
    in_words=lambda options: f"at {options['path']}: {options['value'] or 'the target'}",
)
JSON_SCHEMA = Check(
    name="json_schema",
    label="Fits a schema",
    description="The answer is JSON that fits this JSON Schema (2020-12); references elsewhere are not followed.",
    find=_fits,
    fields=(Field(name="schema", label="JSON Schema", kind="text", default=""),),
    validate=_one_schema,
)
