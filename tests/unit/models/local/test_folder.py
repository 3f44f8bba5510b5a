"""A folder's revision: what changes a number changes it, what is only said about the model does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.models.local.folder import has_chat_template, revision


def test_revision_follows_weights_and_configuration_alone(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    first = revision(tmp_path)
    (tmp_path / "README.md").write_text("a card")
    (tmp_path / "evaluation.json").write_text("{}")
    assert revision(tmp_path) == first
    (tmp_path / "config.json").write_text('{"layers": 2}')
    second = revision(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"others")
    assert len({first, second, revision(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"chat_template.jinja": "{{ messages }}"}, True),
        ({"tokenizer_config.json": '{"chat_template": "{{ messages }}"}'}, True),
        ({"tokenizer_config.json": '{"chat_template": null}'}, False),
        ({"tokenizer_config.json": "[1]"}, False),
        ({"tokenizer_config.json": "no json"}, False),
        ({}, False),
    ],
)
def test_a_chat_template_is_found_in_either_place(tmp_path: Path, files: dict[str, str], found: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert has_chat_template(tmp_path) is found
