"""The licences of real models that must be read before they are fetched; in `data/licenses`."""

from __future__ import annotations

from core.models.local.real_models import RealModel
from core.settings import ROOT

TERMS = ROOT / "data" / "licenses"


def terms(model: RealModel) -> str:
    """The licence's text; empty for one that asks nobody to accept it."""
    file = TERMS / f"{model.name}.txt"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
