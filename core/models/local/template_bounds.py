"""A model's chat template, which a stranger may have written, runs under a clock and makes no text without bound.

transformers renders templates in jinja's sandbox, which keeps them from the machine but not from its time and memory.
Here the sandbox is given three more rules: what an operator, a method or a filter would make is measured before it is
made; every line of the template looks at the clock; what comes out has a largest size. Source: the rules of
`jinja2.sandbox`, of which this is the extension that its documentation describes (`intercepted_binops`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils import chat_template_utils

from core.errors import AppError

SECONDS = 5.0
MOST_CHARS = 5_000_000
"""Of any text that a template makes on its way."""
MOST_REPEATS = 100_000
"""The largest number that a method or a filter may be given (a width, an indent)."""
_TEMPLATE = "<template>"
Trace = Callable[[FrameType, str, Any], Any]


class TemplateTime(Exception):
    """The clock ran out."""


class BoundedGenerator(CodeGenerator):
    """Joins with `~` through the environment, which measures them."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """jinja's sandbox, in which no single step makes more than `MOST_CHARS`."""

    code_generator_class = BoundedGenerator
    intercepted_binops = frozenset(["*", "**", "+", "%"])

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in (
            "center",
            "indent",
            "wordwrap",
            "format",
            "replace",
            "join",
            "truncate",
            "batch",
            "slice",
        ):
            self.filters[name] = _bounded(self.filters[name])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            for many, thing in ((left, right), (right, left)):
                if (
                    isinstance(many, int)
                    and isinstance(thing, str | list | tuple)
                    and many * len(thing) > MOST_CHARS
                ):
                    raise _too_large()
        if operator == "**" and isinstance(right, int | float) and abs(right) > 1_000:
            raise _too_large()
        if operator == "+" and isinstance(left, str | list) and isinstance(right, str | list):
            _check(len(left) + len(right))
        if operator == "%" and isinstance(left, str):
            _check_format(left)
        return super().call_binop(context, operator, left, right)

    def joined(self, parts: tuple[Any, ...]) -> str:
        """The text of `~`."""
        texts = [str(part) for part in parts]
        _check(sum(map(len, texts)))
        return "".join(texts)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        method = getattr(__obj, "__wrapped__", __obj)  # the sandbox's own form of str.format wraps it
        _check_arguments(getattr(method, "__self__", None), getattr(method, "__name__", ""), args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)


def _bounded(plain: Callable[..., Any]) -> Callable[..., Any]:
    """The filter `plain`, its arguments measured first; it keeps what jinja marks it with."""

    def bounded(*args: Any, **kwargs: Any) -> Any:
        texts = [arg for arg in args if isinstance(arg, str)]
        _check_arguments(texts[0] if texts else None, plain.__name__, args, kwargs)
        return plain(*args, **kwargs)

    bounded.__dict__.update(plain.__dict__)
    return bounded


def _check_arguments(text: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    given = (*args, *kwargs.values())
    if any(isinstance(one, int) and one > MOST_REPEATS for one in given):
        raise _too_large()
    strings = [one for one in given if isinstance(one, str) and one is not text]
    if "replace" in name and isinstance(text, str) and len(strings) > 1:
        found = text.count(strings[0]) if strings[0] else len(text) + 1
        _check(len(text) + found * len(strings[1]))
    if "format" in name and isinstance(text, str):
        _check_format(text)
    if "join" in name:
        lists = [one for one in given if isinstance(one, list | tuple)]
        between = max([len(one) for one in strings] + [len(text) if isinstance(text, str) else 0])
        _check(sum(len(str(part)) + between for listed in lists for part in listed))


def _check_format(text: str) -> None:
    digits = 0
    for char in text:
        digits = digits + 1 if char.isdigit() else 0
        if digits > len(str(MOST_REPEATS)) - 1:
            raise _too_large()


def _check(chars: int) -> None:
    if chars > MOST_CHARS:
        raise _too_large()


def _too_large() -> SecurityError:
    return SecurityError(f"it makes text of more than {MOST_CHARS:,} characters")


@contextmanager
def clocked(seconds: float = SECONDS) -> Iterator[None]:
    """Lines of templates that run within stop when the time is over. Raises: AppError then."""
    until = time.monotonic() + seconds
    before = sys.gettrace()

    def line(frame: FrameType, event: str, argument: Any) -> Trace:
        if time.monotonic() > until:
            raise TemplateTime
        return line

    def entered(frame: FrameType, event: str, argument: Any) -> Trace | None:
        return line if frame.f_code.co_filename == _TEMPLATE else None

    sys.settrace(entered)
    try:
        yield
    except TemplateTime as over:
        raise AppError(
            f"The model's chat template did not end within {seconds:g} seconds, so it was stopped.",
            hint="Send the prompt as plain text, or use a model with another template.",
        ) from over
    finally:
        sys.settrace(before)


# transformers names the sandbox in one place, where it compiles a template; the test reads that this took effect.
setattr(chat_template_utils, "ImmutableSandboxedEnvironment", BoundedEnvironment)  # noqa: B010
