"""Template sweep: the same template with one of its variables taking other values in turn.

The template is the example's field `template`, else its prompt where that holds `{variables}`; the other
variables keep the values that the example's fields hold. Reading `{name}` is `core.datasets.templates`'
business.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from core.counterfactuals.generator import Choices, Context, Edit, Generator, shown
from core.datasets.templates import render, variables
from core.errors import AppError
from core.family import Field
from core.records import Example


def _edits(example: Example, choices: Choices, _rng: random.Random, _context: Context) -> Iterator[Edit]:
    template = str(example.fields.get("template") or example.prompt)
    names = variables(template)
    if not names:
        raise AppError(
            "This example comes from no template: neither its prompt nor its field “template” holds a "
            "{variable}.",
            hint="Write {name} where a value goes.",
        )
    name = str(choices["variable"]).strip().strip("{}") or names[0]
    if name not in names:
        raise AppError(f"The template has no variable {name!r}; it has {', '.join(names)}.")
    held = {key: str(value) for key, value in example.fields.items() if value is not None}
    values = [line.strip() for line in str(choices["values"]).splitlines() if line.strip()]
    if not values:
        raise AppError(f"Which values should {{{name}}} take? Write one a line.")
    for value in values:
        yield Edit(render(template, held | {name: value}), f"{{{name}}} = {shown(value)}")


GENERATOR = Generator(
    name="template_sweep",
    label="Sweep a template's variable",
    description="Fills one variable of the example's template with other values, one at a time.",
    edits=_edits,
    fields=(
        Field(
            name="variable",
            label="Variable",
            kind="line",
            default="",
            description="Empty: the template's first one.",
        ),
        Field(name="values", label="Values", kind="text", default="", description="One a line."),
    ),
)
