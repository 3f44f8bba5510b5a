"""How an explanation shows itself in a notebook: the widget where a kernel runs, a still picture where none does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from core.errors import AppError

if TYPE_CHECKING:
    from core.library.explanation import Explanation
    from core.library.widget import SalienceWidget


def kernel_runs() -> bool:
    """Whether this process is a notebook's kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def widget_of(explanation: Explanation) -> SalienceWidget:
    """The coloured text to hover and click. Raises: AppError without the extra `notebook`."""
    try:
        from core.library.widget import SalienceWidget
    except ImportError as missing:
        raise AppError(
            f"The widget needs {missing.name}, which is not installed.",
            hint='pip install "whence[notebook]"',
        ) from missing
    return SalienceWidget(explanation)


def mime_bundle(explanation: Explanation) -> dict[str, Any]:
    """What a front end may choose from, by MIME type."""
    bundle = {"text/plain": repr(explanation), "text/html": explanation._repr_html_()}
    if kernel_runs():
        try:
            drawn = explanation.widget()._repr_mimebundle_()
        except AppError:
            return bundle
        bundle |= (drawn[0] if isinstance(drawn, tuple) else drawn) or {}
        bundle["text/plain"] = repr(explanation)
    return bundle
