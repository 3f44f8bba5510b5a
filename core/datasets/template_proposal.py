"""The template that rows were probably made from, read off them: what they share stays, what differs is a variable.

Lines are aligned by what they begin with (`Dish:`) or say; a line that differs keeps its common beginning and end,
lines that only some rows have become one variable. A proposal is checked: only the rows that fit it count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from core.datasets.template_sections import find_sections
from core.datasets.templates import escape

MOST_ROWS, SEEDS, MOST_LINES = 60, 6, 400
"""Rows that are read, rows that are tried as the model of the others, and lines of a prompt that is still looked at."""
LEAST_SHARED = 0.1
"""Of the rows' mean length the template's own text should make up so much; less is chance."""
_LABEL = re.compile(r"\s*([^\s:][^:\n]{0,40}):(?=\s|$)")
_WORDS = re.compile(r"\w+")


def propose_template(prompts: Sequence[str]) -> str:
    """The template of the largest group of `prompts` that share one, at least two of them; "" where none do."""
    distinct = [one for one in dict.fromkeys(prompts) if one.count("\n") < MOST_LINES][:MOST_ROWS]
    rows = [one.split("\n") for one in distinct]
    best, worth = "", 0
    for seed in rows[:SEEDS]:
        group = [row for row in rows if _alike(seed, row)]
        if len(group) < 2:
            continue
        template = _template(group)
        fit = sum(find_sections(template, "\n".join(row)) is not None for row in group) if template else 0
        if fit >= 2 and fit * len(template) > worth:
            best, worth = template, fit * len(template)
    return best or _beginning_and_end(distinct)


def _key(line: str) -> str:
    label = _LABEL.match(line)
    return f"{label[1]}:" if label else line.strip()


def _matches(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [(block.a + i, block.b + i) for block in blocks for i in range(block.size)]


def _alike(seed: Sequence[str], row: Sequence[str]) -> bool:
    """Whether half of the lines that say something stand in both, in the same order."""
    keys = [_key(line) for line in seed]
    shared = sum(bool(keys[i]) for i, _ in _matches(keys, [_key(line) for line in row]))
    most = max(sum(map(bool, keys)), sum(bool(line.strip()) for line in row))
    return shared > 0 and 2 * shared >= most


def _template(group: Sequence[Sequence[str]]) -> str:
    """The template of rows that are alike; "" where they share too little."""
    kept: list[tuple[int, ...]] = [(index,) for index in range(len(group[0]))]
    for row in group[1:]:
        found = _matches([_key(group[0][at[0]]) for at in kept], [_key(line) for line in row])
        kept = [(*kept[i], j) for i, j in found]
    if not kept:
        return ""
    names: dict[str, int] = {}
    text, last, own = "", [-1] * len(group), 0
    for number, places in enumerate(kept):
        if any(place > before + 1 for place, before in zip(places, last)):
            text += "{" + _named("part", names) + "}"
        written, shared = _line([row[place] for row, place in zip(group, places)], names)
        text += written + ("\n" if number < len(kept) - 1 else "")
        own, last = own + shared, list(places)
    if any(len(row) > before + 1 for row, before in zip(group, last)):
        text += "\n" * all(len(row) > before + 1 for row, before in zip(group, last))
        text += "{" + _named("part", names) + "}"
    length = sum(len("\n".join(row)) for row in group) / len(group)
    return text if names and own >= LEAST_SHARED * length else ""


def _line(lines: Sequence[str], names: dict[str, int]) -> tuple[str, int]:
    """One line of the template, and how many characters of it are its own."""
    if len(set(lines)) == 1:
        return escape(lines[0]), len(lines[0])
    start, end = _common(lines)
    label = _LABEL.match(start)
    name = "_".join(_WORDS.findall(label[1].lower())) if label else ""
    name = name if re.fullmatch(r"[^\W\d]\w*", name) else "part"
    return escape(start) + "{" + _named(name, names) + "}" + escape(end), len(start) + len(end)


def _prefix(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # what these two share, all share
    same = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), min(len(first), len(last)))
    return first[:same]


def _common(texts: Sequence[str]) -> tuple[str, str]:
    """What all begin and end with, cut where a word does."""
    start = _prefix(texts)
    rest = [text[len(start) :] for text in texts]
    if start and start[-1].isalnum() and any(text and text[0].isalnum() for text in rest):
        start = re.sub(r"\w+\Z", "", start)
        rest = [text[len(start) :] for text in texts]
    end = _prefix([text[::-1] for text in rest])[::-1]
    if (
        end
        and end[0].isalnum()
        and any(len(text) > len(end) and text[-len(end) - 1].isalnum() for text in rest)
    ):
        end = re.sub(r"\A\w+", "", end)
    return start, end


def _named(name: str, names: dict[str, int]) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name}_{names[name]}"


def _beginning_and_end(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return ""
    start, end = _common(texts)
    length = sum(map(len, texts)) / len(texts)
    if len(_WORDS.findall(start + " " + end)) < 2 or len(start) + len(end) < LEAST_SHARED * length:
        return ""
    template = escape(start) + "{part}" + escape(end)
    return template if all(find_sections(template, text) is not None for text in texts) else ""
