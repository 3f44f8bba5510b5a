"""The grammar's promises: right answers, true causes, spans that hold, splits that never meet."""

import random
import re
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.demo_model.curriculum import DRILLS, STAGES, drawn_at
from tools.demo_model.grammar import (
    FAMILIES,
    GrammarPrompt,
    arithmetic,
    draw,
    headlines,
    menu,
    roughen,
    words,
)
from tools.demo_model.grammar.arithmetic import Problem, make_problem, spell
from tools.demo_model.grammar.ideas import obeys
from tools.demo_model.grammar.menu import draft_menu
from tools.demo_model.grammar.menu_cases import Case
from tools.demo_model.grammar.planted import TASKS, PlantedTask

seeds = st.integers(0, 2**32)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(seed=seeds, split=st.sampled_from(("train", "held_out")))
def test_every_edited_prompt_is_whole(family: str, seed: int, split: str) -> None:
    rng = random.Random(seed)
    record = roughen(rng, draw(rng, family, split=split), share=1.0).join()
    assert record.family == family
    assert record.response[slice(*record.target_span)] == record.target
    assert record.response.startswith(" ") != record.prompt.endswith(" ")
    if record.mend is not None:
        assert record.mend.prompt != record.prompt
        assert record.mend.target in record.mend.response


@settings(max_examples=80, deadline=None)
@given(seed=seeds)
def test_a_menus_cause_states_its_recommendation_and_the_mend_states_another(seed: int) -> None:
    record = draft_menu(random.Random(seed), task="menu_contradiction").join()
    assert len(record.causes) == 1
    start, end = record.causes[0]
    assert record.prompt[start:end].endswith(f": {record.target}")
    assert record.mend is not None
    assert (
        record.mend.prompt
        == record.prompt[:start]
        + record.prompt[start:end].replace(f": {record.target}", f": {record.mend.target}")
        + record.prompt[end:]
    )
    assert record.mend.target != record.target


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_a_principle_outranks_the_examples_and_its_removal_gives_them_back(seed: int) -> None:
    record = draft_menu(random.Random(seed), task="menu_principle", examples=3).join()
    rule = record.prompt[slice(*record.causes[0])]
    assert rule.startswith("* ")
    assert record.mend is not None
    assert rule not in record.mend.prompt
    assert record.response.endswith(f": {record.target}")


@settings(max_examples=40, deadline=None)
@given(seed=seeds, segments=st.sampled_from((5, 10, 50)), copies=st.sampled_from((0, 1, 2)))
def test_a_fact_stands_as_often_as_its_task_says(seed: int, segments: int, copies: int) -> None:
    task = ("fact_absent", "fact", "fact_twice")[copies]
    record = draw(random.Random(seed), "facts", task=task, segments=segments).join()
    stated = [line for line in record.prompt.split("\n") if re.search(r"The \w+ of \w+ is ", line)]
    sentence = record.response.strip()
    assert len(stated) == segments
    assert sum(sentence in line for line in stated) == copies == len(record.causes)
    about = sentence.split(" is ")[0]
    assert sum(about + " is " in line for line in stated) == copies


def test_a_case_reads_names_categories_and_diets() -> None:
    def case(avoided: str, *items: str) -> Case:
        return Case("", (avoided,), "", items)

    assert not case("onions", "rice", "onions").suits
    assert case("onions", "rice", "leeks").suits
    assert not case("dairy", "rice", "butter").suits
    assert not case("vegan", "eggs", "rice").suits
    assert case("vegetarian", "eggs", "butter").suits
    assert not case("vegetarian", "tuna", "rice").suits
    assert case("dairy", "rice", "butter").analysis() == (
        "The guest avoids dairy. The dish has rice (plant, fine), butter (dairy, not fine). "
        "So it does not suit the guest."
    )


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ((34, "+", 27), "34 + 27: 34 + 20 = 54, 54 + 7 = 61."),
        ((61, "-", 15), "61 - 15: 61 - 10 = 51, 51 - 5 = 46."),
        ((61, "-", 20), "61 - 20 = 41."),
        ((8, "*", 7), "8 * 7 = 56."),
        ((8, "+", 7), "8 + 7 = 15."),
    ],
)
def test_a_step_is_spelt_through_the_tens(step: tuple[int, str, int], text: str) -> None:
    assert spell(*step) == text


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_every_equation_of_an_answer_is_true(seed: int) -> None:
    record = draw(random.Random(seed), "arithmetic").join()
    operate = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
    equations = re.findall(r"(\d+) ([-+*]) (\d+) = (\d+)", record.response)
    assert len(equations) >= 2
    for left, operator, right, result in equations:
        assert operate[operator](int(left), int(right)) == int(result)
        assert 0 <= int(result) < 100
    assert record.response.endswith(f"The answer is {equations[-1][3]}.")


