"""What makes the installable package `whence` of `core/`, the pages and the data (hatchling's hooks)."""
