"""`.txt`: one prompt a line, exactly as it stands; empty lines are passed over."""

from __future__ import annotations

from core.datasets.bounds import Bounds
from core.datasets.encoding import decode
from core.datasets.rows import Reading


def read_txt(data: bytes, bounds: Bounds) -> Reading:
    decoded = decode(data)
    lines = (line.removesuffix("\r") for line in decoded.text.split("\n"))
    rows = [(number, {"prompt": line}) for number, line in enumerate(lines, 1) if line.strip()]
    return Reading(rows, [decoded.note] if decoded.note else [])
