"""Sphinx builds the site from docs/ and the docstrings of `whence` (`make docs`). Nothing in it asks the network."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tools.wheel.package import build  # noqa: E402

# The API stands under the name that people import: the package as the wheel holds it.
PACKAGE = Path(tempfile.mkdtemp(prefix="whence-docs-"))
build(HERE.parent, PACKAGE)
sys.path.insert(0, str(PACKAGE))
os.environ["PYTHONPATH"] = str(PACKAGE)  # the notebooks' kernels
os.environ["PLOTLY_RENDERER"] = "notebook"  # figures bring their library along

import whence  # noqa: E402

project = "Whence"
author = "The Whence team"
release = version = whence.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["plugin-template/src"]
html_theme = "furo"
html_title = "Whence"
html_static_path = ["_static"]
html_css_files = ["whence.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
templates_path: list[str] = []

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
# Widgets need a kernel, which a page has not: the static HTML beside them is what is shown. No script from elsewhere.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [("html", "text/html", 0)]

autodoc_typehints = "signature"
autodoc_class_signature = "separated"  # fields stand below a record; nobody calls its constructor by position
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
default_role = "literal"  # docstrings write `code` as Markdown does


def _without_network(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Takes out what Plotly would fetch, and refuses a page that would still fetch something."""
    body = re.sub(
        r"<script[^>]*\bsrc=\"https?:[^\"]*mathjax[^\"]*\"[^>]*></script>", "", context.get("body", "")
    )
    if found := re.search(r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^\"]*", body):
        raise ExtensionError(f"{page} would ask the network: {found.group()}")
    context["body"] = body


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", _without_network)
