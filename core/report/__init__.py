"""What is on the screen, to take away: a table (CSV), everything (JSON), or an HTML file for any browser.

`ShownMap` says what is shown; `tables` and `page` write it. Knows no model, no page of the app and no store.
"""

from core.report.page import to_html
from core.report.shown import ShownMap
from core.report.tables import to_csv, to_json

__all__ = ["ShownMap", "to_csv", "to_html", "to_json"]
