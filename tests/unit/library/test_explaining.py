"""`explain` and what it gives: against the app's own service on the same model, and by hand."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core
from core.errors import AppError
from core.library.explaining import aexplain, explain, explain_many
from core.library.explanation import Explanation
from core.library.opening import open_model
from core.models import load
from core.records import GenerationParams, Message, ModelSpec
from core.segments import segments
from core.service import Service
from core.settings import ROOT, Settings
from core.store.store import Store

PROMPTS = [json.loads(line) for line in (ROOT / "data/prompts/sample_prompts.jsonl").read_text().splitlines()]
MISTAKE = next(row["prompt"] for row in PROMPTS if row["source"] == "fewshot-mistake")
SHORT = "Likes: cheese\nAvoids: eggs\nDish: Baked casserole with potatoes, eggs and garlic\nAnalysis:"


@pytest.fixture(scope="module")
def mistake() -> Explanation:
    return explain(MISTAKE)


def test_the_story(mistake: Explanation) -> None:
    assert mistake.answer.rstrip().endswith("Recommendation: You have to try it.")
    assert mistake.chosen.strip() == "Recommendation: You have to try it."
    assert mistake.select_all().chosen.strip() == mistake.answer.strip()
    chosen = mistake.select("You have to try it")
    assert chosen.chosen == " You have to try it"  # whole tokens
    assert chosen.top(1)[0].name == "line 9"
    proven = chosen.measure(top=5)
    assert proven.cause is not None and proven.cause.verdict == "one"
    first = proven.top(1)[0]
    assert (first.name, first.turns) == ("line 9", True) and first.times and first.times > 100
    assert "line 9" in proven.sentence
    mended = explain(MISTAKE.replace("You have to try it.", "Avoid."))
    told = mistake.compare(mended)
    assert told.turned and "".join(r.text for r in told.answer if r.change == "added").strip() == "Avoid"
    table = told.to_pandas()
    assert table["gained"].abs().is_monotonic_decreasing


def test_the_numbers_are_the_app_s_to_the_last_bit(mistake: Explanation, tmp_path: Path) -> None:
    service = Service(Settings(data_dir=tmp_path), Store.of(Settings(data_dir=tmp_path)))
    try:
        spec = service.spec()
        writing = service.answers.generate(MISTAKE, spec, owner="a")
        assert writing.wait() and writing.result is not None
        answer = writing.result
        assert answer.tokens.ids.tolist() == mistake.tokens.ids.tolist()
        np.testing.assert_array_equal(answer.logprob_nats, mistake.generation.logprob_nats)
        rows = [part.tokens for part in segments(answer.tokens, "line", "response")]
        job = service.maps.fill(answer.tokens, spec, "gim", owner="a", rows=rows)
        assert job.wait() and job.result is not None
        filled = job.result["gim"]
    finally:
        service.close()
    np.testing.assert_array_equal(filled.values, mistake.made.matrix.values)


def test_words_that_are_no_union_of_rows_get_a_pass_of_their_own() -> None:
    whole = explain(SHORT, by="line", method="grad_l2", response=" The guest avoids eggs.")
    part = whole.select("avoids eggs")
    by_token = explain(SHORT, by="token", method="grad_l2", response=" The guest avoids eggs.").select(
        "avoids eggs"
    )
    lines = segments(whole.tokens, "line", "prompt")
    expected = [by_token._token_scores()[slice(*line.tokens)].sum() for line in lines]
    np.testing.assert_allclose(part.scores, expected, rtol=1e-4)
    assert not np.allclose(part.scores, whole.scores)
    assert whole.cause is None and whole.chosen == " The guest avoids eggs."


def test_a_model_in_memory(mistake: Explanation) -> None:
    held: Any = load(ModelSpec("demo", str(ROOT / "data/models/demo")))
    same = explain(MISTAKE, model=(held.model, held.tokenizer))
    assert same.answer == mistake.answer
    np.testing.assert_array_equal(same.scores, mistake.scores)


def test_chats_batches_and_asynchronous_code(mistake: Explanation) -> None:
    one, two = explain_many([MISTAKE, SHORT], by="line")
    assert one.answer == mistake.answer and two.prompt == SHORT
    again = asyncio.run(aexplain(SHORT, max_new_tokens=4))
    assert again.generation.params == GenerationParams(max_new_tokens=4)
    chat = explain(messages=[{"role": "user", "content": "Hello"}], response=" yes")
    same = explain(messages=[Message("user", "Hello")], response=" yes")
    assert chat.tokens.ids.tolist() == same.tokens.ids.tolist()
    assert [part.text.strip() for part in chat.parts] == ["Hello"] != [chat.prompt]


def test_to_take_away(mistake: Explanation) -> None:
    told = mistake.select("You have to try it").measure(top=2)
    table = told.to_pandas()
    assert len(table) == len(told.parts) and table["share"].abs().sum() == pytest.approx(1, abs=1e-4)
    assert table["effect_nats"].notna().sum() >= 2
    everything = json.loads(json.dumps(told.to_dict()))
    assert everything["chosen"] == " You have to try it" and everything["measured"]
    assert told.figure("dark").data and "<html" in told.to_html()
    assert "line 9" in repr(told)


def test_static_html_is_escaped() -> None:
    told = explain("<script>alert(1)</script>\nSay <b>yes</b>:", response=" <img src=x onerror=alert(2)>")
    html = told._repr_html_()
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: explain("  "), "prompt is empty"),
        (lambda: explain(), "either a prompt or messages"),
        (lambda: explain("a", messages=[]), "either a prompt or messages"),
        (lambda: explain(messages=[]), "no turns"),
        (lambda: explain(messages=[{"content": "a"}]), "turn should be"),
        (lambda: explain(3), "should be text"),  # type: ignore[arg-type]
        (lambda: explain(SHORT, by="verse"), "granularity"),
        (lambda: explain(SHORT, method="magic"), "magic"),
        (lambda: explain(SHORT, response=""), "response is empty"),
        (lambda: explain(SHORT, tempo=3), "tempo"),
        (lambda: explain(SHORT, options={"colour": 1}, response=" x"), "no option colour"),
        (lambda: explain(SHORT, max_new_tokens=0), "longest answer"),
        (lambda: explain(SHORT, model=7), "model should be"),
        (lambda: explain(SHORT, model=("a", "b")), "pair should be"),
        (lambda: explain(SHORT, model="/no/such/folder"), "no/such/folder"),
        (lambda: explain_many([SHORT], batch_size=0), "batch"),
        (lambda: explain(SHORT, response=" yes yes").select("no"), "does not hold"),
        (lambda: explain(SHORT, response=" yes yes").select("yes", 3), "2 times"),
        (lambda: explain(SHORT, response=" yes").select_part(4), "0 to 0"),
        (lambda: explain(SHORT, response=" yes").top(0), "At least one"),
        (lambda: explain(SHORT, response=" yes").figure("pink"), "theme"),
    ],
)
def test_faults_are_sentences(ask: Any, says: str) -> None:
    with pytest.raises(AppError, match=says):
        ask()


def test_the_public_names_are_there() -> None:
    assert all(hasattr(core, name) for name in core.__all__)
    assert open_model("demo").name == "demo"
    with pytest.raises(AttributeError):
        core.nothing_of_the_kind  # noqa: B018


def test_what_taking_out_did_not_measure_is_no_score() -> None:
    made = explain(SHORT, response=" The guest avoids eggs.", method="leave_one_out")
    cue = made.parts[-1]
    assert cue.text == "Analysis:" and np.isnan(cue.score) and np.isnan(cue.share)
    assert cue not in made.top(10) and len(made.top(10)) == len(made.parts) - 1
    assert all(np.isfinite(part.score) for part in made.parts[:-1])


def test_turns_that_a_template_moves_or_leaves_out_are_told(load_tiny: Any) -> None:
    held = load_tiny("llama")
    no_system = (
        "{% for m in messages %}{% if m.role != 'system' %}[{{ m.role }}]{{ m.content }}|"
        "{% endif %}{% endfor %}"
    )
    before, held.tokenizer.chat_template = held.tokenizer.chat_template, no_system
    try:
        turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "soup with egg"}]
        made = explain(messages=turns, model=(held.model, held.tokenizer), max_new_tokens=3)
        plain = explain(messages=turns[1:], model=(held.model, held.tokenizer), max_new_tokens=3)
    finally:
        held.tokenizer.chat_template = before
    (told,) = made.turns_not_read
    assert told.endswith("the system message begins the first user turn.")
    assert told in made.note and told in made.to_dict()["note"] and plain.turns_not_read == ()
