"""Every generator: terminates, is deterministic for a seed, never changes its input, says what it did."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.counterfactuals import GENERATORS, Context, Edit, Generator, generator, make
from core.counterfactuals.few_shot import shots
from core.counterfactuals.generator import ordinal, shown
from core.errors import AppError, Stopped
from core.family import resolve
from core.records import Example

PLAIN = [member for member in GENERATORS if not member.needs]
PROMPT = (
    "Say whether it fits.\n\n"
    "Question: is ice cold?\nAnswer: yes\n\n"
    "Question: is fire cold?\nAnswer: no\n\n"
    "Question 3: is snow cold?\nAnswer: of course\n\n"
    "Question: is steam cold?\nAnswer:"
)
FIELDS = {"template": "Is {thing} {state}?", "thing": "ice", "state": "cold"}

texts = st.text(
    alphabet=st.one_of(st.sampled_from("aA b\n:Qé한{}🙂\r\t"), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)
prompts = st.one_of(texts, st.just(""), st.just("one"), st.just("no no no\nno no"), st.just(PROMPT))


def run(member: Generator, prompt: str, seed: int = 0, limit: int = 8, **choices) -> list[Example]:  # type: ignore[no-untyped-def]
    """Counterfactuals of `prompt`, or none where the generator says in a sentence that there can be none."""
    example = Example("origin", prompt, "target", "source", fields=dict(FIELDS))
    before = copy.deepcopy(example)
    try:
        made = make(member, [example], choices, seed=seed, limit=limit)
    except AppError as error:
        assert str(error).endswith((".", "”"))
        made = None
    assert example == before and example.fields == before.fields
    return list(made.examples) if made else []


@pytest.mark.parametrize("member", PLAIN, ids=lambda m: m.name)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=prompts, seed=st.integers(0, 5))
def test_terminates_deterministic_and_leaves_its_input_alone(
    member: Generator, prompt: str, seed: int
) -> None:
    first = run(member, prompt, seed)
    again = run(member, prompt, seed)
    assert first == again
    assert len(first) <= 8
    assert len({e.prompt for e in first}) == len(first)
    for made in first:
        assert made.prompt != prompt
        assert made.parent_id == "origin" and made.id != "origin" and len(made.id) == 16
        assert made.edit and "\n" not in made.edit
        assert made.fields == FIELDS


@pytest.mark.parametrize("member", GENERATORS, ids=lambda m: m.name)
def test_is_declared_whole(member: Generator) -> None:
    assert member.label and member.description.endswith(".")
    assert resolve(member.label, member.fields, {}) == {field.name: field.default for field in member.fields}
    for field in member.fields:
        assert field.label
        if field.kind == "choice":
            assert field.default in {value for value, _label in field.choices}
    with pytest.raises(AppError, match="no option 'colour'"):
        resolve(member.label, member.fields, {"colour": 1})


def test_no_example_unknown_generator_and_bad_limits() -> None:
    with pytest.raises(AppError, match="no example to change"):
        make(generator("scrambler"), [])
    with pytest.raises(AppError, match="word_replacer"):
        generator("word_changer")
    with pytest.raises(AppError, match="1 to 1,000, but it is 0"):
        make(generator("scrambler"), [Example("a", "b")], limit=0)
    with pytest.raises(AppError, match="1 to 100, but it is 500"):
        make(generator("scrambler"), [Example("a", "b")], {"count": 500})
    with pytest.raises(AppError, match="one of all, each"):
        make(generator("word_replacer"), [Example("a", "b")], {"occurrences": "some"})


def test_a_generator_without_end_stops_at_the_limit_at_the_clock_and_at_stop() -> None:
    def endless(example, _choices, rng, _context):  # type: ignore[no-untyped-def]
        while True:
            yield Edit(f"{example.prompt} {rng.random()}", "a number more")

    member = Generator(name="endless", label="Endless", description="Never ends.", edits=endless)
    rows = [Example("a", "x"), Example("b", "y")]
    made = make(member, rows, limit=5)
    assert [e.parent_id for e in made.examples] == ["a"] * 5 + ["b"] * 5
    assert "more than 5 changes of 2 of 2" in made.note
    late = make(member, rows, limit=1000, seconds=0.0)
    assert len(late.examples) == 1 and "example 1 of 2" in late.note
    import threading

    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        make(member, rows, contexts=Context(stop=stop))


def test_one_example_alone_gives_what_it_gives_among_others() -> None:
    rows = [Example(name, "one two three four five") for name in "abc"]
    together = make(generator("scrambler"), rows, seed=4).examples
    alone = make(generator("scrambler"), rows[1:2], seed=4).examples
    assert [e for e in together if e.parent_id == "b"] == list(alone)


def test_scrambler_keeps_words_lines_and_white_space() -> None:
    text = "a b  c\n\n  d e\tf\n"
    for made in run(generator("scrambler"), text, count=6):
        assert sorted(made.prompt.split()) == sorted(text.split())
        assert [sorted(line.split()) for line in made.prompt.split("\n")] == [
            ["a", "b", "c"],
            [],
            ["d", "e", "f"],
            [],
        ]
        assert [c for c in made.prompt if c.isspace()] == [c for c in text if c.isspace()]
    two = run(generator("scrambler"), "left\nright", keep_lines=False, count=3)
    assert [e.prompt for e in two] == ["right\nleft"]
    assert run(generator("scrambler"), "left\nright", keep_lines=True) == []


def test_leave_one_out_takes_each_line_once() -> None:
    made = run(generator("leave_one_out"), "one\ntwo\n\nthree")
    assert [e.prompt for e in made] == ["two\n\nthree", "one\nthree", "one\ntwo\n\n"]
    assert made[1].edit == "without line 2: “two”"


def test_leave_one_out_by_an_expression_that_never_ends_or_is_broken() -> None:
    rows = [Example("a", "a" * 60 + "b")]
    for pattern, told in (("(a|aa)+$", "had not ended"), ("(", "is broken")):
        with pytest.raises(AppError, match=told):
            make(generator("leave_one_out"), rows, {"granularity": "custom", "pattern": pattern})


def test_few_shot_finds_the_examples_and_not_the_question() -> None:
    found = shots(PROMPT)
    assert [PROMPT[slice(*s.answer)] for s in found] == ["yes", "no", "of course"]
    assert shots("no examples here") == ()
    with pytest.raises(AppError, match="No few-shot examples"):
        make(generator("few_shot"), [Example("a", "Question: one?\nAnswer:")])


def test_few_shot_operations_by_hand() -> None:
    def of(operation: str) -> list[Example]:
        return run(generator("few_shot"), PROMPT, limit=20, operation=operation)

    dropped = of("drop")
    assert [e.edit for e in dropped] == [f"example {i} of 3 dropped" for i in (1, 2, 3)]
    assert dropped[1].prompt == PROMPT.replace("Question: is fire cold?\nAnswer: no\n\n", "")
    doubled = of("duplicate")[0].prompt
    assert doubled.count("Question: is ice cold?\nAnswer: yes\n\n") == 2 and doubled.endswith(
        "steam cold?\nAnswer:"
    )
    assert len(of("reorder")) == 5  # 3! orders but the one there is
    for made in of("reorder"):
        assert sorted(made.prompt.split("\n\n")) == sorted(PROMPT.split("\n\n"))
        assert made.prompt.endswith("Question: is steam cold?\nAnswer:")
    exchanged = of("exchange")
    assert len(exchanged) == 3
    assert exchanged[0].prompt == PROMPT.replace("cold?\nAnswer: yes", "cold?\nAnswer: X", 1).replace(
        "cold?\nAnswer: no", "cold?\nAnswer: yes", 1
    ).replace("Answer: X", "Answer: no")
    assert exchanged[0].edit == "the answers of examples 1 and 2 exchanged"


def test_words_for_edits() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip
    assert shown("a\n b") == "“a b”"
    assert len(shown("x" * 500)) < 60


def test_template_sweep_by_hand() -> None:
    made = run(generator("template_sweep"), "Is ice cold?", values="fire\n\n ice \nsnow", variable="{thing}")
    assert [e.prompt for e in made] == ["Is fire cold?", "Is snow cold?"]
    assert made[0].edit == "{thing} = “fire”"
    assert made[0].fields == FIELDS
    bare = make(generator("template_sweep"), [Example("a", "Say {word} twice")], {"values": "hi"})
    assert bare.examples[0].prompt == "Say hi twice"


@pytest.mark.parametrize(
    ("example", "choices", "told"),
    [
        (Example("a", "no variable"), {"values": "x"}, "comes from no template"),
        (Example("a", "{b} and {c}"), {"values": "x", "variable": "d"}, "it has b, c"),
        (Example("a", "{b}"), {}, "Which values should"),
    ],
)
def test_template_sweep_says_what_is_missing(example: Example, choices: dict[str, str], told: str) -> None:
    with pytest.raises(AppError, match=told):
        make(generator("template_sweep"), [example], choices)


@pytest.mark.parametrize("prompt", ["one\n\ntwo\nthree", "\n\none\r\n\r\ntwo", "one", "a\u2028b\n\n\nc"])
def test_a_line_is_called_as_in_the_margin_of_the_prompt(prompt: str) -> None:
    from core.counterfactuals.leave_one_out import line_of
    from core.records import Role, Segment
    from core.segments import partition
    from core.token_view.names import part_names

    spans = partition(prompt, "line")
    parts = [Segment(i, prompt[a:b], (a, b), (i, i + 1), Role.PROMPT) for i, (a, b) in enumerate(spans)]
    assert [f"line {line_of(prompt, a)}" for a, _ in spans] == part_names(parts, "line")
