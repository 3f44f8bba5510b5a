"""A folder's revision: what changes a number changes it, what is only said about the model does not."""

from __future__ import annotations

from pathlib import Path

from core.models.folder import revision


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
