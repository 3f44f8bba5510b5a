"""The checks that there are: one explicit tuple, and finding one by its name."""

from __future__ import annotations

from core.checks import function, json_checks, judge, language, number, texts
from core.checks.check import Check
from core.family import find


def check(name: str) -> Check:
    """The check called `name`. Raises: AppError that lists what there is."""
    return find("check", CHECKS, name)


CHECKS: tuple[Check, ...] = (
    texts.EQUALS,
    texts.CONTAINS,
    number.NUMBER,
    texts.STARTS_WITH,
    texts.REGEX,
    texts.LENGTH,
    language.LANGUAGE,
    json_checks.IS_JSON,
    json_checks.JSON_VALUE,
    json_checks.JSON_SCHEMA,
    judge.JUDGE,
    function.FUNCTION,
)
