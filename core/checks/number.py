"""Number within: the number that the answer comes to is near enough to one that was named, or to the target's.

Which number that is, is `core.metrics.numbers.last_number`: the last, or one marked by `####` or `\\boxed`.
"""

from __future__ import annotations

from fractions import Fraction

from core.checks.check import NO_TARGET, Check, Evidence, Options, Ruling, wanted
from core.errors import AppError
from core.family import Field
from core.metrics.numbers import Number, last_number, same


def _tolerance(options: Options) -> Number | None:
    text = str(options.get("within") or "").strip()
    return last_number(text) if text else None


def _find(evidence: Evidence, options: Options) -> Ruling:
    looked_for = wanted(options, evidence, "value")
    if not looked_for:
        return NO_TARGET
    targets = [found for one in looked_for if (found := last_number(one)) is not None]
    if not targets:
        return Ruling("unsure", "the target has no number")
    got = last_number(evidence.answer)
    if got is None:
        return Ruling("wrong", "the answer has no number")
    near = _tolerance(options)
    for target in targets:
        if same(got, target) or (near is not None and _near(got, target, near)):
            return Ruling("right", f"it says {got}, looked for: {target}")
    return Ruling("wrong", f"it says {got}, looked for: {' or '.join(map(str, targets))}")


def _near(got: Number, target: Number, near: Number) -> bool:
    if got.clock != target.clock:
        return False
    margin = abs(target.value) * near.value if near.percent else near.value
    scale = Fraction(1, 100) if got.percent and target.percent and not near.percent else Fraction(1)
    return abs(got.value - target.value) <= margin * scale


def _numbers(options: Options) -> None:
    value, within = str(options.get("value") or "").strip(), str(options.get("within") or "").strip()
    if value and last_number(value) is None:
        raise AppError(f"The number looked for should be one, such as 18 or 3.5, but it is “{value}”.")
    near = _tolerance(options)
    if within and (near is None or near.value < 0):
        raise AppError(f"How far it may be off should be a number or a percentage, but it is “{within}”.")


def _in_words(options: Options) -> str:
    value = str(options.get("value") or "").strip() or "the target's"
    within = str(options.get("within") or "").strip()
    return f"{value}, within {within}" if within else value


NUMBER = Check(
    name="number",
    label="Number is",
    description="The number that the answer comes to: its last one, or the one marked by #### or \\boxed.",
    find=_find,
    fields=(
        Field(
            name="value", label="Number", kind="line", default="", description="Empty: the target's number."
        ),
        Field(
            name="within",
            label="May be off by",
            kind="line",
            default="",
            description="A number (0.5) or a percentage of the number looked for (2 %). Empty: nothing.",
        ),
    ),
    validate=_numbers,
    in_words=_in_words,
)
