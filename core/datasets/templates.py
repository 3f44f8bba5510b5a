"""`{name}` in a prompt template: which variables there are, and the prompt with their values.

A name is a letter or underscore, then letters, digits, underscores, in any script. `{{name}}` stands for the
text `{name}`. Every other brace, as in JSON or code within a prompt, is text as it stands. Values are put in
as they are and not looked through again. Nothing is evaluated: no attributes, no format codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.records import Example

_NAME = r"[^\W\d]\w*"
_PARTS = re.compile(rf"\{{\{{(?P<text>{_NAME})\}}\}}|\{{(?P<name>{_NAME})\}}")
_BRACED = re.compile(rf"\{{({_NAME})\}}")


def variables(template: str) -> tuple[str, ...]:
    """The names in `template`, each once, in order of first use."""
    found = (match["name"] for match in _PARTS.finditer(template))
    return tuple(dict.fromkeys(name for name in found if name))


def parts(template: str) -> tuple[tuple[str, bool], ...]:
    """The template in order: (text, False) as `render` would write it, and (name, True) for each variable."""
    found: list[tuple[str, bool]] = []
    text, at = "", 0
    for match in _PARTS.finditer(template):
        text += template[at : match.start()]
        at = match.end()
        if match["text"]:
            text += "{" + match["text"] + "}"
            continue
        found += [(text, False)] if text else []
        found.append((match["name"], True))
        text = ""
    text += template[at:]
    return (*found, (text, False)) if text else tuple(found)


def render(template: str, values: Mapping[str, str]) -> str:
    """`template` with its variables replaced; one without a value stays as it stands."""

    def put(match: re.Match[str]) -> str:
        if match["text"]:
            return "{" + match["text"] + "}"
        return values.get(match["name"], match[0])

    return _PARTS.sub(put, template)


def template_of(example: Example) -> str:
    """The template in the field `template`; "" where it and the other fields do not give the prompt."""
    template = str(example.fields.get("template") or "")
    names = variables(template)
    values = {name: str(example.fields[name]) for name in names if example.fields.get(name) not in (None, "")}
    return template if names and render(template, values) == example.prompt else ""


def escape(text: str) -> str:
    """A template without variables that renders to `text`."""
    return _BRACED.sub(r"{{\1}}", text)
