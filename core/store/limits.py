"""How much one workspace may hold, and the sentences that say so. Knows no database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.errors import AppError
from core.records import Example
from core.settings import Settings

NO_LIMIT = 2**62
LONGEST_ID = 64


def _nothing() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Quotas:
    """Bounds of one workspace; the defaults bound nothing."""

    examples: int = NO_LIMIT
    prompt_chars: int = NO_LIMIT
    stored_bytes: int = NO_LIMIT
    all_bytes: int = NO_LIMIT
    """Of all workspaces together."""
    all_workspaces: int = NO_LIMIT
    computed_bytes: Callable[[], int] = field(default=_nothing, compare=False)
    """What answers, maps and causes weigh, which belong to no workspace and count against `all_bytes`."""

    @classmethod
    def of(cls, chosen: Settings) -> Quotas:
        """A person's own machine bounds only the length of a prompt; a hosted workspace all three."""
        if chosen.mode == "local":
            return cls(prompt_chars=chosen.max_prompt_chars)
        return cls(
            chosen.max_examples,
            chosen.max_prompt_chars,
            chosen.max_stored_bytes,
            chosen.max_all_bytes,
            chosen.max_workspaces,
        )

    def check(self, examples: Iterable[Example]) -> None:
        """Raises an `AppError` naming the first example that cannot be stored."""
        for example in examples:
            size = len(example.prompt)
            if size > self.prompt_chars:
                raise AppError(
                    f"A prompt has {size:,} characters; this server keeps up to {self.prompt_chars:,}.",
                    hint="Shorten the prompt.",
                    code="too_long",
                )
            for name in (example.id, example.parent_id or ""):
                if len(name) > LONGEST_ID:
                    raise AppError(
                        f"An example's id has {len(name)} characters; at most {LONGEST_ID} are kept."
                    )
            ids = (example.id, example.parent_id or "")
            for text in (*ids, example.prompt, example.target or "", example.source, example.edit):
                check_text(text)

    def too_many(self, held: int, more: int) -> AppError:
        return AppError(
            f"This workspace holds {held:,} examples and may hold {self.examples:,}; "
            f"{more:,} more do not fit.",
            hint="Remove a dataset that is no longer needed, or load fewer rows.",
            code="limit",
        )

    def too_large(self, held: int, more: int) -> AppError:
        return AppError(
            f"This workspace holds {held:,} bytes and may hold {self.stored_bytes:,}; "
            f"{more:,} more do not fit.",
            hint="Remove a dataset that is no longer needed, or load fewer rows.",
            code="limit",
        )


def site_full(held: int, most: int, things: str) -> AppError:
    """All workspaces together are at their bound."""
    return AppError(
        f"This site holds {held:,} {things} and takes at most {most:,}, so nothing new can be kept.",
        hint="Download and remove what you no longer need, or ask its operator for more room.",
        code="limit",
    )


def check_text(text: str) -> None:
    """Raises an `AppError` for text that no database can hold: NUL, or half of a character pair."""
    if "\x00" in text:
        raise AppError("The text holds a NUL character, which cannot be stored.", hint="Remove it.")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise AppError(
            "The text holds half of a character pair (a surrogate), which cannot be stored.",
            hint="Type or paste that character again.",
        )


def fields_json(example: Example) -> str:
    """The example's further fields as the database holds them."""
    return json.dumps(dict(example.fields), default=str)


def text_bytes(example: Example) -> int:
    """What one example weighs against the limit: the UTF-8 bytes of its texts and further fields."""
    fields = fields_json(example) if example.fields else ""
    texts = (example.prompt, example.target or "", example.source, example.edit, fields)
    return sum(len(text.encode()) for text in texts)
