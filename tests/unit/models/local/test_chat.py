"""Conversations: the template's own ids, and which characters the person wrote."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import AppError
from core.models.local.chat import render
from core.records import Message, Role

CONVERSATIONS = [
    [Message("user", "The soup")],
    [Message("user", " user "), Message("assistant", "ok\n"), Message("user", "model <é🙂>")],
    [Message("system", "Be kind."), Message("user", "Be kind."), Message("assistant", "Yes, be")],
]


def written(tokens) -> str:
    return "".join(s for s, role in zip(tokens.strings, tokens.role) if role == Role.PROMPT)


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_ids_are_the_templates_own(load_tiny, messages):
    model = load_tiny()
    tokens = model.tokenize(messages)
    last = messages[-1].role == "assistant"
    expected = model.tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.content} for m in messages],
        add_generation_prompt=not last,
        continue_final_message=last,
        return_dict=True,
    )["input_ids"]
    assert tokens.ids.tolist() == expected
    assert (tokens.ids == model.tokenizer.bos_token_id).sum() == 1
    assert tuple(tokens.char_spans[0]) == (0, 0) and tokens.special[0]
    assert tokens.special[[s == "<start_of_turn>" for s in tokens.strings]].all()


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_only_what_the_person_wrote_is_prompt(load_tiny, messages):
    tokens = load_tiny().tokenize(messages)
    one_unit = dict.fromkeys(  # tokens of one character show the same text: take it once
        (int(a), int(b)) for (a, b), role in zip(tokens.char_spans, tokens.role) if role == Role.PROMPT
    )
    text = "".join(tokens.text[a:b] for a, b in one_unit)
    assert text == "".join(m.content.strip() for m in messages)


class Template:
    """A tokenizer as far as `render` needs it."""

    bos_token = "<s>"
    chat_template = "there is one"

    def __init__(self, form="{role}: {content}\n", refuses="", bos="<s>", refusal=""):
        self.form, self.refuses, self.bos, self.refusal = form, refuses, bos, refusal

    def apply_chat_template(self, turns, **_):
        from jinja2 import TemplateError

        if any(turn["role"] == self.refuses for turn in turns):
            raise TemplateError(self.refusal or f"no {self.refuses} here")
        return self.bos + "".join(self.form.format(**turn) for turn in turns)


def test_a_refused_system_turn_begins_the_first_user_turn():
    text, turns, begins = render(Template(refuses="system"), [Message("system", "S"), Message("user", "U")])
    assert text == "user: S\n\nU\n" and begins
    assert [text[a:b] for a, b in turns] == ["S\n\nU"]


def test_what_is_refused_otherwise_is_a_sentence():
    with pytest.raises(AppError, match="refuses this conversation: no user here"):
        render(Template(refuses="user"), [Message("user", "U")])
    said = Template(refuses="user", refusal="Roles must alternate user/assistant/...")
    with pytest.raises(AppError, match=r"Roles must alternate user/assistant\. Turns should alternate"):
        render(said, [Message("user", "U")])
    with pytest.raises(AppError, match="no turns"):
        render(Template(), [])


def test_a_template_without_a_beginning_gets_none():
    assert render(Template(bos=""), [Message("user", "U")]).begins is False


def test_a_template_that_rewrites_a_turn_still_shows_its_words():
    class Shouts(Template):
        def apply_chat_template(self, turns, **_):
            return "".join(f"[{t['content']}]" if "secret" not in t["content"] else "??" for t in turns)

    messages = [Message("user", "secret"), Message("assistant", "ok"), Message("user", "no")]
    text, turns, _ = render(Shouts(), messages)
    assert text == "??[ok][no]" and [text[a:b] for a, b in turns] == ["ok", "no"]


def test_a_pasted_template_has_one_beginning(load_tiny):
    model = load_tiny()
    messages = [Message("user", "The soup")]
    pasted = model.tokenize("<bos>" + render(model.tokenizer, messages).text)
    assert pasted.ids.tolist() == model.tokenize(messages).ids.tolist()
    assert pasted.strings[0] == "<bos>" and pasted.special[0]


def test_without_a_template_turns_are_raw_text(load_tiny, monkeypatch):
    model = load_tiny()
    monkeypatch.setattr(model.tokenizer, "chat_template", None)
    tokens = model.tokenize([Message("user", "The soup"), Message("assistant", "ok")])
    raw = model.tokenize("The soup\n\nok")
    np.testing.assert_array_equal(tokens.ids, raw.ids)
    assert written(tokens) == "The soupok"
