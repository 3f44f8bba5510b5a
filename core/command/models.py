"""`whence models` and `whence plugins`: what is on this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from core.command.screen import clean


def add(commands: Any) -> None:
    """Adds `models` to the command line."""
    models = commands.add_parser("models", help="models that are on this machine")
    models.add_argument("--json", action="store_true")
    models.set_defaults(run=_models)
    plugins = commands.add_parser("plugins", help="what other packages add, and what keeps it out")
    plugins.add_argument("--json", action="store_true")
    plugins.set_defaults(run=_plugins)


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


def _plugins(asked: argparse.Namespace) -> int:
    """Lists them after loading their families; the exit status is 1 where one is left out."""
    from core import datasets, metrics, models, plugins, salience

    # Loading a family is what tells whether a plugin can be used.
    families = (salience.METHODS, metrics.METRICS, datasets.SOURCES, models.BACKENDS, plugins.pages())
    assert all(family is not None for family in families)
    listed = plugins.found()
    if asked.json:
        print(json.dumps([asdict(one) for one in listed], ensure_ascii=False, indent=1))
    else:
        for one in listed:
            said = f"left out: {one.why}" if one.why else "in use"
            print(clean(f"{plugins.GROUPS[one.group]}  {one.name}  {one.package} {one.version}  {said}"))
        if not listed:
            print("No installed package adds anything.")
    return 1 if any(one.why for one in listed) else 0
