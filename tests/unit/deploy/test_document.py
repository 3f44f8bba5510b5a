"""docs/deploy.md: every command says whether it was run, and names only what exists."""

from __future__ import annotations

import re

from core.server.config import ServerSettings
from core.settings import ROOT, Settings

TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    """The indented commands, continued lines joined."""
    block = [line[4:] for line in TEXT.splitlines() if line.startswith("    ") and line.strip()]
    return re.sub(r"\\\n\s*", " ", "\n".join(block)).splitlines()


def test_every_command_is_marked() -> None:
    assert len(commands()) >= 15
    unmarked = [one for one in commands() if not re.search(r"# (run|not run here)\b", one)]
    assert unmarked == []


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"(?<![\w/.-])(?:deploy|tools|docs|core|data)/[\w./-]*\w", TEXT))
    missing = [name for name in sorted(named) if not (ROOT / name).exists()]
    assert missing == []


def test_variables_of_the_table_are_settings() -> None:
    known = {"WHENCE_ROLE", "WHENCE_REMOTE_TOKENS", "HF_TOKEN"}
    for model, prefix in ((Settings, "WHENCE_"), (ServerSettings, "WHENCE_SERVER_")):
        for name, field in model.model_fields.items():
            known.add(f"{prefix}{name.upper()}")
            known |= set(getattr(field.validation_alias, "choices", ()))
    table = "\n".join(line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `"))
    named = {name.replace("…_", "WHENCE_SERVER_") for name in re.findall(r"`([A-Z…_]+)`", table)}
    assert len(named) > 15
    assert named <= known
