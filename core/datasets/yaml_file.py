"""`.yaml`: promptfoo's configurations and tests, and lists of objects; read with PyYAML's safe loader only."""

from __future__ import annotations

import yaml

from core.datasets.bounds import Bounds
from core.datasets.encoding import decode
from core.datasets.json_file import reading_of
from core.datasets.rows import Reading
from core.datasets.whole import rows_of
from core.errors import AppError

MOST_BYTES = 10_000_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(data: bytes, bounds: Bounds) -> Reading:
    """Raises `AppError` for what is no YAML, is too large, or holds no rows."""
    if len(data) > MOST_BYTES:
        raise AppError(
            f"The YAML file has {len(data):,} bytes; at most {MOST_BYTES:,} are read.",
            hint="Save it as JSON Lines.",
            code="too_large",
        )
    decoded = decode(data)
    try:
        documents = [one for one in yaml.load_all(decoded.text, _LOADER) if one is not None]  # a safe loader
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise AppError(f"The file is not YAML: {error.problem or error.context}{where}.") from error
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError) as error:
        raise AppError("The file is not YAML that can be read.") from error
    if not documents:
        return Reading(())
    found = rows_of(documents if len(documents) > 1 else documents[0])
    return reading_of(found, [decoded.note] if decoded.note else [])
