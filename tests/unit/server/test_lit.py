"""LIT's three endpoints: the wire's form, and the behaviour that is mended."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.unit.fake_model import FakeModel

JSON = {"Content-Type": "application/json"}


def test_predict_answers_in_order_and_batches_of_any_size(client: TestClient) -> None:
    inputs = [{"prompt": "ab" * (i % 5 + 1) + str(i), "_id": "x", "_meta": {}} for i in range(23)]
    answer = client.post("/predict", json={"inputs": inputs})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert [one["response"] for one in answer.json()] == [i["prompt"][::-1][:3] for i in inputs]


@pytest.mark.parametrize("path", ["/predict", "/tokenize", "/salience"])
def test_an_empty_list_gives_an_empty_list(client: TestClient, path: str) -> None:
    assert client.post(path, json={"inputs": []}).json() == []


@pytest.mark.parametrize("path", ["//tokenize", "/tokenize/", "//tokenize//"])
def test_doubled_and_trailing_slashes_are_accepted(client: TestClient, path: str) -> None:
    answer = client.post(f"http://testserver{path}", json={"inputs": [{"prompt": "a b", "target": "c"}]})
    assert answer.json() == [{"tokens": ["a", "\u2581", "b", "c"]}]


def test_salience_has_the_losss_sign_and_explains_the_target_by_default(client: TestClient) -> None:
    item = {"prompt": "abc", "target": "xy"}
    whole = client.post("/salience", json={"inputs": [item]}).json()
    assert whole == [
        {"tokens": list("abcxy"), "grad_l2": [7, 5, 3, 1, 0], "grad_dot_input": [-7, -5, -3, -1, 0]}
    ]
    masked = {**item, "target_mask": [1, 0, 1, 0, 1.0]}
    one = client.post("/salience", json={"inputs": [masked]}).json()[0]
    assert one["grad_dot_input"] == [-6, -4, -2, -1, 0]
    none = {**item, "target_mask": [0, 0, 0, 0, 0]}
    assert client.post("/salience", json={"inputs": [none]}).json()[0]["grad_l2"] == [0] * 5


def test_a_wrong_mask_is_a_422_with_both_lengths(client: TestClient) -> None:
    item = {"prompt": "abc", "target": "xy", "target_mask": [0, 1]}
    answer = client.post("/salience", json={"inputs": [{"prompt": "a", "target": "b"}, item]})
    assert answer.status_code == 422
    message = answer.json()["error"]["message"]
    assert "inputs.1" in message
    assert "2 values" in message
    assert "5 tokens" in message


def test_what_the_model_wrote_is_not_tokenised_again(client: TestClient, model: FakeModel) -> None:
    written = client.post("/predict", json={"inputs": [{"prompt": "abc"}]}).json()[0]["response"]
    before = model.tokenize

    def refuse(prompt: str, response: str | None = None) -> object:
        assert response != written, "the written ids should have been used"
        return before(prompt, response)

    model.tokenize = refuse  # type: ignore[method-assign, assignment]
    answer = client.post("/salience", json={"inputs": [{"prompt": "abc", "target": written}]})
    assert answer.status_code == 200
    assert answer.json()[0]["tokens"] == list("abccba")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "inputs"),
        ({"inputs": {}}, "list"),
        ({"inputs": [{}]}, "prompt"),
        ({"inputs": [{"prompt": 3}]}, "string"),
        ({"inputs": [{"prompt": ""}]}, "empty"),
        ({"inputs": [{"prompt": "\ud800"}]}, "surrogate"),
        ({"inputs": [{"prompt": "a", "target": "b", "target_mask": [0, 2]}]}, "0 or 1"),
        ({"inputs": [{"prompt": "a", "target": "b", "target_mask": "01"}]}, "list"),
        ({"inputs": [{"prompt": "a"}]}, "nothing to explain"),
    ],
)
def test_the_callers_faults_are_422_in_json(client: TestClient, body: object, word: str) -> None:
    answer = client.post("/salience", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert word in answer.json()["error"]["message"]


def test_a_body_that_is_no_json_is_a_400(client: TestClient) -> None:
    answer = client.post("/predict", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_json"


def test_a_body_nested_beyond_all_measure_is_a_400(client: TestClient) -> None:
    answer = client.post("/predict", content=b"[" * 100_000, headers=JSON)
    assert answer.status_code == 400
    assert "nested" in answer.json()["error"]["message"]


def test_a_body_that_does_not_say_what_it_is_is_told_how(client: TestClient) -> None:
    for headers in (
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ):
        answer = client.post("/predict", content=b'{"inputs": []}', headers=headers)
        assert answer.status_code == 422
        assert "application/json" in answer.json()["error"]["hint"]
    listed = client.post("/predict", content=b"[]", headers=JSON)
    assert "dictionary" in listed.json()["error"]["message"]


def test_a_bug_is_a_500_without_its_details(
    client: TestClient, model: FakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("secret detail")

    model.generate_batch = broken  # type: ignore[method-assign, assignment]
    answer = client.post("/predict", json={"inputs": [{"prompt": "abc"}]})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_lengths_are_told(make_app: Callable[..., FastAPI]) -> None:
    with TestClient(make_app(max_prompt_chars=10)) as client:
        answer = client.post("/predict", json={"inputs": [{"prompt": "a" * 11}]})
    assert answer.status_code == 413
    assert "11 characters" in answer.json()["error"]["message"]
    assert "at most 10" in answer.json()["error"]["message"]


def test_more_tokens_than_the_model_reads_is_a_413(client: TestClient) -> None:
    answer = client.post("/tokenize", json={"inputs": [{"prompt": "a" * 300}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")
