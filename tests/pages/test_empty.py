"""Every page on a dataset without examples: a sentence, never a failure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.service import Service
from core.settings import ROOT

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_dataset(page: str, open_app: Callable[..., AppTest], fake_service: Service) -> None:
    dataset = fake_service.store.workspace().datasets.add("none", [])
    app = open_app(page, dataset=dataset.id)
    said = " ".join(box.value for box in (*app.error, *app.info))
    if page not in ("models", "trust"):  # what they show is about models
        assert any(words in said for words in ("no examples", "no rows", "Choose what to change")), said
