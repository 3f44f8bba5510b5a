"""A server's own words about its fault reach the reader, whatever shape they come in: one line, bounded, printable."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import AppError
from core.models.remote import lit_server, openai_compatible
from core.models.remote.http import Remote
from core.models.remote.openai_compatible import OpenAICompatible
from core.models.remote.openai_offer import Offer
from core.models.remote.openai_stream import written
from core.models.remote.server_words import MOST_CHARS, one_line, server_words
from core.records import GenerationParams, Message, ModelSpec
from tests.unit.models.loopback import Answer, Asked, Loopback, loopback
from tests.unit.models.remote.test_openai_compatible import full, sse
from tests.unit.models.remote.test_servers_as_they_are import CHAT, FAST, USAGE, connect, said

OOM = "CUDA out of memory"
SHAPES: list[Any] = [
    {"error": OOM},
    {"error": {"message": OOM}},
    {"error": {"message": {"detail": OOM}}},
    {"error": {"error": {"msg": OOM}}},
    {"error": [{"message": OOM}]},
    {"error": {"code": 500, "metadata": {}, "message": OOM}},
    {"detail": OOM},
    {"detail": {"error": OOM}},
    {"detail": [{"loc": ["body", "messages"], "msg": OOM, "type": "x"}]},
    {"message": OOM},
    {"object": "error", "message": OOM, "code": 500},
    {"type": "error", "error": {"type": "overloaded_error", "message": OOM}},
    {"errors": [OOM]},
    {"error": True, "message": OOM},
    {"title": OOM, "status": 500},
    {"error": f'{{"message": "{OOM}"}}'},
    {"msg": OOM},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("begun", [[], [said(content="Hi")]], ids=["first", "in the middle"])
@pytest.mark.parametrize("done", [True, False])
def test_an_error_within_a_stream_is_told(shape: Any, begun: list[Any], done: bool) -> None:
    def server(asked: Asked) -> Answer:
        streams = asked.body and asked.body.get("stream")
        return Answer(stream=sse(*begun, shape, done=done)) if streams else full(asked)

    with loopback(server) as held:
        model = connect(held)
        with pytest.raises(AppError, match=OOM) as caught:
            model.generate(model.tokenize(CHAT), GenerationParams())
    assert held.url in caught.value.message


@pytest.mark.parametrize("shape", [*SHAPES, [{"error": {"message": OOM}}]], ids=str)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_error_in_place_of_an_answer_is_told_when_connecting(shape: Any, status: int) -> None:
    with loopback(lambda asked: Answer(shape, status=status)) as held, pytest.raises(AppError, match=OOM):
        connect(held)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(raw=b"model is loading", status=503, kind="text/plain"), "model is loading"),
        (Answer(raw=b'{"error": "no such model"}', status=404, kind="text/plain"), "no such model"),
        (Answer(raw=b"upstream died"), "upstream died"),
        (Answer(raw=b"<html><b>Oops</b>", status=502, kind="text/html"), "error page"),
        (Answer(raw=b"<html><b>Oops</b>", status=502, kind="text/plain"), r"502 \(Bad Gateway\)\."),
        (Answer({"answer": 42}), "expected `choices`"),
    ],
)
def test_words_that_are_no_json_are_told_and_pages_are_not(answer: Answer, told: str) -> None:
    with loopback(lambda asked: answer) as held, pytest.raises(AppError, match=told) as caught:
        connect(held)
    assert "<b>" not in caught.value.message


@pytest.mark.parametrize(
    "lines", [[f'error: {{"code": 500, "message": "{OOM}"}}\n\n'], [f"event: error\ndata: {OOM}\n\n"]]
)
def test_events_that_are_named_errors_are_told(lines: list[str]) -> None:
    with loopback(lambda asked: Answer(stream=lines)) as held:
        model = offered(held)
        with pytest.raises(AppError, match=OOM):
            model.generate(model.tokenize(CHAT), GenerationParams())


def offered(held: Loopback, token: str = "") -> OpenAICompatible:
    remote = Remote(f"{held.url}/v1", SecretStr(token), limits=FAST)
    spec = ModelSpec("r", f"{held.url}/v1", backend="openai_compatible")
    return OpenAICompatible(spec, remote, Offer("m", False, True, False, False, False))


def test_what_a_server_says_before_it_answers_is_no_fault() -> None:
    events = [
        {"status": "loading", "message": "Loading"},
        said(content="Hi"),
        USAGE,
        {"message": {"role": "x"}},
    ]
    with loopback(lambda asked: Answer(stream=sse(*events, done=True))) as held:
        model = offered(held)
        assert model.generate(model.tokenize(CHAT), GenerationParams()).text == "Hi"


def test_the_token_is_in_no_words_within_a_stream() -> None:
    with loopback(lambda asked: Answer(stream=sse({"error": "bad key sk-secret"}))) as held:
        model = offered(held, "sk-secret")
        with pytest.raises(AppError, match=r"bad key \[token\]"):
            model.generate(model.tokenize(CHAT), GenerationParams())


def test_a_field_that_is_refused_within_a_stream_is_left_out() -> None:
    def server(asked: Asked) -> Answer:
        if not asked.body or not asked.body.get("stream"):
            return full(asked)
        if "seed" in asked.body:
            return Answer(stream=sse({"error": {"message": "seed is not supported", "code": 400}}))
        return Answer(stream=sse(said(content="Hi"), done=True))

    with loopback(server) as held:
        model = openai_compatible.load(
            ModelSpec("r", f"{held.url}/v1", backend="openai_compatible"), limits=FAST
        )
        assert model.generate(model.tokenize((Message("user", "Soup?"),)), GenerationParams()).text == "Hi"
        assert "`seed`" in " ".join(model.notes)


@pytest.mark.parametrize(
    "shape", [None, 7, {}, {"error": None}, {"detail": []}, {"usage": {"x": 1}}, [[[[]]]]]
)
def test_where_nothing_is_said_there_are_no_words(shape: Any) -> None:
    assert server_words(shape) == ""


def test_words_are_one_bounded_line_of_printable_characters() -> None:
    assert one_line("a\x1b[31m\n b\u202ec\ud83d") == "a\ufffd[31m b\ufffdc\ufffd"
    assert len(server_words({"error": "x" * 10_000})) == MOST_CHARS + 1
    deep: Any = OOM
    for _ in range(50):
        deep = {"error": deep}
    assert server_words(deep) == ""


def test_a_lit_servers_words_are_told() -> None:
    with loopback(lambda asked: Answer({"detail": OOM})) as held:
        model = lit_server.LitServer(
            ModelSpec("l", held.url, backend="lit_server"), Remote(held.url, limits=FAST)
        )
        with pytest.raises(AppError, match=OOM):
            model.generate(model.tokenize("Soup"), GenerationParams())


@pytest.mark.parametrize("content", [7, True, 0.5])
def test_an_answer_that_is_no_text_is_told_and_not_taken_for_an_empty_one(content: object) -> None:
    with pytest.raises(AppError, match=f"should be text, but it is {type(content).__name__}"):
        written(content)
    assert written(None) == "" and written([{"type": "text", "text": None}, "a"]) == "a"
