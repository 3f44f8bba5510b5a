"""Models that are asked over a wire. Knows no weights."""
