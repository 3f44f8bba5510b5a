"""The room that is kept on a page for what the browser draws later, in steps that the page and its style share."""

ROOM_STEP = 24
"""Pixels of one step."""
ROOM_STEPS = 90
"""No more are kept: further down nothing is seen at once."""
