"""A template that silently leaves out a turn: the model still reads it, or it is said that it cannot."""

from __future__ import annotations

import pytest

from core.errors import AppError
from core.models.local import chat
from core.records import Message
from tests.unit.conftest import make_tokenizer

NO_SYSTEM = (
    "{% for m in messages %}{% if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endif %}{% endfor %}"
)
PARTS_ONLY = (
    "{% for m in messages %}[{{ m.role }}]{% for p in m.content %}"
    "{% if p['type'] == 'text' %}{{ p['text'] }}{% endif %}{% endfor %}{% endfor %}"
)
NOTHING = "[user][model]"


def rendered(template: str, *turns: tuple[str, str]) -> chat.Rendered:
    tokenizer = make_tokenizer()
    tokenizer.chat_template = template
    return chat.render(tokenizer, [Message(role, content) for role, content in turns])


def test_a_system_turn_that_is_left_out_goes_before_the_users_first():
    made = rendered(NO_SYSTEM, ("system", "Be brief."), ("user", "Why?"))
    assert made.text == "[user]Be brief.\n\nWhy?"
    assert [made.text[a:b] for a, b in made.turns] == ["Be brief.\n\nWhy?"]


def test_content_that_is_read_as_parts_only_is_sent_as_parts():
    made = rendered(PARTS_ONLY, ("system", "Be brief."), ("user", "Why?"))
    assert made.text == "[system]Be brief.[user]Why?"
    assert [made.text[a:b] for a, b in made.turns] == ["Be brief.", "Why?"]


def test_a_template_that_reads_nothing_of_the_user_is_refused():
    with pytest.raises(AppError, match="leaves out what the user wrote"):
        rendered(NOTHING, ("user", "Why?"))
