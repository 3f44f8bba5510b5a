"""The word replacer's rules: `great -> terrible | bad`, parsed, with sentences for what is wrong.

    rules        rule { (newline | ",") rule }
    rule         words "->" words { "|" words }
    words        anything without , | " -> → or newline; or "quoted", with \\" and \\\\ inside

Knows no text to be changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import regex

from core.errors import AppError

MOST_RULES = 200
_PART = regex.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<arrow>->|→)|(?P<or>\|)|(?P<end>[,\n\r]+)|(?P<open>")"""
    r"""|(?P<space>[^\S\n\r]+)|(?P<word>(?:(?!->)[^",|→\s])+)""",
)
_EXAMPLE = "Write for example: great -> terrible | bad"


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for, and what to put there instead, one at a time."""

    old: str
    new: tuple[str, ...]


def parse(text: str) -> tuple[Rule, ...]:
    """The rules of `text` in their order; empty lines are skipped.

    Raises: AppError naming the rule by its number: no arrow, two arrows, nothing before or after it, a
    quotation mark that is not closed, or no rule at all.
    """
    rules: list[Rule] = []
    for number, parts in enumerate(_split(text), start=1):
        rules.append(_rule(number, parts))
        if number > MOST_RULES:
            raise AppError(f"There are more than {MOST_RULES} rules.", hint="Use fewer at a time.")
    if not rules:
        raise AppError("There is no rule yet.", hint=_EXAMPLE)
    return tuple(rules)


def _split(text: str) -> list[list[tuple[str, str]]]:
    """(kind, text) parts of each rule."""
    found: list[list[tuple[str, str]]] = [[]]
    for part in _PART.finditer(text):
        kind = part.lastgroup or "word"
        if kind == "open":
            raise AppError(
                f"A quotation mark is not closed, from {part.group()}{text[part.end() : part.end() + 20]}…",
                hint='Close it with ", or write \\" for a quotation mark that is meant.',
            )
        if kind == "end":
            found.append([])
        else:
            found[-1].append((kind, part.group()))
    return [parts for parts in found if any(kind != "space" for kind, _ in parts)]


def _rule(number: int, parts: list[tuple[str, str]]) -> Rule:
    said = "".join(piece for _, piece in parts).strip()

    def refuse(what: str, hint: str = _EXAMPLE) -> NoReturn:
        raise AppError(f"Rule {number}, “{said}”, {what}.", hint=hint)

    arrows = [i for i, (kind, _) in enumerate(parts) if kind == "arrow"]
    if not arrows:
        refuse("has no arrow")
    if len(arrows) > 1:
        refuse(
            f"has {len(arrows)} arrows, and one was expected", 'Put an arrow that is meant in quotes: "->".'
        )
    before, after = parts[: arrows[0]], parts[arrows[0] + 1 :]
    if any(kind == "or" for kind, _ in before):
        refuse("has a | before the arrow", "Write one rule for each word.")
    old = _words(before)
    if not old:
        refuse("has nothing before its arrow")
    options: list[list[tuple[str, str]]] = [[]]
    for kind, piece in after:
        if kind == "or":
            options.append([])
        else:
            options[-1].append((kind, piece))
    if any(all(kind == "space" for kind, _ in option) for option in options):
        refuse("has nothing to put in place of the word", 'Write "" to take the word out.')
    return Rule(old, tuple(dict.fromkeys(_words(option) or "" for option in options)))


def _words(parts: list[tuple[str, str]]) -> str:
    """Quoted parts as they are, the white space around the whole left off."""
    while parts and parts[0][0] == "space":
        parts = parts[1:]
    while parts and parts[-1][0] == "space":
        parts = parts[:-1]
    return "".join(
        regex.sub(r"\\(.)", r"\1", piece[1:-1]) if kind == "quoted" else piece for kind, piece in parts
    )
