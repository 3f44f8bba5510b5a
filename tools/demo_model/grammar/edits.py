"""Edits that people make to a prompt without meaning to change its answer: blank lines, spaces, lower case.

Acts on drafts, so that spans stay right. Knows no family.
"""

import random
from dataclasses import replace

from tools.demo_model.grammar.records import Draft, Line


def roughen(rng: random.Random, draft: Draft, *, share: float = 0.35) -> Draft:
    """Returns the draft untouched, or, in `share` of the cases, with one or two careless edits."""
    if rng.random() >= share:
        return draft
    for edit in rng.sample(
        (extra_blank_lines, trailing_spaces, fewer_blank_lines, lower_case), rng.choice((1, 1, 2))
    ):
        draft = edit(rng, draft)
    return draft


def extra_blank_lines(rng: random.Random, draft: Draft) -> Draft:
    """Returns the draft with one to three blank lines put before lines other than the last."""
    lines = list(draft.lines)
    for _ in range(rng.choice((1, 1, 2, 3))):
        lines.insert(rng.randrange(len(lines)), Line(""))
    return replace(draft, lines=tuple(lines))


def fewer_blank_lines(rng: random.Random, draft: Draft) -> Draft:
    """Returns the draft with about half of its blank lines left out."""
    return replace(draft, lines=tuple(line for line in draft.lines if line.text or rng.random() < 0.5))


def trailing_spaces(rng: random.Random, draft: Draft) -> Draft:
    """Returns the draft with spaces at the end of some lines, the last one among them half of the time."""

    def spaced(line: Line) -> Line:
        if rng.random() >= 0.15:
            return line
        tail = " " * rng.choice((1, 1, 2))
        mended = None if line.mended is None else line.mended + tail
        marks = line.marks or (((0, len(line.text)),) if line.text else ())
        return replace(line, text=line.text + tail, mended=mended, marks=marks)

    draft = draft.map_lines(spaced)
    if rng.random() < 0.5:
        last = draft.lines[-1]
        if not last.text.endswith(" "):
            draft = replace(draft, lines=(*draft.lines[:-1], replace(last, text=last.text + " ")))
    if draft.lines[-1].text.endswith(" "):
        draft = replace(draft, response=draft.response.lstrip(" "))
        if draft.mended_response is not None:
            draft = replace(draft, mended_response=draft.mended_response.lstrip(" "))
    return draft


def lower_case(rng: random.Random, draft: Draft) -> Draft:
    """Returns the draft with prompt and answer in lower case."""

    def lowered(line: Line) -> Line:
        return replace(
            line, text=line.text.lower(), mended=None if line.mended is None else line.mended.lower()
        )

    return replace(
        draft.map_lines(lowered),
        response=draft.response.lower(),
        target=draft.target.lower(),
        mended_response=None if draft.mended_response is None else draft.mended_response.lower(),
        mended_target=None if draft.mended_target is None else draft.mended_target.lower(),
        checks=tuple((key, value.lower()) for key, value in draft.checks),
    )
