"""Whence: which part of a prompt made a language model say that. Floors and imports: docs/architecture.md.

The names below are the public ones (`import whence` once installed). Each is loaded when it is first used, so importing
this package costs next to nothing and loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.errors import AppError as AppError
    from core.library.comparison import Comparison as Comparison
    from core.library.explaining import aexplain as aexplain
    from core.library.explaining import explain as explain
    from core.library.explaining import explain_many as explain_many
    from core.library.explanation import Explanation as Explanation
    from core.library.lit import from_lit as from_lit
    from core.library.opened_app import app as app
    from core.library.opening import OpenedModel as OpenedModel
    from core.library.opening import open_model as open_model
    from core.library.part import Part as Part
    from core.records import GenerationParams as GenerationParams
    from core.records import Message as Message

__version__ = "0.1.0"

_WHERE = {
    "AppError": "errors",
    "Comparison": "library.comparison",
    "Explanation": "library.explanation",
    "GenerationParams": "records",
    "OpenedModel": "library.opening",
    "Message": "records",
    "Part": "library.part",
    "aexplain": "library.explaining",
    "app": "library.opened_app",
    "explain": "library.explaining",
    "explain_many": "library.explaining",
    "from_lit": "library.lit",
    "open_model": "library.opening",
}
"""Public names and the module of each, below this package."""

__all__ = ["__version__", *sorted(_WHERE)]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext whence`: adds the cell magic `%%why`."""
    importlib.import_module(f"{__name__}.library.magics").register(shell)
