"""`/docs`: the OpenAPI text as one page that needs no script and nothing from the network.

Knows the OpenAPI document only; every text from it is escaped here.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; margin-top: 2rem; }
h2 code { font-size: 1.1rem; }
td, th { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; }
pre { overflow-x: auto; padding: .6rem; background: #8882; border-radius: .3rem; }
"""
EXAMPLES: dict[str, Any] = {
    "/predict": {"inputs": [{"prompt": "Two plus two is"}]},
    "/tokenize": {"inputs": [{"prompt": "Two plus two is", "target": " four"}]},
    "/salience": {"inputs": [{"prompt": "Two plus two is", "target": " four"}]},
    "/v1/salience": {"prompt": "Two plus two is", "target": " four", "method": "grad_dot_input"},
    "/v1/generate": {"prompt": "Two plus two is", "max_new_tokens": 16},
}
"""A body to try for each endpoint that takes one; a test sends them."""


def page(openapi: dict[str, Any]) -> str:
    """The page for an OpenAPI 3.1 document."""
    info = openapi["info"]
    parts = [
        f"<h1>{escape(info['title'])}</h1><p>{_prose(info.get('summary', ''))}</p>",
        f"<p>Version {escape(info['version'])}. For programs: <a href='openapi.json'>openapi.json</a>.</p>",
    ]
    for path, methods in openapi["paths"].items():
        for method, told in methods.items():
            parts.append(_endpoint(openapi, method.upper(), path, told))
    title = escape(info["title"])
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style>{''.join(parts)}</html>"
    )


def _endpoint(openapi: dict[str, Any], method: str, path: str, told: dict[str, Any]) -> str:
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    good = told["responses"].get("200", {}).get("content", {})
    parts = [f"<section><h2><code>{method} {escape(path)}</code></h2><p>{_prose(told['description'])}</p>"]
    if body is not None:
        example = json.dumps(EXAMPLES[path])
        call = f"curl localhost:8080{path} -H 'Content-Type: application/json' -d '{example}'"
        parts.append(f"<h3>Body</h3>{_fields(openapi, body)}<pre>{escape(call)}</pre>")
    for kind, content in good.items():
        parts.append(f"<h3>Answer, {escape(kind)}</h3>{_fields(openapi, content.get('schema', {}))}")
    rows = [
        f"<tr><td>{escape(status)}</td><td>{_prose(answer.get('description', ''))}</td></tr>"
        for status, answer in told["responses"].items()
    ]
    return f"{''.join(parts)}<h3>Status</h3><table>{''.join(rows)}</table></section>"


def _fields(openapi: dict[str, Any], schema: dict[str, Any]) -> str:
    """The fields of an object, with those of the objects within, as a table."""
    rows: list[str] = []
    _rows(openapi, schema, "", rows)
    return f"<table>{''.join(rows)}</table>" if rows else f"<p>{escape(_kind(schema))}</p>"


def _rows(openapi: dict[str, Any], schema: dict[str, Any], before: str, rows: list[str]) -> None:
    schema = _followed(openapi, schema)
    if schema.get("type") == "array" and "items" in schema:
        _rows(openapi, schema["items"], f"{before.removesuffix('.')}[].", rows)
        return
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        must = "required" if name in needed else "may be left out"
        what = f"{_kind(field)}, {must}" if before == "" or name in needed else _kind(field)
        described = _prose(field.get("description", ""))
        shown = escape(f"{before}{name}")
        rows.append(f"<tr><td><code>{shown}</code></td><td>{escape(what)}</td><td>{described}</td></tr>")
        _rows(openapi, field, f"{before}{name}.", rows)


def _followed(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _prose(text: str) -> str:
    """`text` escaped, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _kind(schema: dict[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", schema.get("const", "anything")))
