"""OpenAI-compatible servers that behave as public reports say: fields refused, ends untold, content in parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import AppError
from core.models.remote import openai_compatible
from core.models.remote.http import HttpLimits
from core.models.remote.openai_stream import Heard
from core.records import GenerationParams, Message, ModelSpec
from tests.unit.models.loopback import Answer, Asked, Loopback, loopback
from tests.unit.models.remote.test_openai_compatible import ANSWER, full, plain, sse, without

FAST = HttpLimits(silence_seconds=0.5, retries=0, backoff_seconds=0.01)
CHAT = (Message("user", "Soup?"),)


def connect(server: Loopback) -> openai_compatible.OpenAICompatible:
    return openai_compatible.load(
        ModelSpec("r", f"{server.url}/v1", backend="openai_compatible"), limits=FAST
    )


def refusing(*names: str, status: int = 400, words: str, base: Callable[[Asked], Answer] = full) -> Any:
    """A server that refuses a request which has one of `names`."""

    def answer(asked: Asked) -> Answer:
        for name in names:
            if asked.body and name in asked.body:
                return Answer({"error": {"message": words.format(name=name), "param": name}}, status=status)
        return base(asked)

    return answer


def fastapi(*names: str) -> Callable[[Asked], Answer]:
    """FastAPI's own list of faults, for a model that forbids extra fields."""

    def answer(asked: Asked) -> Answer:
        extra = [n for n in names if asked.body and n in asked.body]
        if extra:
            faults = [
                {"type": "extra_forbidden", "loc": ["body", n], "msg": "Extra inputs are not permitted"}
                for n in extra
            ]
            return Answer({"detail": faults}, status=422)
        return full(asked)

    return answer


@pytest.mark.parametrize(
    ("server", "gone", "there"),
    [
        (
            without(
                refusing(
                    "max_tokens",
                    words="Unsupported parameter: '{name}' is not supported with this model. Use "
                    "'max_completion_tokens' instead.",
                ),
                "/v1/completions",
            ),
            {"max_tokens"},
            {"max_completion_tokens"},
        ),
        (
            without(
                refusing(
                    *("temperature", "top_p"),
                    words="Unsupported value: '{name}' does not support 0 with this model. Only the default (1) value "
                    "is supported.",
                ),
                "/v1/completions",
            ),
            {"temperature", "top_p"},
            {"max_tokens"},
        ),
        (fastapi("seed"), {"seed"}, {"temperature"}),
        (fastapi("seed", "top_p", "logprobs"), {"seed", "top_p", "logprobs"}, {"temperature"}),
        (
            refusing("logprobs", "seed", status=422, words="Unrecognized argument: {name}"),
            {"seed"},
            set(),
        ),
        (refusing("stop", words="'{name}' is not supported with this model."), {"stop"}, {"seed"}),
    ],
)
def test_fields_that_are_refused_are_left_out_from_then_on(
    server: Callable[[Asked], Answer], gone: set[str], there: set[str]
) -> None:
    with loopback(server) as held:
        model = connect(held)
        params = GenerationParams(max_new_tokens=9, stop=("\n\n",))
        first = model.generate(model.tokenize(CHAT), params)
        before = len(held.asked)
        again = model.generate(model.tokenize(CHAT), params)
        assert len(held.asked) == before + 1  # nothing is tried in vain twice
        sent = held.asked[-1].body
    assert not gone & sent.keys() and there <= sent.keys()
    assert first.text == again.text == " it has égg"
    told = " ".join(model.notes)
    assert all(f"`{name}`" in told for name in gone - {"max_tokens"}) and "max_tokens" not in told


def test_a_server_that_takes_one_of_two_fields_gets_one() -> None:
    def one_of(asked: Asked) -> Answer:
        if asked.body and {"temperature", "top_p"} <= asked.body.keys():
            words = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
            return Answer({"error": {"message": words}}, status=400)
        return full(asked)

    with loopback(one_of) as held:
        model = connect(held)
        model.generate(model.tokenize("Soup:"), GenerationParams(temperature=0.7))
        assert held.asked[-1].body["temperature"] == 0.7 and "top_p" not in held.asked[-1].body


def test_a_server_that_names_no_field_is_asked_with_the_fewest() -> None:
    def vague(asked: Asked) -> Answer:
        if asked.body and {"seed", "top_p", "logprobs"} & asked.body.keys():
            return Answer({"error": "Bad request"}, status=400)
        return plain(asked)

    with loopback(vague) as held:
        model = connect(held)
        assert model.generate(model.tokenize("Soup:"), GenerationParams()).text == " it has égg"


