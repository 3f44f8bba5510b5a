"""Files as people have them: what is proposed for each, and the prompts and targets that come of it."""

from __future__ import annotations

import gzip
import io
import json
import struct
from typing import Any

import openpyxl
import pytest

from core.datasets import Bounds, load_bytes, not_sent, open_bytes, propose, to_examples
from core.datasets.xlsx_file import read_xlsx
from core.errors import AppError
from core.records import Message

BOUNDS = Bounds()


def lines(*rows: Any) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Notes")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PROMPTFOO = b"""
prompts:
  - "Translate to {{language}}: {{body}}"
tests:
  - vars: {language: French, body: Hello}
    assert: [{type: icontains, value: bonjour}, {type: cost, threshold: 1}]
"""
FLOW = {
    "flow": {
        "nodes": [
            {
                "type": "table",
                "data": {
                    "columns": [{"header": "Question", "key": "q"}, {"header": "Expected", "key": "a"}],
                    "rows": [{"__uid": "1", "q": "3+4?", "a": "7"}],
                },
            },
            {"type": "prompt", "data": {"prompt": "Only a number.\n\n{question}"}},
        ]
    }
}
SQUAD = {
    "title": "Rain",
    "paragraphs": [
        {
            "context": "Rain fell.",
            "qas": [{"id": "q1", "question": "What?", "answers": [{"text": "Rain"}, {"text": "rain"}]}],
        }
    ],
}

CASES: list[tuple[str, bytes, list[tuple[str, tuple[str, ...]]]]] = [
    ("a.jsonl", lines({"prompt": "Q?", "completion": "A"}), [("Q?", ("A",))]),
    ("a.csv", b"prompt,answer\nQ?,A\n", [("Q?", ("A",))]),
    ("a.csv", b"prompt,expected\nQ?,A\n", [("Q?", ("A",))]),
    ("a.csv", b"question,__expected\nQ?,A\n", [("Q?", ("A",))]),
    ("a.csv", b'prompt,__expected\nQ?,icontains:bonjour\nR?,llm-rubric: polite\nS?,time: 9:30\n',
     [("Q?", ("bonjour",)), ("R?", ()), ("S?", ("time: 9:30",))]),
    (
        "alpaca.json",
        json.dumps(
            [
                {"instruction": "Translate to German", "input": "Good morning", "output": "Guten Morgen"},
                {"instruction": "Say hi", "input": "", "output": "hi"},
            ]
        ).encode(),
        [("Translate to German\n\nGood morning", ("Guten Morgen",)), ("Say hi", ("hi",))],
    ),
    (
        "dolly.jsonl",
        lines({"instruction": "Sum up", "context": "Text", "response": "R", "category": "qa"}),
        [("Sum up\n\nText", ("R",))],
    ),
    ("evals.jsonl", lines({"input": "2+2?", "ideal": ["4", "four"]}), [("2+2?", ("4", "four"))]),
    ("two.jsonl", lines({"prompt": "Q?", "target": ["red", "blue", "red"]}), [("Q?", ("red", "blue"))]),
    (
        "squad.jsonl",
        lines({"context": "C", "question": "Who?", "answers": {"text": ["a", "b"], "answer_start": [1, 2]}}),
        [("C\n\nWho?", ("a", "b"))],
    ),
    ("squad.json", json.dumps({"version": "2", "data": [SQUAD]}).encode(), [("Rain fell.\n\nWhat?", ("Rain", "rain"))]),
    (
        "none.jsonl",
        b'{"prompt": "a", "target": NaN}\n{"prompt": "b", "target": null}\n{"prompt": "c", "target": "#N/A"}\n'
        b'{"prompt": "d", "target": "null"}',
        [("a", ()), ("b", ()), ("c", ()), ("d", ("null",))],
    ),
    ("none.csv", b"prompt,target\na,NaN\nb,null\nc,#N/A\nd,None\n",
     [("a", ()), ("b", ()), ("c", ()), ("d", ("None",))]),
    ("mt_bench.jsonl", lines({"turns": ["One?", "Two?"], "reference": ["1", "2"]}), [("One?", ("1",))]),
    (
        "self_instruct.jsonl",
        lines({"instruction": "Relate.", "instances": [{"input": "day : night", "output": "opposites"}]}),
        [("Relate.\n\nday : night", ("opposites",))],
    ),
    ("bench.json", json.dumps({"canary": "x", "examples": [{"input": "Sort", "target": "a b"}]}).encode(),
     [("Sort", ("a b",))]),
    (
        "scores.json",
        json.dumps({"examples": [{"input": "Which?", "target_scores": {"x": 0, "y": 1, "z": 1}}]}).encode(),
        [("Which?", ("y", "z"))],
    ),
    (
        "lit.jsonl",
        lines({"data": {"prompt": "P", "target": "T", "_id": "9"}, "id": "9", "meta": {"added": None}}),
        [("P", ("T",))],
    ),
    ("mmlu.jsonl", lines({"question": "Q?", "choices": ["w", "x"], "answer": 1}), [("Q?\nw\nx", ("x",))]),
    ("mmlu.csv", b"question,A,B,answer\nQ?,w,x,B\n", [("Q?\nA. w\nB. x\nAnswer:", ("B",))]),
    ("acts.csv", b'act,prompt,for_devs\n"Linux","Act as a shell",TRUE\n', [("Act as a shell", ())]),
    ("prompts.csv", b'prompt,label\n"Tell me {{topic}}","Basic"\n', [("Tell me {{topic}}", ())]),
    ("tests.yaml", PROMPTFOO, [("Translate to French: Hello", ("bonjour",))]),
    ("list.yml", b"- prompt: a\n  target: yes!\n", [("a", ("yes!",))]),
    ("flow.cforge", json.dumps(FLOW).encode(), [("Only a number.\n\n3+4?", ("7",))]),
    ("list.jsonl", json.dumps([{"question": "a", "answer": "1"}], indent=1).encode(), [("a", ("1",))]),
    ("one.jsonl", json.dumps({"question": "a", "answer": "1"}, indent=1).encode(), [("a", ("1",))]),
    ("data.json", json.dumps({"data": [{"question": "a", "answer": 1}]}).encode(), [("a", ("1",))]),
    ("columns.json", json.dumps({"prompt": ["a", "b"], "target": ["1", "2"]}).encode(), [("a", ("1",)), ("b", ("2",))]),
    ("pandas.json", json.dumps({"prompt": {"0": "a"}, "target": {"0": "1"}}).encode(), [("a", ("1",))]),
    ("split.json", json.dumps({"columns": ["prompt", "target"], "data": [["a", "1"]]}).encode(), [("a", ("1",))]),
    ("lists.json", json.dumps([["prompt", "target"], ["a", "1"]]).encode(), [("a", ("1",))]),
    ("viewer.json", json.dumps({"rows": [{"row_idx": 0, "row": {"prompt": "a"}}]}).encode(), [("a", ())]),
    ("texts.json", b'["a", "b"]', [("a", ()), ("b", ())]),
    ("zipped.jsonl.gz", gzip.compress(lines({"prompt": "a", "target": "1"})), [("a", ("1",))]),
    ("excel.csv", b"prompt,target,,\na,1,,\nb,2,,\n", [("a", ("1",)), ("b", ("2",))]),
    ("index.csv", b",prompt,target\n0,a,1\n", [("a", ("1",))]),
    ("sep.csv", b"sep=;\r\nprompt;target\r\na,b;1\r\n", [("a,b", ("1",))]),
    ("title.csv", b"Report of May\nprompt,target,x\na,1,\nb,2,\nc,3,\n", [("a", ("1",)), ("b", ("2",)), ("c", ("3",))]),
    ("titled.csv", b"Report of May,,\n,,\nprompt,target,x\na,1,\nb,2,\n", [("a", ("1",)), ("b", ("2",))]),
    ("blank.csv", b'prompt,target\n"a, b" ,1\n"say ""x"" , y", "2" \nc,3\n',
     [("a, b", ("1",)), ('say "x" , y', (' "2" ',)), ("c", ("3",))]),
    ("book.xlsx", sheet(("Report", None), ("Question", "Answer"), ("a", 1), (None, None), ("b", None)),
     [("a", ("1",)), ("b", ())]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "wanted"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)]
)
def test_a_shape_is_read_as_it_is(name: str, data: bytes, wanted: list[tuple[str, tuple[str, ...]]]) -> None:
    loaded = load_bytes(data, name, BOUNDS)
    assert [(example.prompt, example.targets) for example in loaded.examples] == wanted
    assert loaded.problems == ()
    assert (loaded.counts.rows, loaded.counts.used, loaded.counts.left_out) == (len(wanted), len(wanted), ())


TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
]
SHARED = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]
EARLIER = (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"))


@pytest.mark.parametrize(
    ("row", "earlier", "prompt", "targets"),
    [
        ({"messages": TURNS}, EARLIER, "Bye", ()),
        ({"messages": TURNS[:3]}, EARLIER[:1], "Hi", ("Hello",)),
        ({"id": 1, "conversations": SHARED}, (), "Hi", ("Hello",)),
        ({"system": "Be brief.", "conversations": SHARED}, EARLIER[:1], "Hi", ("Hello",)),
        ({"input": TURNS[:2], "ideal": "Hey"}, EARLIER[:1], "Hi", ("Hey",)),
        ({"prompt": TURNS[1:2], "completion": TURNS[2:3]}, (), "Hi", ("Hello",)),
        ({"prompt": json.dumps(TURNS[:2])}, EARLIER[:1], "Hi", ()),
    ],
)
def test_chats_keep_their_turns(
    row: dict[str, Any], earlier: tuple[Message, ...], prompt: str, targets: tuple[str, ...]
) -> None:
    (example,) = load_bytes(lines(row), "chat.jsonl", BOUNDS).examples
    assert (example.earlier_turns, example.prompt, example.targets) == (earlier, prompt, targets)


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (
            [{"role": "tool", "content": "42"}],
            "Turn 1 of the chat is of “tool”; read are system, user and assistant",
        ),
        ([{"role": "assistant", "content": "Hello"}], "no turn of the user"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}],
            "something other than text",
        ),
    ],
)
def test_chats_that_cannot_be_asked_are_listed(turns: list[dict[str, Any]], reason: str) -> None:
    loaded = load_bytes(lines({"messages": TURNS}, {"messages": turns}), "chat.jsonl", BOUNDS)
    assert len(loaded.examples) == 1 and reason in loaded.problems[0].reason


def test_an_exported_chat_with_several_targets_comes_back() -> None:
    row = {"id": "x", "prompt": "Bye", "target": "a", "targets": ["a", "b"], "earlier_turns": TURNS[:3]}
    (example,) = load_bytes(lines(row), "export.jsonl", BOUNDS).examples
    assert (example.earlier_turns, example.targets) == (EARLIER, ("a", "b"))


def test_columns_called_like_our_own_are_kept_apart() -> None:
    row = {
        "prompt": "P",
        "target": "T",
        "targets": "theirs",
        "earlier_turns": "theirs",
        "called": 7,
        "tags": "t",
    }
    (example,) = load_bytes(lines(row), "x.jsonl", BOUNDS).examples
    assert example.targets == ("T",) and example.earlier_turns == () and example.called == "7"
    kept = {name: value for name, value in example.fields.items() if name.endswith(" (from the file)")}
    assert kept == {
        "targets (from the file)": "theirs",
        "earlier_turns (from the file)": "theirs",
        "called (from the file)": 7,
    }


def test_what_is_not_sent_is_named_and_rows_are_called_by_their_name() -> None:
    rows = open_bytes(b"act,prompt,for_devs\nLinux,Act as a shell,TRUE\nChef,Cook,FALSE\n", "a.csv", BOUNDS)
    plan = propose(rows).plan
    assert not_sent(rows, plan) == ("act", "for_devs")
    assert [example.called for example in to_examples(rows, plan, BOUNDS).examples] == ["Linux", "Chef"]


def test_without_a_usual_name_nothing_is_guessed_in_silence() -> None:
    data = b"language,body\nFrench,Hello world\n"
    rows = open_bytes(data, "x.csv", BOUNDS)
    assert (propose(rows).plan.prompt, propose(rows).sure) == ("body", False)
    with pytest.raises(AppError, match=r"None of the columns is called like a prompt.*language, body"):
        load_bytes(data, "x.csv", BOUNDS)


def test_what_was_chosen_before_is_proposed_for_the_same_columns() -> None:
    first = open_bytes(b"body,language\na,b\n", "x.csv", BOUNDS)
    again = open_bytes(b"language,body\nb,c\n", "y.csv", BOUNDS)
    assert first.shape == again.shape
    chosen = propose(first).plan
    assert propose(again, chosen).from_before and propose(again, chosen).sure


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.gz", b"\x1f\x8b", "Files that end in “x” are not read"),
        ("x.csv.gz", b"nope", "is not a gzip file"),
        ("x.csv.gz", gzip.compress(b"prompt\na\n")[:-4], "cut off"),
        ("x.xlsx", b"nope", "not an Excel workbook"),
        ("x.yaml", b"a: [", "is not YAML: .* at line"),
        ("x.json", b'"text"', "should hold a list of objects"),
        ("x.cforge", b'{"flow": {"nodes": []}}', "holds no table"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(name: str, data: bytes, message: str) -> None:
    with pytest.raises(AppError, match=message):
        load_bytes(data, name, BOUNDS)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("keyed.json", b'{"q1": {"question": "a", "answer": "1"}, "q2": {"question": "b", "answer": "2"}}',
         [("a", ("1",)), ("b", ("2",))]),
        ("index.json", b'{"0": {"prompt": "a"}, "1": {"prompt": "b"}}', [("a", ()), ("b", ())]),
        ("camel.jsonl", b'{"userInput": "Q", "expectedOutput": "A"}', [("Q", ("A",))]),
        ("rag.jsonl", b'{"user_input": "Q", "response": "the model\'s", "reference": "A"}', [("Q", ("A",))]),
        ("rag2.jsonl", b'{"question": "Q", "answer": "the model\'s", "ground_truth": "A"}', [("Q", ("A",))]),
        ("trivia.jsonl", b'{"question": "Q", "answer": {"value": "Bob", "aliases": ["Bob", "Robert"]}}',
         [("Q", ("Bob", "Robert"))]),
        ("titled.csv", b"My export\n\nprompt,target\na,b\n", [("a", ("b",))]),
        ("infinite.jsonl", b'{"prompt": "a", "target": Infinity}', [("a", ())]),
        ("arc.jsonl", b'{"question": "Which?", "choices": {"text": ["p", "q"], "label": ["A", "B"]}, "answerKey": "B"}',
         [("Which?\np\nq", ("q",))]),
        ("arc1.jsonl", b'{"question": "Which?", "choices": {"text": ["p", "q"], "label": ["1", "2"]}, '
         b'"answerKey": "2"}',
         [("Which?\np\nq", ("2",))]),
        ("vertex.jsonl", b'{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}, '
         b'{"role": "model", "parts": [{"text": "Yo"}]}]}', [("Hi", ("Yo",))]),
        ("tuned.jsonl", b'{"input_text": "Hi", "output_text": "Yo"}', [("Hi", ("Yo",))]),
        ("nested.json", b'{"results": {"items": [{"question": "a", "answer": "1"}, {"question": "b", "answer": "2"}]}}',
         [("a", ("1",)), ("b", ("2",))]),
        ("documents.yaml", b"prompt: a\n---\nprompt: b\n", [("a", ()), ("b", ())]),
    ],
)  # fmt: skip
def test_shapes_that_strangers_brought(
    name: str, data: bytes, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    loaded = load_bytes(data, name, Bounds())
    assert [(one.prompt, one.targets) for one in loaded.examples] == expected
    assert loaded.counts.rows == loaded.counts.used == len(expected)


def test_a_workbook_that_lists_a_million_entries_is_refused_unread() -> None:
    """zipfile would make an object of each: gigabytes out of 60 MB."""
    entry = b"PK\x01\x02" + bytes(42)
    listed = entry * 1_000_000
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, len(listed), 0, 0)
    with pytest.raises(AppError, match="its list of entries alone has 46,000,000 bytes"):
        read_xlsx(listed + end, Bounds())
