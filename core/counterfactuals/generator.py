"""What a counterfactual generator is, and the one loop that runs any of them: seeded, bounded, deterministic.

A generator is a declaration and a function that yields edits of one example; the loop turns edits into
`Example`s with lineage, drops those that change nothing or repeat each other, and ends at the limit, the
clock or a Stop. Knows no model (those that need one get it in the `Context`), no page and no store.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.errors import AppError, Stopped
from core.family import Field, resolve
from core.records import Example, Option, digest

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

LIMIT = 20
MOST = 1000
SECONDS = 60.0

Choices = Mapping[str, Option]
Translate = Callable[[str, str, str], str]
"""(text, from language, to language) -> text."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A changed prompt, and what changed, in words."""

    prompt: str
    words: str
    target: str | None = None
    """None: that of the parent."""


@dataclass(frozen=True)
class Context:
    """What a generator may use beside the example; each only where its declaration `needs` it."""

    model: LanguageModel | None = None
    response: str | None = None
    """What the model wrote for the unchanged prompt."""
    translate: Translate | None = None
    stop: threading.Event | None = None


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A generator, declared: forms and menus are drawn from these fields."""

    name: str
    label: str
    description: str
    edits: Callable[[Example, Choices, random.Random, Context], Iterator[Edit]]
    fields: tuple[Field, ...] = ()
    needs: Literal["", "generate", "gradients", "translate"] = ""


@dataclass(frozen=True)
class Made:
    """The counterfactuals, and a sentence where there could have been more, or "" where these are all."""

    examples: tuple[Example, ...]
    note: str = ""


def make(
    generator: Generator,
    examples: Sequence[Example],
    choices: Choices | None = None,
    *,
    seed: int = 0,
    limit: int = LIMIT,
    seconds: float = SECONDS,
    contexts: Mapping[str, Context] | Context | None = None,
) -> Made:
    """Counterfactuals of each example in turn, at most `limit` of each; `contexts` is one for all or by id.

    The same seed and example give the same edits, whatever else is in the list.
    Raises: AppError without examples, for bad options, or where the generator needs what is not there.
    """
    if not examples:
        raise AppError("There is no example to change.", hint="Choose one or more examples first.")
    if not 1 <= limit <= MOST:
        raise AppError(f"The number of changes of an example should be 1 to {MOST:,}, but it is {limit:,}.")
    resolved = resolve(generator.label, generator.fields, choices or {})
    deadline = time.monotonic() + seconds
    made: list[Example] = []
    notes: list[str] = []
    for at, example in enumerate(examples):
        own = contexts.get(example.id, Context()) if isinstance(contexts, Mapping) else contexts or Context()
        _check(generator, own)
        found, cut = _of_one(generator, example, resolved, seed, limit, deadline, own)
        made += found
        if cut == "limit":
            notes.append(example.id)
        if cut == "time":
            note = f"Stopped after {seconds:g} s, at example {at + 1:,} of {len(examples):,}."
            return Made(tuple(made), note)
    if not notes:
        return Made(tuple(made))
    return Made(
        tuple(made),
        f"There were more than {limit:,} changes of {len(notes):,} of {len(examples):,} examples; "
        f"the first {limit:,} of each are kept.",
    )


def _check(generator: Generator, context: Context) -> None:
    if generator.needs == "translate" and context.translate is None:
        raise AppError(f"{generator.label} needs translation models, and none is set up.")
    if generator.needs in ("generate", "gradients"):
        if context.model is None:
            raise AppError(f"{generator.label} needs a loaded model.", hint="Choose a model first.")
        can = context.model.capabilities
        if not getattr(can, generator.needs):
            why = can.why.get(generator.needs, f"it gives no {generator.needs}")
            raise AppError(f"{generator.label} cannot use {context.model.spec.name}: {why}.")


def _of_one(
    generator: Generator,
    example: Example,
    choices: Choices,
    seed: int,
    limit: int,
    deadline: float,
    context: Context,
) -> tuple[list[Example], str]:
    """Examples, and why it ended early: "limit", "time" or "" for a generator that had no more."""
    rng = random.Random(f"{seed}/{generator.name}/{example.id}")  # noqa: S311 - reproducible, no secret
    seen = {example.prompt}
    found: list[Example] = []
    for edit in generator.edits(example, choices, rng, context):
        if context.stop is not None and context.stop.is_set():
            raise Stopped()
        if edit.prompt not in seen and edit.prompt.strip():
            if len(found) == limit:
                return found, "limit"
            seen.add(edit.prompt)
            found.append(_child(generator, example, edit))
        if time.monotonic() > deadline:
            return found, "time"
    return found, ""


def _child(generator: Generator, parent: Example, edit: Edit) -> Example:
    return replace(
        parent,
        id=digest(parent.id, generator.name, edit.prompt)[:16],
        prompt=edit.prompt,
        target=parent.target if edit.target is None else edit.target,
        parent_id=parent.id,
        edit=edit.words,
        fields=dict(parent.fields),
    )


def shown(text: str, most: int = 48) -> str:
    """`text` on one line in quotation marks, its middle left out where it is long."""
    flat = " ".join(text.split())
    if len(flat) > most:
        flat = f"{flat[: most * 2 // 3]} … {flat[-most // 3 :]}"
    return f"“{flat}”"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st, …"""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
