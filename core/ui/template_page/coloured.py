"""The template's own text, coloured by how much more of the answers it carries than its length would.

A section's ratio is its mean share of the influence over its mean share of the prompts' characters: 1 is what it would
have if every character counted alike. Colour begins above 1 and is full at `FULL`. Texts are escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from core.datasets.template_sections import find_sections
from core.figures import palette
from core.figures.palette import Theme
from core.figures.style import percent

FULL = 4.0


@dataclass(frozen=True, slots=True)
class ColouredSection:
    """A section: its label, whether it is a variable, and its mean shares of the influence and of the length."""

    text: str
    variable: bool
    share: float
    length: float
    ends_line: bool = True

    @property
    def ratio(self) -> float:
        """How many times its length's share it carries; 0 where it has no length."""
        return self.share / self.length if self.length > 0 else 0.0


def coloured_sections(
    template: str, prompts: Sequence[str], shares: Sequence[float]
) -> tuple[ColouredSection, ...]:
    """The template's sections with `shares`, the mean of each over `prompts`, all of which fit."""
    rows = [found for prompt in prompts if (found := find_sections(template, prompt)) is not None]
    lengths = np.mean(
        [
            [(b - a) / max(len(prompt), 1) for a, b in (s.chars for s in row)]
            for prompt, row in zip(prompts, rows)
        ],
        axis=0,
    )
    return tuple(
        ColouredSection(
            section.label,
            section.variable,
            float(share),
            float(length),
            prompts[0][slice(*section.chars)].endswith("\n"),
        )
        for section, share, length in zip(rows[0], shares, lengths)
    )


def template_html(sections: Sequence[ColouredSection], theme: Theme) -> str:
    """A passage: each section on its colour, its figures on hover; variables stand framed."""
    parts = []
    for section in sections:
        end = "\n" if section.ends_line else " "
        strength = min(max(math.log(section.ratio) / math.log(FULL), 0.0), 1.0) if section.ratio > 0 else 0.0
        ground = palette.colour(strength, 1.0, theme)
        said = f"{percent(section.share)} of the influence, {percent(section.length)} of the length"
        frame = f"border:1px solid {palette.MUTED[theme]};border-radius:.25rem;" if section.variable else ""
        parts.append(
            f'<span title="{escape(said, quote=True)}" data-ratio="{section.ratio:.2f}" style="{frame}'
            f'background:{ground};color:{palette.TEXT[theme]};padding:.05rem .25rem">{escape(section.text)}</span>{end}'
        )
    style = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.9"
    return f'<div role="region" aria-label="The template in colour" dir="auto" style="{style}">{"".join(parts)}</div>'
