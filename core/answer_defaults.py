"""How long an answer may be, and where it ends, unless somebody says: read from the kind of prompt.

A prompt of examples teaches what its answer looks like, so its own examples bound it, and what parts them ends it. A
chat and code need more room; a model that thinks before it answers needs the most. A proposal, never a rule: whatever
is chosen wins. Knows text and the kind of model, no model; what is left of a model's window bounds every answer too,
where it is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from core.records import GenerationParams, Message
from core.segments import partition

PromptKind = Literal["few-shot", "code", "chat", "thinking chat", "question", "text"]
Asked = str | Sequence[Message]

BLANK = "\n\n"
FENCE = "\n```"
USUAL, ROOMY, THINKING = 128, 256, 1024
"""Tokens: an answer; one in a chat, or code; one with thinking before it."""
LENGTHS = (64, 128, 256)
"""What a prompt of examples proposes, in tokens: few values, so that its versions are mostly asked alike."""
BYTES_A_TOKEN = 2.5
"""An example is counted by its bytes, questions included, which leaves room for scripts of few bytes a token."""
ROWS_READ = 64
"""Of many prompts so many are read."""

_LABEL = re.compile(r"[ \t]*([^\s:][^:\n]{0,40}:)")
_QUESTION = re.compile(
    r"(?:\A|\n)[ \t]*(?:Q|Question|Frage|Pregunta|Question\s?\d+)\s*:|[?？؟]\s*(?:\n[^\n]{0,40}:)?\s*\Z"
)
_CODE_LINE = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+[(:]|(?:export |async )?function\b|#include\b|public \w+|fn \w+\(|SELECT\b|"
    r"(?:const|let|var) \w+ ?=|import \w+|from \w+ import\b|.*[{;]\s*$)"
)


@dataclass(frozen=True, slots=True)
class AnswerDefault:
    """What is proposed, and why in one sentence."""

    kind: PromptKind
    max_new_tokens: int
    stop: tuple[str, ...]
    reason: str

    def params(self) -> GenerationParams:
        """Greedy, with the proposal."""
        return GenerationParams(max_new_tokens=self.max_new_tokens, stop=self.stop)


def opening(prompt: str) -> str:
    """The label that begins each example of `prompt` ("Likes:"); "" where there are none."""
    found = Counter(
        opens[1]
        for start, stop in partition(prompt, "block")
        if (opens := _LABEL.match(prompt[start:stop].lstrip("\r\n")))
    )
    most, count = next(iter(found.most_common(1)), ("", 0))
    return most if count > 1 else ""


def answer_default(asked: Asked, *, thinks: bool = False) -> AnswerDefault:
    """What is proposed for one prompt; `thinks`: the model's template lets it think first, in a chat."""
    if not isinstance(asked, str):
        if thinks:
            return AnswerDefault("thinking chat", THINKING, (), "a chat with a model that may think first")
        return AnswerDefault("chat", ROOMY, (), "a chat, which ends by itself")
    if label := opening(asked):
        return _of_examples(asked, label)
    if asked.count("```") % 2:
        return AnswerDefault("code", ROOMY, (FENCE,), "code, up to the end of its block")
    last = next((line for line in reversed(asked.splitlines()) if line.strip()), "")
    if _CODE_LINE.match(last):
        return AnswerDefault("code", ROOMY, (), "code that goes on")
    if _QUESTION.search(asked):
        return AnswerDefault("question", USUAL, (), "a question")
    return AnswerDefault("text", USUAL, (), "a text that goes on")


def default_of_many(asked: Iterable[Asked], *, thinks: bool = False) -> AnswerDefault:
    """One proposal for many prompts: room for the longest, and the stop texts that all of them have.

    The first `ROWS_READ` are read. Without any: that of a text.
    """
    found = [answer_default(one, thinks=thinks) for one in islice(asked, ROWS_READ)]
    if not found:
        return answer_default("")
    longest = max(found, key=lambda one: one.max_new_tokens)
    if all(one == found[0] for one in found):
        return longest
    shared = tuple(text for text in found[0].stop if all(text in one.stop for one in found))
    kinds = Counter(one.kind for one in found)
    said = "prompts of " + " and ".join(f"{kind} ({count})" for kind, count in kinds.most_common())
    return AnswerDefault(
        longest.kind, longest.max_new_tokens, shared, longest.reason if len(kinds) == 1 else said
    )


def _of_examples(prompt: str, label: str) -> AnswerDefault:
    """The last block is what is asked; the others bound what its answer may need."""
    blocks = [prompt[start:stop] for start, stop in partition(prompt, "block")]
    examples = [block for block in blocks if block.lstrip("\r\n").lstrip(" \t").startswith(label)][:-1]
    longest = max((len(block.strip().encode()) for block in examples), default=0)
    tokens = next((length for length in LENGTHS if longest <= BYTES_A_TOKEN * length), LENGTHS[-1])
    apart = all(BLANK in block[len(block.rstrip()) :].replace("\r", "") for block in examples)
    whole = not any(re.search(r"\n[ \t]*\r?\n", block.strip()) for block in examples)
    stop = BLANK if apart and whole and examples else f"\n{label}"
    ends = "a blank line" if stop == BLANK else f"the next “{label}”"
    return AnswerDefault(
        "few-shot", tokens, (stop,), f"examples that begin with “{label}”; the answer ends at {ends}"
    )
