"""One thing, one key; whatever can change a figure changes its key, and nothing else does."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from core.records import GenerationParams, Message, ModelSpec
from core.store.keys import (
    answerer_key,
    generation_key,
    listed_as,
    model_key,
    prompt_key,
    question_key,
    sent_key,
)

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


def test_who_answers_a_chat_is_told_from_each_way_of_sending_it() -> None:
    assert len({answerer_key("m", how) for how in ("plain", "chat", "chat 0123456789abcdef")}) == 3


def test_prompt_and_model_of_an_answer_count() -> None:
    keys = {
        generation_key("p", SPEC, GREEDY),
        generation_key("q", SPEC, GREEDY),
        generation_key([ASK], SPEC, GREEDY),
        generation_key("p", replace(SPEC, dtype="bfloat16"), GREEDY),
    }
    assert len(keys) == 4


def test_everything_of_a_question_counts() -> None:
    other = replace(SPEC, quantization="nf4")
    keys = {
        question_key("effect", SPEC, "p", 1),
        question_key("curve", SPEC, "p", 1),
        question_key("effect", other, "p", 1),
        question_key("effect", SPEC, "q", 1),
        question_key("effect", SPEC, "p", 2),
        question_key("effect", SPEC, "p"),
        question_key("effect", SPEC),
    }
    assert len(keys) == 7
    assert question_key("effect", replace(SPEC, name="other"), "p", 1) == question_key("effect", SPEC, "p", 1)


def test_keys_are_those_that_databases_and_bundles_already_hold() -> None:
    """Worked out with nothing but hashlib: SHA-256 of the parts as JSON without spaces."""

    def known(*parts: object) -> str:
        return sha256(json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()

    model = known("model", ["org/model", "hugging_face", "r1", "float32", "none", "cpu"])
    assert model_key(SPEC) == model
    assert prompt_key("Why?") == known("prompt", "Why?")
    assert prompt_key([ASK, SAY]) == known("prompt", [["user", "Why?"], ["assistant", "Because."]])
    assert question_key("effect", SPEC, "p", 1) == known("question", "effect", model, ["p", 1])
    assert answerer_key("m", "chat") == known("answerer", "m", "chat")
    assert generation_key("p", SPEC, GREEDY) == known("generation", "p", model, [20, [], []], None)
    assert generation_key("p", SPEC, DRAWN) == known(
        "generation", "p", model, [20, [], [0.7, DRAWN.top_p, DRAWN.seed]], None
    )
    assert generation_key("p", SPEC, DRAWN, "Yes.") == known("generation", "p", model, [], "Yes.")