def test_arithmetic_knows_its_results() -> None:
    assert Problem(34, (("+", 27), ("-", 15))).results() == (61, 46)


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_the_expected_idea_obeys_and_an_empty_one_does_not(seed: int) -> None:
    record = draw(random.Random(seed), "ideas").join()
    assert obeys(record.response, record.checks)
    assert not record.checks or not obeys("Nothing.", record.checks)


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_a_headline_names_what_its_cause_says(seed: int) -> None:
    record = draw(random.Random(seed), "headlines").join()
    checks = dict(record.checks)
    assert f"The {checks['subject']} " in record.prompt[slice(*record.causes[0])]
    assert record.mend is not None
    assert checks["event"] not in record.mend.response


def test_splits_are_apart_and_steady() -> None:
    rng = random.Random(4)
    held = [make_problem(rng, split="held_out") for _ in range(50)]
    assert {problem.split() for problem in held} == {"held_out"}
    assert words.split_of("a", 1) == words.split_of("a", 1)
    share = sum(words.split_of("x", i) == "held_out" for i in range(4000)) / 4000
    assert 0.10 < share < 0.15


@pytest.mark.parametrize(
    ("module", "maker", "family"),
    [
        (menu, "make_case", "menu"),
        (arithmetic, "make_problem", "arithmetic"),
        (headlines, "_article", "headlines"),
    ],
)
def test_training_holds_no_held_out_combination_even_in_its_examples(
    module: ModuleType, maker: str, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = getattr(module, maker)
    asked: list[str | None] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        asked.append(options.get("split", arguments[-1] if len(arguments) > 1 else None))
        return made(*arguments, **options)

    monkeypatch.setattr(module, maker, watched)
    rng = random.Random(3)
    for _ in range(40):
        draw(rng, family, split="train")
    assert len(asked) > 40
    assert set(asked) == {"train"}


def test_unseen_phrases_hold_no_word_of_training() -> None:
    rng = random.Random(6)
    trained = {w.strip(".!").lower() for _ in range(500) for w in words.random_phrase(rng).split()}
    unseen = {
        w.strip(".!").lower() for _ in range(500) for w in words.random_phrase(rng, held_out=True).split()
    }
    assert not trained & unseen


def test_the_same_seed_draws_the_same_prompts() -> None:
    def drawn(seed: int) -> list[GrammarPrompt]:
        rng = random.Random(seed)
        return [drawn_at(rng, done / 20).join() for done in range(20)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_every_stage_draws_every_family() -> None:
    assert all(set(FAMILIES) <= set(weights) for _, weights in STAGES)
    assert {name for _, weights in STAGES for name in weights} == {*FAMILIES, *DRILLS}


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_learns_true_answers(name: str) -> None:
    rng = random.Random(8)
    for _ in range(30):
        record = DRILLS[name](rng).join()
        assert len(record.learnable) >= 2
        for start, end in record.learnable:
            told = record.prompt[start:end].strip()
            if name != "sums drill":
                assert told.rstrip(".") in record.prompt[:start] or told.endswith("not stated.")
            for left, sign, right, result in re.findall(r"(\d+) ([-+*]) (\d+) = (\d+)", told):
                operate = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
                assert operate[sign](int(left), int(right)) == int(result)


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(KeyError, match="no family 'poems'"):
        draw(random.Random(0), "poems")


def test_a_target_outside_the_response_is_refused() -> None:
    with pytest.raises(ValueError, match="is not in the response"):
        GrammarPrompt("menu", "menu", "prompt", " answer", "other")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.key)
def test_a_planted_task_has_its_causes_and_a_mend(task: PlantedTask) -> None:
    rng = random.Random(9)
    for _ in range(15):
        record = task.draw(rng)
        assert len(record.lines_of(record.causes)) == task.causes
        assert (record.mend is not None) == (task.causes > 0)
        if record.mend is not None:
            lines, mended = record.prompt.split("\n"), record.mend.prompt.split("\n")
            for start, end in record.causes:
                line = record.prompt[start:end]
                assert mended.count(line) < lines.count(line)


def test_examples_that_break_a_rule_are_not_learnt() -> None:
    """Where a rule decides a verdict, what examples of that verdict recommend is no lesson."""
    rng = random.Random(5)
    learnt = 0
    for _ in range(400):
        record = draw(rng, "menu", split="train", task="menu_principle", examples=6).join()
        label = dict(record.checks)["label"]
        for start, end in record.learnable:
            begun = record.prompt.rfind("\n", 0, start) + 1
            if not record.prompt[begun:end].startswith(f"{label}: "):
                continue
            learnt += 1
            analysis = record.prompt[:begun].splitlines()[-1]
            assert ("not suit" in analysis) != ("not suit" in record.response.splitlines()[0])
    assert learnt > 50
