"""What people call the columns of a dataset. Names are compared by `plain_name`; the first that is there wins."""

from __future__ import annotations

import regex

CHATS = ("messages", "conversations", "conversation", "contents", "chat", "dialog", "dialogue")
PROMPTS = (
    *("prompt", "question", "query", "instruction", "instructions", "input", "inputs", "text", "user_input"),
    *(
        "problem",
        "article",
        "document",
        "sentence",
        "user",
        "user_prompt",
        "user_message",
        "request",
        "goal",
        "input_text",
        "turns",
    ),
)
TARGETS = (
    *(
        "target",
        "targets",
        "expected",
        "ideal",
        "expected_output",
        "expected_answer",
        "correct_answer",
        "best_answer",
        "gold",
        "gold_answer",
        "golden_answer",
        "reference_answer",
        "ground_truth",
        "ground_truths",
    ),
    # What may be a model's own answer comes after what can only be the one hoped for.
    *("answer", "answers", "reference", "references", "output", "outputs", "completion", "response"),
    *("output_text", "solution", "summary", "highlights", "chosen", "answer_key", "answerkey", "label"),
)
SOURCES = ("source", "category", "task", "subject", "topic", "dataset", "domain")
CALLED = ("called", "name", "title", "act", "question_id", "example_id", "id", "qid", "task_id", "key", "idx")
SYSTEMS = ("system", "system_prompt", "system_message")
CONTEXTS = ("context", "passage", "paragraph", "article", "document", "story", "ctx")
CHOICES = ("choices", "options", "endings")
NEXT = {"instruction": ("input", "context", "inputs"), "instructions": ("input", "context", "inputs")}
"""What belongs behind an instruction, so that the model is not asked without it."""


def plain_name(name: str) -> str:
    """`Expected Answer`, `expected-answer` and `expectedAnswer` as `expected_answer`."""
    return regex.sub(r"[\s-]+|(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name.strip()).casefold()