@pytest.mark.parametrize(
    "words",
    [
        "'max_tokens' is too large: 9. This model's maximum context length is 4 tokens.",
        "This model's maximum context length is 8 tokens, however you requested 9 tokens (max_tokens). Unsupported.",
        "temperature: Input should be less than or equal to 1",
    ],
)
def test_a_value_that_is_too_large_is_an_error_and_no_refusal(words: str) -> None:
    def small(asked: Asked) -> Answer:
        if asked.body and asked.body.get("max_tokens", 0) > 1:
            return Answer({"error": {"message": words}}, status=400)
        return full(asked)

    with loopback(small) as held:
        model = connect(held)
        with pytest.raises(AppError, match=r"400 \(Bad Request\)") as caught:
            model.generate(model.tokenize("Soup:"), GenerationParams(max_new_tokens=9))
    assert words.rstrip(".") in caught.value.message


@pytest.mark.parametrize(
    ("chat", "told"),
    [
        ((400, "You must be verified to use this model."), "You must be verified"),
        ((401, "Incorrect API key provided."), "Incorrect API key"),
        ((404, "The model `x` does not exist."), "404"),
    ],
)
def test_the_error_shown_is_the_one_that_matters(chat: tuple[int, str], told: str) -> None:
    def server(asked: Asked) -> Answer:
        if asked.path == "/v1/chat/completions":
            return Answer({"error": {"message": chat[1]}}, status=chat[0])
        return Answer({"detail": "Not Found"}, status=404)

    with loopback(server) as held, pytest.raises(AppError, match=told):
        connect(held)


def test_fastapis_list_of_faults_is_read() -> None:
    faults = [{"loc": ["body", "messages", 0, "content"], "msg": "Input should be a valid string"}]
    with (
        loopback(lambda asked: Answer({"detail": faults}, status=422)) as held,
        pytest.raises(AppError, match=r"messages\.0\.content: Input should be a valid string"),
    ):
        connect(held)


def streamed(events: list[Any], *, done: bool = True) -> Callable[[Asked], Answer]:
    return lambda asked: (
        Answer(stream=sse(*events, done=done)) if asked.body and asked.body.get("stream") else full(asked)
    )


def said(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}]}


THOUGHT = "<think>\nhm\n</think>\n\n"
HM = [{"type": "text", "text": "hm"}]
USAGE = {"usage": {"total_tokens": 3}}


@pytest.mark.parametrize(
    ("events", "text", "reason"),
    [
        ([said(content="Hi")], "Hi", "eos"),
        ([said(content="Hi"), USAGE], "Hi", "eos"),
        ([USAGE, said(role="assistant", content=None), said(content="Hi"), {"choices": None}, "ping"], "Hi", "eos"),
        ([said(content=[{"type": "text", "text": "H"}, {"type": "text", "text": "i"}])], "Hi", "eos"),
        ([said(content="Hi"), {"choices": [{"delta": {}, "finish_reason": "content_filter"}]}], "Hi", "filtered"),
        ([said(content="Hi"), {"choices": [{"delta": {}, "finish_reason": "max_tokens"}]}], "Hi", "length"),
        ([said(reasoning_content="h"), said(reasoning_content="m"), said(content="Hi")], THOUGHT + "Hi", "eos"),
        ([said(reasoning="hm"), said(content="Hi")], THOUGHT + "Hi", "eos"),
        ([said(content=[{"type": "thinking", "thinking": HM}]), said(content="Hi")], THOUGHT + "Hi", "eos"),
        ([said(reasoning_content="hm"), {"choices": [{"delta": {}, "finish_reason": "length"}]}], THOUGHT, "length"),
        ([said(refusal="No.")], "No.", "eos"),
        ([{"choices": []}, said(content=""), {"choices": [{"delta": {}, "finish_reason": "stop"}]}], "", "eos"),
    ],
)  # fmt: skip
def test_what_a_stream_means(events: list[Any], text: str, reason: str) -> None:
    with loopback(streamed(events)) as held:
        model = connect(held)
        heard: list[str] = []
        made = model.generate(model.tokenize(CHAT), GenerationParams(), on_text=heard.append)
    assert (made.text, made.stop_reason) == (text, reason)
    assert made.tokens.response == text
    assert not heard or heard[-1] == text


@pytest.mark.parametrize(
    ("events", "done", "told"),
    [
        ([said(content="Hi")], False, "without saying that it is complete, after 2"),
        ([USAGE], True, "expected `choices`"),
        ([{"object": "error", "message": "out of memory"}], True, "out of memory"),
        (
            [{"choices": [{"delta": {"tool_calls": []}, "finish_reason": "tool_calls"}]}],
            True,
            "call of a tool",
        ),
    ],
)
def test_what_is_no_answer(events: list[Any], done: bool, told: str) -> None:
    with loopback(streamed(events, done=done)) as held:
        model = connect(held)
        with pytest.raises(AppError, match=told):
            model.generate(model.tokenize(CHAT), GenerationParams())


