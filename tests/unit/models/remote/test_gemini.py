"""Google's real client library against a loopback server that speaks the documented wire."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import AppError
from core.models.remote.http import HttpLimits
from core.models.remote.secrets import SECRETS
from core.records import GenerationParams, Message, ModelSpec
from tests.unit.models.loopback import Answer, Asked, Loopback, loopback

pytest.importorskip("google.genai", reason="Google's library is not installed: requirements-gemini.lock")

from core.models.remote import gemini

IT = f"data: {json.dumps({'candidates': [{'content': {'parts': [{'text': 'It'}]}}]})}\r\n\r\n"
FAST = HttpLimits(silence_seconds=1, retries=0, backoff_seconds=0.01)
TOKEN = "AIza-s3cret"


def part(text: str, finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text, **more}]}}
    return {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}


def sse(*events: dict[str, Any]) -> Answer:
    return Answer(stream=[f"data: {json.dumps(event)}\r\n\r\n" for event in events])


GOOD = sse(part("It "), part("(thinks)", thought=True), part("has egg."), part("", "STOP"))


def connect(server: Loopback, path: str = "#gemini-test", **limits: Any) -> gemini.Gemini:
    url = server.url + path
    SECRETS.remember(url, TOKEN)
    try:
        return gemini.load(ModelSpec("gemini", url, backend="gemini"), limits=FAST)
    finally:
        SECRETS.remember(url, "")


def always(answer: Answer) -> Callable[[Asked], Answer]:
    return lambda asked: answer


def test_an_answer_streams_and_the_question_is_as_documented() -> None:
    with loopback(always(GOOD)) as server:
        model = connect(server)
        heard: list[str] = []
        prompt = (Message("system", "Be brief."), Message("user", "Soup?"), Message("assistant", "Hm."))
        made = model.generate(
            model.tokenize((*prompt, Message("user", "And?"))),
            GenerationParams(max_new_tokens=9, temperature=0.5, top_p=0.9, seed=4, stop=("\n",)),
            on_text=heard.append,
            example_id="e",
        )
        model.close()
    asked = server.asked[0]
    assert re.fullmatch(r"/v1(beta)?/models/gemini-test:streamGenerateContent\?alt=sse", asked.path)
    assert asked.headers["x-goog-api-key"] == TOKEN
    assert asked.body["contents"] == [
        {"role": "user", "parts": [{"text": "Soup?"}]},
        {"role": "model", "parts": [{"text": "Hm."}]},
        {"role": "user", "parts": [{"text": "And?"}]},
    ]
    assert asked.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    config = asked.body["generationConfig"]
    assert (config["maxOutputTokens"], config["temperature"], config["topP"]) == (9, 0.5, 0.9)
    assert (config["seed"], config["stopSequences"]) == (4, ["\n"])
    assert heard == ["It ", "It has egg."]
    assert (made.text, made.tokens.response, made.stop_reason, made.example_id) == (
        "It has egg.", "It has egg.", "eos", "e",
    )  # fmt: skip
    assert np.isnan(made.logprob_nats).all()
    assert TOKEN not in repr(model) + repr(made.model)


def test_vertex_speaks_to_the_project_with_a_bearer() -> None:
    with loopback(always(sse(part("Yes", "MAX_TOKENS")))) as server:
        model = connect(server, "/projects/p1/locations/europe-west4#gemini-test")
        made = model.generate(model.tokenize("Soup?"), GenerationParams())
        model.close()
    asked = server.asked[0]
    assert "/projects/p1/locations/europe-west4/publishers/google/models/gemini-test" in asked.path
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert made.stop_reason == "length"


def test_what_it_cannot_do_is_said() -> None:
    with loopback(always(GOOD)) as server:
        model = connect(server)
        can = model.capabilities
        assert can.generate and can.chat and not (can.logprobs or can.gradients or can.salience)
        assert set(can.why) == {"logprobs", "gradients", "salience"}
        with pytest.raises(AppError, match="how likely"):
            model.logprobs(model.tokenize("a", "b"))
        with pytest.raises(AppError, match="empty"):
            model.tokenize("")
        model.close()


def fault(code: int, message: str) -> Answer:
    return Answer({"error": {"code": code, "message": message, "status": "SOME_STATUS"}}, status=code)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (fault(503, "overloaded"), r"503 \(SOME_STATUS\): overloaded"),
        (fault(403, f"key {TOKEN} is bad"), r"403 .*key \[token\] is bad.*access token"),
        (fault(404, "no such model"), "404 .*model's name"),
        (Answer(raw=b"<h1>Oops</h1>", status=500, kind="text/html"), "Gemini answered 500"),
        (sse(part("It"), part("", "SAFETY")), "after 2 characters: it says SAFETY"),
        (sse({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}), "it says PROHIBITED_CONTENT"),
        (sse(part("It")), "without saying that it is complete, after 2"),
        (Answer(stream=['data: {"candidates": [{"conte\r\n\r\n']), "breaks off in the middle"),
        (
            Answer(stream=[IT], breaks=True),
            "connection to Gemini broke",
        ),
        (Answer(stream=[IT], hangs=True), "did not answer within"),
        (Answer({}, hangs=True), "did not answer within"),
    ],
)
def test_faults_become_sentences(answer: Answer, told: str) -> None:
    with loopback(always(answer)) as server:
        model = connect(server)
        with pytest.raises(AppError, match=told) as caught:
            model.generate(model.tokenize("Soup?"), GenerationParams())
        model.close()
    assert TOKEN not in str(caught.value)


def test_a_busy_service_is_asked_again_but_not_for_ever() -> None:
    answers = iter([fault(503, "busy"), GOOD])
    with loopback(lambda asked: next(answers)) as server:
        url = server.url + "#m"
        SECRETS.remember(url, TOKEN)
        model = gemini.load(
            ModelSpec("g", url, backend="gemini"), limits=HttpLimits(retries=1, backoff_seconds=0.01)
        )
        SECRETS.remember(url, "")
        assert model.generate(model.tokenize("Soup?"), GenerationParams()).text == "It has egg."
        model.close()
    assert len(server.asked) == 2


def test_stop_keeps_what_was_written() -> None:
    stop = threading.Event()
    answer = Answer(stream=[IT], hangs=True)
    with loopback(always(answer)) as server:
        model = connect(server)
        made = model.generate(
            model.tokenize("Soup?"), GenerationParams(), on_text=lambda text: stop.set(), stop=stop
        )
        model.close()
    assert (made.text, made.stop_reason) == ("It", "stopped")


def test_without_a_key_or_a_model_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "WHENCE_REMOTE_TOKENS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AppError, match="needs an API key"):
        gemini.load(ModelSpec("g", "https://generativelanguage.googleapis.com#m", backend="gemini"))
    with pytest.raises(AppError, match="names no model"):
        gemini.load(ModelSpec("g", "https://generativelanguage.googleapis.com", backend="gemini"))
