"""The answer's text by surprise: whole pieces, their probabilities, and nothing of a model's text as markup."""

from __future__ import annotations

import re

import numpy as np

from core.figures import palette
from core.records import Generation, GenerationParams, ModelSpec, Role, Tokens
from core.ui.salience_page.surprise import pieces, surprise_html


def generation(text: str, spans: list[tuple[int, int]], chances: list[float]) -> Generation:
    """A prompt of one character, then `text` in tokens at `spans` of it."""
    size = len(spans) + 1
    tokens = Tokens(
        ids=np.arange(size),
        text=f"?{text}",
        char_spans=np.array([(0, 1), *((a + 1, b + 1) for a, b in spans)]),
        special=np.zeros(size, bool),
        role=np.array([Role.PROMPT, *[Role.RESPONSE] * len(spans)]),
        prompt_len=1,
    )
    spec = ModelSpec("m", "m")
    logprobs = np.log(np.array(chances, np.float32))
    return Generation("e", spec, GenerationParams(), tokens, text, logprobs, "eos", 0.1)


def test_tokens_that_share_a_character_are_one_piece_and_the_end_shows_nothing() -> None:
    found = pieces(generation(" a🙂", [(0, 2), (2, 3), (2, 3), (3, 3)], [0.5, 0.5, 0.25, 0.9]))
    assert [(one.text, round(one.probability, 6), one.places) for one in found] == [
        ("a", 0.5, (0,)),
        ("🙂", 0.125, (1, 2)),
    ]


def test_sure_words_have_no_colour_and_surprising_ones_the_darkest() -> None:
    html = surprise_html(generation("ab", [(0, 1), (1, 2)], [1.0, 1e-9]), [], (), "light")
    grounds = re.findall(r"background:(#\w+)", html)
    assert grounds == [palette.ramp("light", False)[0], palette.ramp("light", False)[-1]]


def test_what_else_was_weighed_and_ties_are_told_at_their_place() -> None:
    html = surprise_html(
        generation("ab", [(0, 1), (1, 2)], [0.172, 1.0]), [[("no", 0.172), ("yes", 0.171)], []], (0,), "dark"
    )
    first, second = re.findall(r'<span title="([^"]*)"', html)
    assert first.split("\n") == ["0.172 likely", "two words tied here", "no 0.172", "yes 0.171"]
    assert second == "1.000 likely"
    assert html.count("underline dashed") == 1


def test_nothing_that_a_model_wrote_is_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    html = surprise_html(generation(evil, [(0, len(evil))], [0.5]), [[('"><script>', 0.5)]], (), "light")
    assert "<img" not in html and "<script" not in html
    assert "&lt;img" in html and "&lt;script&gt;" in html
