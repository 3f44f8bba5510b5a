"""`whence` in a terminal: explain a prompt, open the app, serve a model, list what is here."""

from core.command.main import main

__all__ = ["main"]
