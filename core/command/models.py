"""`whence models`: what is on this machine."""

from __future__ import annotations

import argparse
import json
from typing import Any

from core.command.screen import clean


def add(commands: Any) -> None:
    """Adds `models` to the command line."""
    models = commands.add_parser("models", help="models that are on this machine")
    models.add_argument("--json", action="store_true")
    models.set_defaults(run=_models)


def _models(asked: argparse.Namespace) -> int:
    from core.models.configured import configured_specs
    from core.models.local.found_models import find
    from core.settings import settings

    rows: list[dict[str, Any]] = [
        {"name": spec.name, "path": spec.path, "found_by": "MODEL_CONFIG", "precision": spec.precision}
        for spec in configured_specs(settings())
    ]
    rows += [
        {
            "name": one.name,
            "path": str(one.path),
            "found_by": one.program,
            "bytes": one.bytes,
            "why_not": one.why,
        }
        for one in find()
    ]
    if asked.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for row in rows:
        print("  ".join(clean(str(row[name])) for name in ("name", "found_by", "path")))
    return 0
