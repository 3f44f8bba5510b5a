"""The page at `/docs`: complete, without a script or anything from elsewhere, and with examples that work."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from core.server.docs_page import EXAMPLES, page


def test_every_endpoint_and_field_is_on_the_page(client: TestClient) -> None:
    answer = client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"{path}</code></h2>" in answer.text
    for field in ("inputs[].target_mask", "max_new_tokens", "[].grad_dot_input", "values"):
        assert f"<code>{field}</code>" in answer.text


def test_the_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    text = client.get("/docs").text
    assert "<script" not in text
    assert re.findall(r"(?:src|href)='([^']*)'", text) == ["openapi.json"]
    assert not re.search(r"https?://", text)


def test_what_the_document_says_is_escaped() -> None:
    hostile = "<script>alert(1)</script>"
    operation = {"description": hostile, "responses": {"200": {"description": hostile}}}
    text = page({"info": {"title": hostile, "version": hostile}, "paths": {"/x": {"get": operation}}})
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 5


@pytest.mark.parametrize("path", EXAMPLES)
def test_its_examples_work(client: TestClient, path: str) -> None:
    assert client.post(path, json=EXAMPLES[path]).status_code == 200
