"""Where the sections of a template stand in a prompt that was made from it, without knowing the values.

A section is one variable, or one line of the text between variables; every prompt of the template has the
same ones in the same order, so figures of rows can be averaged. Found by plain searches from left to right:
a variable ends where the text after it first comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.datasets.templates import parts


@dataclass(frozen=True, slots=True)
class Section:
    """A variable (`{name}` is its label) or a line of the template's own text; half-open characters."""

    label: str
    variable: bool
    chars: tuple[int, int]


def find_sections(template: str, prompt: str) -> tuple[Section, ...] | None:
    """An exact partition of `prompt`, or None where it does not fit the template."""
    at = 0
    found: list[Section] = []
    open_variable: str | None = None
    pieces = parts(template)
    for number, (text, variable) in enumerate(pieces):
        if variable:
            if open_variable is not None:  # two variables side by side: the first takes nothing
                found.append(Section(f"{{{open_variable}}}", True, (at, at)))
            open_variable = text
            continue
        last = number == len(pieces) - 1
        if open_variable is None:
            start = at if prompt.startswith(text, at) else -1
        elif last:
            start = len(prompt) - len(text) if prompt.endswith(text) else -1
        else:
            start = prompt.find(text, at)
        if start < at:
            return None
        if open_variable is not None:
            found.append(Section(f"{{{open_variable}}}", True, (at, start)))
            open_variable = None
        at = start + len(text)
        if found and not text.strip():  # white space alone is no section: it belongs to the one before
            found[-1] = replace(found[-1], chars=(found[-1].chars[0], at))
        else:
            found += _lines(text, start)
    if open_variable is not None:
        found.append(Section(f"{{{open_variable}}}", True, (at, len(prompt))))
        at = len(prompt)
    return tuple(found) if at == len(prompt) else None


def _lines(text: str, start: int) -> list[Section]:
    """The lines of a text; a blank one belongs to the line before, or to the next where there is none."""
    out: list[Section] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        end = begin + len(line)
        if line.strip() or not out:
            out.append(Section(line.strip(), False, (start + begin, start + end)))
        else:
            out[-1] = replace(out[-1], chars=(out[-1].chars[0], start + end))
        begin = end
    if len(out) > 1 and not out[0].label:
        out[:2] = [Section(out[1].label, False, (out[0].chars[0], out[1].chars[1]))]
    return out
