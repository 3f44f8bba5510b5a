"""A chat template cannot take the time or the memory of the machine, and each of its faults is a sentence."""

from __future__ import annotations

import copy
import sys
from typing import Any

import pytest
from transformers.utils import chat_template_utils

from core.errors import AppError
from core.models.local import template_bounds
from core.models.local.chat import render
from core.records import Message

USER = [Message("user", "Hello there")]
PLAIN = "{% for m in messages %}{{ m['role'] ~ ': ' ~ m['content'] }}\n{% endfor %}"


@pytest.fixture
def using(load_tiny: Any) -> Any:
    """`using(template)`: the tiny model's tokenizer with another chat template."""

    def make(template: str) -> Any:
        tokenizer = copy.copy(load_tiny().tokenizer)
        tokenizer.chat_template = template
        return tokenizer

    return make


def test_transformers_compiles_templates_in_the_bounded_sandbox(using: Any) -> None:
    compiled = chat_template_utils._compile_jinja_template(PLAIN)
    assert isinstance(compiled.environment, template_bounds.BoundedEnvironment)
    assert render(using(PLAIN), USER).text == "user: Hello there\n"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 300000000 }}",
        "{% set n = 300000000 %}{{ n * 'a' }}",
        "{{ 10 ** 100000 }}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s='a') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format('a') }}",
        "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
        "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
        "{{ ['a'] * 4000000 | join('b' * 4000000) }}",
        "{{ ('b' * 4000000).join(['a'] * 1000) }}",
    ],
)
def test_no_step_makes_text_without_bound(using: Any, template: str) -> None:
    with pytest.raises(
        AppError, match=r"template is faulty: it makes text of more than 5,000,000 characters"
    ):
        render(using(template), USER)


def test_what_comes_out_has_a_largest_size(using: Any) -> None:
    with pytest.raises(AppError, match=r"wrote 10,000,000 characters"):
        render(using("{% set a = 'a' * 1000 %}{% for i in range(10000) %}{{ a }}{% endfor %}"), USER)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% set c = b %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{{ m(n + 1) ~ m(n + 1) if n < 60 }}{% endmacro %}{{ m(0) }}",
    ],
)
def test_the_clock_stops_a_template(using: Any, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_bounds.clocked.__wrapped__, "__defaults__", (0.05,))
    before = sys.gettrace()
    with pytest.raises(AppError, match=r"did not end within 0\.05 seconds"):
        render(using(template), USER)
    assert sys.gettrace() is before


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ messages[0]['content'] }", r"is faulty in its line 1: unexpected '}'"),
        ("{{ messages[0]['role'] + 1 }}", "is faulty: can only concatenate str"),
        ("{{ messages[7]['role']['x'] }}", "refuses this conversation"),
        ("{% include 'x' %}", "is faulty"),
        ("{{ 1 / 0 }}", "is faulty: division by zero"),
    ],
)
def test_faults_of_a_template_are_sentences(using: Any, template: str, message: str) -> None:
    with pytest.raises(AppError, match=message):
        render(using(template), USER)


def test_a_turn_that_the_template_rewrites_cannot_go_on(using: Any) -> None:
    turns = [*USER, Message("assistant", "<think>hm</think>\nSunny ")]
    with pytest.raises(AppError, match="rewrites the assistant's last turn"):
        render(
            using("{% for m in messages %}{{ m['content'].split('</think>')[-1] | upper }}{% endfor %}"),
            turns,
        )