def test_a_whole_answer_instead_of_a_stream_needs_no_finish() -> None:
    def whole(asked: Asked) -> Answer:
        if asked.body and asked.body.get("stream"):
            return Answer({"choices": [{"message": {"content": "Hi", "reasoning_content": "hm"}}]})
        return full(asked)

    with loopback(whole) as held:
        model = connect(held)
        made = model.generate(model.tokenize(CHAT), GenerationParams())
    assert made.text == THOUGHT + "Hi"


def token(text: str, nats: float | None, raw: bytes | None = None) -> dict[str, Any]:
    return {"token": text, "logprob": nats, "bytes": None if raw is None else list(raw)}


PARROT = "🦜".encode()
SPLIT = [
    token("A ", -0.1, b"A "), token("\ufffd", -0.2, PARROT[:2]), token("\ufffd", -0.3, PARROT[2:]),
    token("!", -0.4, b"!"),
]  # fmt: skip


def heard(text: str, content: list[dict[str, Any]], **legacy: Any) -> Heard:
    found = Heard()
    found.add({"choices": [{"delta": {"content": text}, "logprobs": legacy or {"content": content}}]}, "x")
    return found


@pytest.mark.parametrize(
    ("text", "raw", "spans"),
    [
        ("vn\ufffd so", [b"vn", b"\x80", b" so"], [(0, 2), (2, 3), (3, 6)]),  # a byte that is no character
        (
            "a\ufffdb",
            [b"a", b"\xf0\x9f", b"\xa6", b"b"],
            [(0, 1), (1, 2), (1, 2), (2, 3)],
        ),  # one mark for three
        ("a\ufffd\ufffdb", [b"a\xff", b"\xfe", b"b"], [(0, 2), (2, 3), (3, 4)]),  # a mark for each
        ("\ufffd", ["\ufffd".encode()], [(0, 1)]),  # the mark itself, written as such
    ],
)
def test_one_odd_token_leaves_the_others_their_probabilities(
    text: str, raw: list[bytes], spans: list[tuple[int, int]]
) -> None:
    tokens = [token(part.decode("utf-8", "replace"), -1.0, part) for part in raw]
    assert heard(text, tokens).placed(text) == (spans, [-1.0] * len(raw))


def test_bytes_put_split_characters_together() -> None:
    placed = heard("A 🦜!", SPLIT).placed("A 🦜!")
    assert placed == ([(0, 2), (2, 3), (2, 3), (3, 4)], [-0.1, -0.2, -0.3, -0.4])
    old = heard(
        "A 🦜!", [], tokens=["A ", r"bytes:\xf0\x9f", r"bytes:\xa6\x9c", "!"], token_logprobs=[-1, -2, -3, -4]
    )
    assert old.placed("A 🦜!") == ([(0, 2), (2, 3), (2, 3), (3, 4)], [-1, -2, -3, -4])


def test_one_odd_token_leaves_the_others_known() -> None:
    without_bytes = [token(t["token"], t["logprob"]) for t in SPLIT]
    placed = heard("A 🦜!", without_bytes).placed("A 🦜!")
    assert placed is not None
    spans, nats = placed
    assert [spans[0], spans[-1]] == [(0, 2), (3, 4)] and (nats[0], nats[-1]) == (-0.1, -0.4)
    unknown = heard("A b", [token("A", -0.1), token(" b", None)]).placed("A b")
    assert unknown is not None and unknown[1][0] == -0.1 and np.isnan(unknown[1][1])


@pytest.mark.parametrize(
    "half",
    [
        token("\ufffd", -0.3, PARROT[2:]),  # the last piece alone, with its bytes
        token("\ufffd", -0.3),  # and without
        token("<0xA6>", -0.3),
    ],
)
def test_a_character_of_which_one_piece_was_told_is_of_unknown_probability(half: dict[str, Any]) -> None:
    """llama.cpp holds back the first pieces of a character and streams the last one's probability alone."""
    placed = heard("A 🦜!", [token("A ", -0.1, b"A "), half, token("!", -0.4, b"!")]).placed("A 🦜!")
    assert placed is not None
    spans, nats = placed
    assert spans == [(0, 2), (2, 3), (3, 4)]
    assert (nats[0], nats[2]) == (-0.1, -0.4) and np.isnan(nats[1])


