from __future__ import annotations

import pickle

import pytest

from core.errors import AppError
from core.models.remote.secrets import Secrets, base_address

URL = "https://models.example/v1"


def test_a_token_belongs_to_one_address() -> None:
    secrets = Secrets({})
    secrets.remember(URL + "/#some/model", " abc ")
    assert secrets.token(URL).get_secret_value() == "abc"
    assert not secrets.known("https://other.example/v1")
    assert not secrets.known("http://models.example/v1")
    secrets.remember(URL, "")
    assert not secrets.known(URL)


def test_it_never_shows_or_stores_a_token() -> None:
    secrets = Secrets({})
    secrets.remember(URL, "abc")
    assert "abc" not in repr(secrets) + str(secrets.token(URL)) + repr(secrets.token(URL))
    with pytest.raises(TypeError, match="stay in this process"):
        pickle.dumps(secrets)


def test_tokens_of_the_environment_go_only_where_they_were_meant() -> None:
    environment = {
        "WHENCE_REMOTE_TOKENS": f"{URL}=one=1 http://localhost:8000=two",
        "OPENAI_API_KEY": "three",
        "GEMINI_API_KEY": "four",
    }
    secrets = Secrets(environment)
    assert secrets.token(URL).get_secret_value() == "one=1"
    assert secrets.token("http://localhost:8000/").get_secret_value() == "two"
    assert secrets.token("https://api.openai.com/v1").get_secret_value() == "three"
    assert not secrets.known("http://api.openai.com/v1")  # never in the clear
    assert not secrets.known("https://api.openai.com.evil.example/v1")
    assert secrets.token("https://generativelanguage.googleapis.com").get_secret_value() == "four"


@pytest.mark.parametrize("token", ["a b", "a\nb", "a\r\nX-Other: 1", "é"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(AppError, match="letters, digits and signs"):
        Secrets({}).remember(URL, token)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://a.example", "http"),
        ("a.example/v1", "http"),
        ("http://", "name a server"),
        ("https://me:pw@a.example", "no user name"),
        ("https://a.example?key=1", "no user name"),
        ("http://a.example:99999", "cannot be read"),
    ],
)
def test_addresses_that_are_refused(url: str, told: str) -> None:
    with pytest.raises(AppError, match=told) as caught:
        base_address(url)
    assert "pw" not in str(caught.value)


def test_addresses_in_one_form() -> None:
    assert base_address(" HTTP://Host:80/v1/#m ") == "http://host:80/v1"
    assert base_address("http://[::1]:8000") == "http://[::1]:8000"
