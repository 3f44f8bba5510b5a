"""One thing, one key; whatever can change a figure changes its key, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.records import GenerationParams, Message, ModelSpec
from core.store.keys import answerer_key, generation_key, listed_as, model_key, prompt_key, sent_key

SPEC = ModelSpec("shown", "org/model", revision="r1", dtype="float32")
GREEDY = GenerationParams(max_new_tokens=20, temperature=0.0)
DRAWN = replace(GREEDY, temperature=0.7)
OTHERS = {"max_new_tokens": 5, "temperature": 0.3, "top_p": 0.5, "seed": 9, "stop": ("\n",)}
ASK, SAY = Message("user", "Why?"), Message("assistant", "Because.")


@pytest.mark.parametrize("part", ["path", "backend", "revision", "dtype", "quantization", "device"])
def test_everything_of_a_model_that_can_change_a_number_counts(part: str) -> None:
    other = {"backend": "keras_hub", "quantization": "nf4", "device": "cuda", "dtype": "bfloat16"}
    assert model_key(replace(SPEC, **{part: other.get(part, "other")})) != model_key(SPEC)


def test_a_models_display_name_does_not_count() -> None:
    assert model_key(replace(SPEC, name="other")) == model_key(SPEC)


def test_the_same_words_as_text_and_as_a_chat_are_two_prompts() -> None:
    assert prompt_key("Why?") != prompt_key([ASK])
    assert prompt_key([ASK]) == prompt_key((Message("user", "Why?"),))
    assert prompt_key([ASK]) != prompt_key([Message("system", "Why?")])
    assert len(prompt_key("")) == 64


def test_the_turns_before_tell_one_chat_from_another() -> None:
    assert sent_key([]) == "chat"
    assert sent_key([ASK, SAY]) != sent_key([SAY, ASK]) != "chat"
    assert sent_key([ASK]) == f"chat {prompt_key([ASK])[:16]}"


@pytest.mark.parametrize(
    ("prompt", "want"),
    [
        ("Why?", (prompt_key("Why?"), "plain")),
        ([], (prompt_key([]), "chat")),
        ([ASK], (prompt_key("Why?"), "chat")),
        ([ASK, SAY], (prompt_key([ASK, SAY]), "chat")),
        ([SAY, ASK], (prompt_key("Why?"), sent_key([SAY]))),
        ([Message("system", "Be brief.")], (prompt_key([Message("system", "Be brief.")]), "chat")),
    ],
    ids=["text", "no turns", "one question", "ends with an answer", "after another turn", "no question"],
)
def test_a_chat_stands_beside_the_example_that_its_last_question_is(
    prompt: str | list[Message], want: tuple[str, str]
) -> None:
    assert listed_as(prompt) == want


def test_who_answers_is_the_model_and_how_it_is_asked() -> None:
    assert answerer_key("m", "plain") == "m"
    assert answerer_key("m", "chat") not in ("m", answerer_key("n", "chat"))


@pytest.mark.parametrize("part", OTHERS)
def test_every_parameter_of_a_drawn_answer_counts(part: str) -> None:
    other = replace(DRAWN, **{part: OTHERS[part]})
    assert generation_key("p", SPEC, other) != generation_key("p", SPEC, DRAWN)


@pytest.mark.parametrize("part", OTHERS)
def test_a_greedy_answer_depends_on_no_chance(part: str) -> None:
    other = replace(GREEDY, **{part: OTHERS[part]})
    same = generation_key("p", SPEC, other) == generation_key("p", SPEC, GREEDY)
    assert same is (part in ("top_p", "seed"))


@pytest.mark.parametrize("start", [GREEDY, DRAWN])
@pytest.mark.parametrize("part", OTHERS)
def test_a_typed_answers_score_depends_on_no_parameter(part: str, start: GenerationParams) -> None:
    other = replace(start, **{part: OTHERS[part]})
    assert generation_key("p", SPEC, other, "Yes.") == generation_key("p", SPEC, start, "Yes.")


def test_a_typed_answer_counts_even_where_it_is_empty() -> None:
    keys = {generation_key("p", SPEC, GREEDY, typed) for typed in (None, "", "Yes.", "No.")}
    assert len(keys) == 4
