"""Whence: which part of a prompt made a language model say that. Floors and imports: docs/architecture.md."""
