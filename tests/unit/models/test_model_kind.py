"""Templates of the kinds that are out there, and the line that says what was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models.local.folder import chat_template
from core.models.model_kind import kind_of, what_is_sent

CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
TURNS = "{{ bos_token }}{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>{% endfor %}"


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("", "base"),
        ("  \n", "base"),
        (CHATML, "chat"),
        (TURNS, "chat"),
        (CHATML + "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}", "thinking"),
        (CHATML + "<|Assistant|><think>\n", "thinking"),
        ("{% if m.reasoning_content %}{{ m.reasoning_content }}{% endif %}" + CHATML, "thinking"),
        ("<|start|>assistant<|channel|>analysis", "thinking"),
        ("[INST]{{ m.content }}[/INST][THINK]", "thinking"),
        ("{# I think of <b> a thinking cap #}" + CHATML, "chat"),
    ],
)
def test_the_template_tells_the_kind(template: str, kind: str) -> None:
    assert kind_of(template) == kind


def test_each_kind_and_way_has_a_line_of_its_own() -> None:
    lines = [what_is_sent(kind, chat=chat) for kind in ("base", "chat", "thinking") for chat in (False, True)]
    assert len(set(lines)) == 6 and all(line.count("\n") == 0 for line in lines)
    assert "blank lines" in what_is_sent("base", chat=True)
    assert "without the model's template" in what_is_sent("chat", chat=False)


@pytest.mark.parametrize(
    ("sent", "opened"),
    [
        ("<|im_start|>assistant\n", False),
        ("<|im_start|>assistant\n<think>\n", True),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
    ],
)
def test_a_template_that_opened_the_thinking_is_told(sent: str, opened: bool) -> None:
    assert ("opened its thinking" in what_is_sent("thinking", chat=True, sent=sent)) is opened


def test_several_named_templates_are_read_from_the_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(
        '{"chat_template": [{"name": "default", "template": "A"}, {"name": "tool_use", "template": "<think>"}]}'
    )
    assert chat_template(tmp_path) == "A\n<think>"
    assert kind_of(chat_template(tmp_path)) == "thinking"