def test_a_character_whose_pieces_were_all_told_has_their_sum() -> None:
    byte_tokens = [token(f"<0x{byte:02X}>", -0.25) for byte in PARROT]
    content = [token("A", -0.1), token("▁", -0.2), *byte_tokens]
    placed = heard("A 🦜", content).placed("A 🦜")
    assert placed is not None
    spans, nats = placed
    assert sum(n for span, n in zip(spans, nats) if span == (2, 3)) == -1.0
    assert not np.isnan(nats).any()


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([said(content="a\ud83d"), said(content="\ude00b")], "a😀b"),  # one character over two events
        ([said(content="a\ud83d b")], "a\ufffd b"),  # half of one
        (
            [{"choices": [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]}],
            "A",
        ),
        (
            [
                {"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}}]},
                said(content="Hi"),
            ],
            THOUGHT + "Hi",
        ),
    ],
)
def test_what_strangers_servers_sent_is_read(events: list[Any], text: str) -> None:
    with loopback(streamed(events)) as held:
        model = connect(held)
        shown: list[str] = []
        made = model.generate(model.tokenize(CHAT), GenerationParams(), on_text=shown.append)
    assert made.text == text == shown[-1]
    assert all(part.encode() for part in shown)


def test_an_answer_that_ends_in_an_error_is_no_answer() -> None:
    ended = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "error"}]}
    with loopback(streamed([ended])) as held:
        model = connect(held)
        with pytest.raises(AppError, match="broke off its answer"):
            model.generate(model.tokenize(CHAT), GenerationParams())


def test_a_probability_above_one_is_unknown() -> None:
    placed = heard("A b", [token("A", 0.5), token(" b", 1e-7)]).placed("A b")
    assert placed is not None and np.isnan(placed[1][0]) and placed[1][1] == 0.0


def test_a_token_that_is_not_told_is_unknown_alone() -> None:
    placed = heard("A b c", [token("A", -0.1), token(" b", -0.2)]).placed("A b c")
    assert placed is not None
    assert placed[0] == [(0, 1), (1, 3), (3, 5)] and placed[1][:2] == [-0.1, -0.2] and np.isnan(placed[1][2])


@pytest.mark.parametrize("shown", ["\ufffd", ""])
def test_a_first_token_that_is_no_character_does_not_hide_that_probabilities_are_told(shown: str) -> None:
    """llama.cpp holds back a token that is part of a character, and tells no probability with it."""

    def holding(asked: Asked) -> Answer:
        body = asked.body or {}
        if "prompt" in body and not body.get("stream") and body["max_tokens"] <= 1:
            return Answer({"choices": [{"text": shown, "logprobs": None, "finish_reason": "length"}]})
        return full(asked)

    with loopback(without(holding, "/v1/chat/completions")) as held:
        model = connect(held)
        assert model.capabilities.own_probabilities
        made = model.generate(model.tokenize("Soup:"), GenerationParams())
    assert made.logprob_nats.tolist() == [-0.25] * len(ANSWER)


def test_a_server_that_fails_on_more_tokens_is_taken_as_it_answered_first() -> None:
    def short(asked: Asked) -> Answer:
        body = asked.body or {}
        if body.get("stream"):
            return plain(asked)
        if "prompt" in body and body["max_tokens"] > 1:
            return Answer({"error": {"message": "too long"}}, status=400)
        return Answer({"choices": [{"text": "\ufffd", "logprobs": None}]})

    with loopback(without(short, "/v1/chat/completions")) as held:
        can = connect(held).capabilities
    assert can.generate and not can.own_probabilities


def test_tokens_of_something_else_are_not_taken_for_the_answers() -> None:
    assert heard("Hello there", [token("zz", -1.0), token("yy", -1.0)]).placed("Hello there") is None
    assert heard("", []).placed("") is None


def test_thinking_has_no_probabilities_and_the_answer_keeps_its_own() -> None:
    events = [
        said(reasoning_content="hm"),
        {"choices": [{"delta": {"content": "Hi"}, "logprobs": {"content": [token("Hi", -0.5, b"Hi")]}}]},
    ]
    with loopback(streamed(events)) as held:
        model = connect(held)
        made = model.generate(model.tokenize(CHAT), GenerationParams())
    assert made.logprob_nats[-1] == np.float32(-0.5) and np.isnan(made.logprob_nats[:-1]).all()
    assert made.tokens.strings[-1] == "Hi"


def test_the_start_of_a_stop_text_is_held_back_until_it_is_sure() -> None:
    pieces = ["12", "34", "5", "x4", "567", "89"]
    with loopback(streamed([said(content=p) for p in pieces])) as held:
        model = connect(held)
        shown: list[str] = []
        made = model.generate(model.tokenize(CHAT), GenerationParams(stop=("4567",)), on_text=shown.append)
    assert (made.text, made.stop_reason) == ("12345x", "stop")
    assert shown == ["12", "123", "12345x"]  # "4" and "45" might have been the beginning of 4567


def test_what_began_like_a_stop_text_and_was_none_is_shown_at_the_end() -> None:
    with loopback(streamed([said(content="12"), said(content="345")])) as held:
        model = connect(held)
        shown: list[str] = []
        made = model.generate(model.tokenize(CHAT), GenerationParams(stop=("4567",)), on_text=shown.append)
    assert made.text == "12345" and shown == ["12", "123", "12345"]
