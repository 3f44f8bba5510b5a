"""What a prompt proposes for its answer, by kind, and what many prompts propose together."""

from __future__ import annotations

import pytest

from core.answer_defaults import BLANK, FENCE, answer_default, default_of_many, opening
from core.records import GenerationParams, Message

EXAMPLE = "Likes: cheese\nDish: Soup\nAnswer: Yes."
FEW_SHOT = f"Judge.\n\n{EXAMPLE}\n\nLikes: eggs\nDish: Omelette\nAnswer:"


@pytest.mark.parametrize(
    ("prompt", "kind", "tokens", "stop"),
    [
        (FEW_SHOT, "few-shot", 64, (BLANK,)),
        (FEW_SHOT.replace("Yes.", "Yes. " * 60), "few-shot", 256, (BLANK,)),
        (FEW_SHOT.replace("Yes.", "Yes. " * 40), "few-shot", 128, (BLANK,)),
        # A blank line within an example's answer ends nothing: the next label does.
        (FEW_SHOT.replace("Answer: Yes.", "Answer: Yes.\n\nSure."), "few-shot", 64, ("\nLikes:",)),
        (FEW_SHOT.replace("\n", "\r\n"), "few-shot", 64, (BLANK,)),
        ("שאלה: מה?\nתשובה: כן.\n\nשאלה: למה?\nתשובה:", "few-shot", 64, (BLANK,)),
        ("문장: 좋아요\n답: 긍정\n\n문장: 싫어요\n답:", "few-shot", 64, (BLANK,)),
        ("Write it.\n```python\ndef f(x):", "code", 256, (FENCE,)),
        ("def mean(values):\n    ", "code", 256, ()),
        ("What is the capital of France?", "question", 128, ()),
        ("¿Cuál es la capital?\nRespuesta:", "question", 128, ()),
        ("Q: 2 + 2\nA:", "question", 128, ()),
        ("Once upon a time", "text", 128, ()),
        ("", "text", 128, ()),
    ],
)
def test_by_kind(prompt: str, kind: str, tokens: int, stop: tuple[str, ...]) -> None:
    found = answer_default(prompt)
    assert (found.kind, found.max_new_tokens, found.stop) == (kind, tokens, stop)
    assert found.reason and found.params() == GenerationParams(max_new_tokens=tokens, stop=stop)


def test_chats_are_roomy_and_thinking_is_the_roomiest() -> None:
    asked = (Message("user", FEW_SHOT),)
    assert (answer_default(asked).kind, answer_default(asked).max_new_tokens) == ("chat", 256)
    assert answer_default(asked, thinks=True).max_new_tokens == 1024
    assert answer_default("Why?", thinks=True).max_new_tokens == 128  # plain text is not thought about


def test_many_prompts_get_the_longest_and_the_stops_of_all() -> None:
    same = default_of_many([FEW_SHOT, FEW_SHOT])
    assert same == answer_default(FEW_SHOT)
    mixed = default_of_many([FEW_SHOT, "Why?"])
    assert (mixed.max_new_tokens, mixed.stop) == (128, ())
    assert "few-shot (1)" in mixed.reason and "question (1)" in mixed.reason
    assert default_of_many([]) == answer_default("")


def test_the_label_that_opens_examples() -> None:
    assert opening(FEW_SHOT) == "Likes:"
    assert opening(EXAMPLE) == "" and opening("") == ""
