"""Time-outs, retries, Stop and the sentences about them, against a scripted loopback server."""

from __future__ import annotations

import logging
import threading

import pytest
from pydantic import SecretStr

from core.errors import AppError, Stopped
from core.models.remote.http import HttpLimits, Remote
from tests.unit.models.loopback import Answer, Asked, loopback

FAST = HttpLimits(connect_seconds=2, silence_seconds=0.3, total_seconds=5, retries=2, backoff_seconds=0.01)
TOKEN = "s3cret-t0ken"


def test_json_goes_and_comes_with_the_bearer() -> None:
    with loopback(lambda asked: Answer(asked.body)) as server:
        remote = Remote(server.url + "/", SecretStr(TOKEN))
        assert remote.post("/echo", {"a": "é한"}) == {"a": "é한"}
        assert server.asked[0].path == "/echo"
        assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
        remote.close()
        assert TOKEN not in repr(remote)


def test_an_empty_bearer_is_sent_only_where_asked_for() -> None:
    with loopback(lambda asked: Answer([])) as server:
        Remote(server.url).get("/")
        Remote(server.url, always_bearer=True).get("/")
    assert "authorization" not in server.asked[0].headers
    assert server.asked[1].headers["authorization"] == "Bearer"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(status: int) -> None:
    answers = iter([Answer({}, status=status), Answer({}, status=status), Answer("well")])
    with loopback(lambda asked: next(answers)) as server:
        assert Remote(server.url, limits=FAST).get("/") == "well"
    assert len(server.asked) == 3


def test_retries_are_bounded_and_the_status_is_told() -> None:
    with (
        loopback(lambda asked: Answer({"error": {"message": "overloaded"}}, status=503)) as server,
        pytest.raises(AppError, match=r"503 \(Service Unavailable\): overloaded"),
    ):
        Remote(server.url, limits=FAST).get("/")
    assert len(server.asked) == 3


def test_a_long_retry_after_is_not_waited_for() -> None:
    answer = Answer({}, status=429, headers={"Retry-After": "3600"})
    with loopback(lambda asked: answer) as server, pytest.raises(AppError, match="429"):
        Remote(server.url, limits=FAST).get("/")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(raw=b"<h1>Oops</h1><script>1</script>", status=500, kind="text/html"), "500 .* error page"),
        (Answer({"detail": "prompt must be a string."}, status=422), "422 .*: prompt must be a string"),
        (Answer({}, status=401), "401 .*Check the access token"),
        (Answer({}, status=404), "404 .*end in /v1"),
        (Answer({}, status=302, headers={"Location": "http://127.0.0.1:1/"}), "302 .*leads elsewhere"),
        (Answer(raw=b'{"a": [1, 2'), "breaks off in the middle"),
        (Answer(raw=b"hello"), "is not JSON"),
        (Answer({"a": 1}, breaks=True), "closed the connection before"),
    ],
)
def test_faults_become_sentences_and_are_not_repeated(answer: Answer, told: str) -> None:
    with loopback(lambda asked: answer) as server, pytest.raises(AppError, match=told) as caught:
        Remote(server.url, limits=FAST).get("/x")
    assert len(server.asked) == 1
    assert "<h1>" not in str(caught.value)


def test_the_token_never_comes_back_in_an_error_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = Answer({"error": f"bad key {TOKEN}"}, status=401)
    with loopback(lambda asked: told) as server, pytest.raises(AppError) as caught:
        Remote(server.url, SecretStr(TOKEN), limits=FAST).post("/", {"prompt": "private words"})
    assert TOKEN not in str(caught.value)
    assert "[token]" in str(caught.value)
    assert TOKEN not in caplog.text
    assert "private words" not in caplog.text


def test_a_hung_server_ends_in_a_sentence() -> None:
    with (
        loopback(lambda asked: Answer({}, hangs=True)) as server,
        pytest.raises(AppError, match="did not answer within"),
    ):
        Remote(server.url, limits=FAST).get("/")


def test_a_server_that_is_not_there() -> None:
    with loopback(lambda asked: Answer({})) as server:
        url = server.url
    with pytest.raises(AppError, match="cannot be reached"):
        Remote(url, limits=FAST).get("/")


def test_stop_ends_a_hung_request() -> None:
    stop = threading.Event()

    def answer(asked: Asked) -> Answer:
        stop.set()
        return Answer({}, hangs=True)

    with loopback(answer) as server, pytest.raises(Stopped):
        Remote(server.url, limits=HttpLimits(silence_seconds=60)).get("/", stop=stop)


def test_stop_ends_the_wait_between_tries() -> None:
    stop = threading.Event()

    def answer(asked: Asked) -> Answer:
        stop.set()
        return Answer({}, status=503)

    with loopback(answer) as server, pytest.raises(Stopped):
        Remote(server.url, limits=HttpLimits(backoff_seconds=7)).get("/", stop=stop)


def test_events_are_parsed_joined_and_ended() -> None:
    stream = [
        ": a comment\n\n",
        'data: {"n"',
        ': 1}\n\nevent: x\ndata: {"n":\ndata: 2}\n\n',
        "data: [DONE]\n\n",
        "data: {}\n\n",
    ]
    with loopback(lambda asked: Answer(stream=stream)) as server:
        found = list(Remote(server.url, limits=FAST).events("/", {}))
    assert found == [{"n": 1}, {"n": 2}]


def test_a_stream_that_breaks_off() -> None:
    answer = Answer(stream=['data: {"n": 1}\n\n'], breaks=True)
    with loopback(lambda asked: answer) as server:
        events = Remote(server.url, limits=FAST).events("/", {})
        assert next(events) == {"n": 1}
        with pytest.raises(AppError, match="closed the connection before"):
            next(events)
    assert len(server.asked) == 1  # half an answer is never asked for again


def test_a_stream_that_falls_silent() -> None:
    answer = Answer(stream=['data: {"n": 1}\n\n'], hangs=True)
    with loopback(lambda asked: answer) as server:
        events = Remote(server.url, limits=FAST).events("/", {})
        assert next(events) == {"n": 1}
        with pytest.raises(AppError, match="did not answer within"):
            next(events)


def test_an_answer_without_end_is_cut() -> None:
    few = HttpLimits(bytes=1000, silence_seconds=2)
    with (
        loopback(lambda asked: Answer("x" * 2000)) as server,
        pytest.raises(AppError, match="more than 1,000 bytes"),
    ):
        Remote(server.url, limits=few).get("/")


def test_plain_json_in_place_of_a_stream() -> None:
    with loopback(lambda asked: Answer({"n": 1})) as server:
        assert list(Remote(server.url, limits=FAST).events("/", {})) == [{"n": 1}]
