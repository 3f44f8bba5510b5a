"""A summary of salience a row: the share of each part of the prompt in its influence on the whole answer.

One backward pass a row, for the sum of the answer's losses. Parts are segments of a granularity, or, for a
dataset made from one template, the template's sections, which are the same in every row and can be
averaged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.aggregate import shares
from core.datasets.template_sections import find_sections
from core.errors import AppError
from core.records import Example, Generation, GenerationParams, Role, SendAs, Tokens
from core.runs.drive import Desk, Item, Result, asked
from core.runs.generation_tasks import keep_generations, loaded
from core.segments import segments
from core.store.bundle import prompt_to_json
from core.store.keys import generation_key

if TYPE_CHECKING:
    from core.models.language_model import LanguageModel

Part = tuple[str, tuple[int, int]]
"""A name, and half-open characters of the prompt."""


def parts_of(tokens: Tokens, prompt: str, granularity: str, template: str) -> list[Part]:
    """The named parts of what was sent. Raises: AppError where `prompt` does not fit the template.

    What was said before it in a chat is one part of its own.
    """
    if not template:
        found = segments(tokens, granularity, "prompt")
        return [(s.text.strip(), s.chars) for s in found if s.role is Role.PROMPT]
    sections = find_sections(template, prompt)
    if sections is None:
        raise AppError("This prompt does not fit the template.")
    # Chat templates strip the white space around a turn.
    at = tokens.text.rfind(prompt.strip(), 0, tokens.prompt_chars)
    if at < 0:
        raise AppError("The model's chat template changes this prompt, so its parts cannot be told apart.")
    first = at - (len(prompt) - len(prompt.lstrip()))
    before: list[Part] = [("earlier turns", (0, first))] if _spoken(tokens, first) else []
    return before + [(s.label, (s.chars[0] + first, s.chars[1] + first)) for s in sections]


def _spoken(tokens: Tokens, stop: int) -> bool:
    """Whether a person's words stand before the character `stop`."""
    early = tokens.char_spans[:, 1] <= stop
    return bool((early & ~tokens.special & (tokens.role == Role.PROMPT)).any())


def part_shares(tokens: Tokens, scores: np.ndarray[Any, Any], parts: Sequence[Part]) -> np.ndarray[Any, Any]:
    """Share (S,) of each part in the prompt's total; a token counts where its first letter is."""
    sums = np.zeros(len(parts), np.float32)
    starts = np.array([chars[0] for _name, chars in parts])
    for i in range(tokens.prompt_len):
        if tokens.special[i] or tokens.role[i] == Role.TEMPLATE:
            continue
        start, stop = (int(c) for c in tokens.char_spans[i])
        text = tokens.text[start:stop]
        at = start + (len(text) - len(text.lstrip()) if text.strip() else 0)
        sums[max(int(np.searchsorted(starts, at, side="right")) - 1, 0)] += scores[i]
    return shares(sums)


@dataclass(frozen=True)
class SummariseSalience:
    """Shares of the prompt's parts for the whole answer; rows without an answer are run first."""

    method: str = "grad_l2"
    granularity: str = "line"
    template: str = ""
    params: GenerationParams = field(default_factory=GenerationParams)
    send_as: SendAs = "plain"
    batch: int = 4
    kind: str = "salience"
    label: str = "Summarise the salience"
    needs_model: bool = True

    def bare_items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        """The items without the answers that are known: enough to find a run again."""
        return [
            {
                "id": row.id,
                "prompt": prompt_to_json(row.sent(self.send_as)),
                "key": generation_key(row.sent(self.send_as), desk.spec, self.params),
            }
            for row in rows
        ]

    def items(self, rows: Sequence[Example], desk: Desk) -> list[Item]:
        found = []
        for item in self.bare_items(rows, desk):
            known = desk.store.generation(item["key"])
            found.append(item | {"generation": known})
        return found

    def known(self, items: Sequence[Item], desk: Desk) -> set[str]:
        return set()

    def compute(
        self, items: Sequence[Item], model: LanguageModel | None, stop: threading.Event | None
    ) -> list[Result]:
        return [self._one(item, loaded(model), stop) for item in items]

    def _one(self, item: Item, model: LanguageModel, stop: threading.Event | None) -> Result:
        from core.salience import span

        made: Generation | None = item["generation"]
        if made is None:
            made = model.generate(
                asked(model, item["prompt"], as_text=self.params.as_text), self.params, stop=stop
            )
        tokens = made.tokens
        if len(tokens) == tokens.prompt_len:
            raise AppError("The answer is empty, so there is nothing to explain.")
        sent = item["prompt"]
        text = sent if isinstance(sent, str) else sent[-1]["content"]
        parts = parts_of(tokens, text, self.granularity, self.template)
        scores = span(model, tokens, self.method, (tokens.prompt_len, len(tokens)), stop=stop)
        found = part_shares(tokens, scores, parts)
        named = [[name, float(share)] for (name, _chars), share in zip(parts, found)]
        return {"parts": named, "generation": made}

    def keep(self, results: Mapping[str, Result], items: Mapping[str, Item], desk: Desk) -> dict[str, Any]:
        new = {name: result for name, result in results.items() if items[name]["generation"] is None}
        keep_generations(new, items, desk)
        return {name: {"parts": result["parts"]} for name, result in results.items()}
