"""`whence app` and `whence serve`: the pages, and the model server."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import AppError
from core.settings import ROOT


def add(commands: Any) -> None:
    """Adds `app` and `serve` to the command line."""
    app = commands.add_parser("app", help="open the app in the browser")
    app.add_argument("--host", default="127.0.0.1")
    app.add_argument("--port", type=int, default=8501)
    app.set_defaults(run=_app)
    serve = commands.add_parser("serve", help="serve a model to other programs (predict, tokenize, salience)")
    serve.add_argument("--model", help="folder or hub name (else the first of MODEL_CONFIG)")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.set_defaults(run=_serve)


def needs(module: str, extra: str) -> None:
    """Raises: AppError where `module`, which the extra brings, is not installed."""
    if importlib.util.find_spec(module) is None:
        raise AppError(f"This needs the extra “{extra}”.", hint=f'pip install "whence[{extra}]"')


def options(config: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Streamlit's settings of a config.toml as options of its command line; lists (heading sizes) are left to it."""
    for name, value in config.items():
        where = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from options(value, f"{where}.")
        elif not isinstance(value, list):
            yield f"--{where}={str(value).lower() if isinstance(value, bool) else value}"


def _app(asked: argparse.Namespace) -> int:
    needs("streamlit", "app")
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")),
        *options(config),
        *(f"--server.address={asked.host}", f"--server.port={asked.port}"),
    ]
    print(f"Whence opens at http://{asked.host}:{asked.port}  (Ctrl+C ends it)", file=sys.stderr)
    package = __name__.partition(".")[0]
    path = os.pathsep.join(
        filter(None, (str(ROOT) if package == "core" else "", os.environ.get("PYTHONPATH", "")))
    )
    return subprocess.call(command, env={**os.environ, "PYTHONPATH": path})  # noqa: S603


def _serve(asked: argparse.Namespace) -> int:
    needs("fastapi", "server")
    from core.server.__main__ import main

    given = [
        f"--{name}={value}"
        for name in ("model", "host", "port")
        if (value := getattr(asked, name)) is not None
    ]
    return main(given)
