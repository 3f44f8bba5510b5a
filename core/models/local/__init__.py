"""Models whose weights are read on this machine. Knows no server."""
