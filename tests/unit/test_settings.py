"""A setting that is none is told in a sentence, by its name, not as a traceback."""

from __future__ import annotations

import tomllib

import pytest

from core import settings
from core.errors import AppError
from core.settings import ROOT


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BATCH_SIZE", "many", "The setting BATCH_SIZE is 'many'. Input should be a valid integer"),
        ("WHENCE_MODE", "shared", "The setting mode is 'shared'. Input should be 'local' or 'hosted'."),
        ("MAX_EXAMPLES", "0", "The setting MAX_EXAMPLES is '0'. Input should be greater than or equal to 1."),
    ],
)
def test_a_malformed_setting_is_a_sentence(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    settings.settings.cache_clear()
    with pytest.raises(AppError) as caught:
        settings.settings()
    assert str(caught.value).startswith(told)
    monkeypatch.undo()
    assert settings.settings().batch_size == 16


def test_a_tables_own_csv_which_keeps_formulas_is_taken_away_on_every_page() -> None:
    told = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert told["client"]["disableDataExport"] is True
