"""The token view's browser half, and the data that it draws: the same in the app and in a notebook.

HTML, CSS and JavaScript as they stand in this folder, joined and never built; `Scores` and `view_data` make what they
are given. Knows no page, no widget library, no model.
"""

from core.token_view.names import part_names
from core.token_view.scores import Scores, chosen_weights, pack
from core.token_view.view import PANELS, Panel, html, prompt_id, script, style, view_data

__all__ = [
    "PANELS",
    "Panel",
    "Scores",
    "chosen_weights",
    "html",
    "pack",
    "part_names",
    "prompt_id",
    "script",
    "style",
    "view_data",
]
