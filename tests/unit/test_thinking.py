"""What a model thought, apart from its answer, to the character."""

import numpy as np
import pytest

from core.records import Role, Tokens
from core.segments import segments
from core.thinking import answer_of, answer_starts, split
from core.ui.asking.stop_texts import tail


@pytest.mark.parametrize(
    ("response", "thinking", "answer"),
    [
        ("It is 4.", "", "It is 4."),
        ("<think>2 + 2</think>It is 4.", "2 + 2", "It is 4."),
        ("<think>\n2 + 2\n</think>\n\nIt is 4.", "2 + 2", "It is 4."),
        ("2 + 2\n</think>\n\nIt is 4.", "2 + 2", "It is 4."),  # the template had opened it
        ("<think>2 + 2 is", "2 + 2 is", ""),
        ("<think>2 + 2</think>\n", "2 + 2", ""),
        ("[THINK]2 + 2[/THINK]It is 4.", "2 + 2", "It is 4."),
        ("<think>a</think>\n<think>b</think>\nIt is 4.", "a\n\nb", "It is 4."),
        ("Write <think> before </think> it.", "", "Write <think> before </think> it."),
    ],
)
def test_thinking_and_answer_are_two(response: str, thinking: str, answer: str) -> None:
    found = split(response)
    assert (found.thinking, found.answer) == (thinking, answer)
    assert response[found.starts :] == answer == answer_of(response) == response[answer_starts(response) :]


@pytest.mark.parametrize("granularity", ["word", "sentence", "line", "paragraph", "block", "document"])
def test_no_part_of_a_response_holds_thinking_and_answer(granularity: str) -> None:
    prompt, response = "Q: 2 + 2\nA:", "<think>two and two </think>four\nin all"
    text = prompt + response
    places = np.arange(len(text))
    tokens = Tokens(
        ids=places,
        text=text,
        char_spans=np.stack([places, places + 1], 1),
        special=np.zeros(len(text), bool),
        role=np.where(places < len(prompt), Role.PROMPT, Role.RESPONSE).astype(np.int8),
        prompt_len=len(prompt),
    )
    found = segments(tokens, granularity, "response")
    begins = len(prompt) + response.index("four")
    assert "".join(s.text for s in found) == response
    assert begins in [s.chars[0] for s in found]
    assert begins in [s.tokens[0] for s in found]


def test_the_next_example_is_not_looked_for_in_what_was_thought() -> None:
    prompt = "Q: a\nA: b\n\nQ: c\nA: d\n\nQ: e\nA:"
    thought = "<think>Like\nQ: c\nA: d</think>"
    assert tail(thought + " f", prompt) is None
    both = thought + " f\nQ: g"
    assert both[: tail(both, prompt)] == thought + " f"
