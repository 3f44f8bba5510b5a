"""What a page sent to its bar tables, for tests of pages: the browser draws them, Python only describes them."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def bar_tables(app: AppTest) -> list[dict[str, Any]]:
    """Every table on the page, as `core.ui.shell.bar_table.described` made it."""
    found = [json.loads(element.proto.json or "{}") for element in app.get("bidi_component")]
    return [data for data in found if data.get("panels")]
