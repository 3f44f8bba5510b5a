"""`python -m core.server`: read the settings, check the model's folder, serve until SIGTERM or Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import ValidationError

from core.errors import AppError
from core.server.app import create_app
from core.server.config import ServerSettings
from core.settings import ROOT, Settings, malformed

SWITCH_SECONDS = 0.001
"""The worker's Python between two tensor operations must not keep the event loop waiting for long."""


class Server(uvicorn.Server):
    """uvicorn that first lets requests in flight end, then answers the rest, before it closes anything."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        closing = asyncio.create_task(asyncio.to_thread(app.state.whence.close))  # type: ignore[union-attr]
        await super().shutdown(sockets)
        await closing


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    limits = ServerSettings()
    parser = argparse.ArgumentParser("python -m core.server", description="Whence's model server.")
    parser.add_argument("--model", help="folder or hub name (else the first of MODEL_CONFIG)")
    parser.add_argument("--host", default=limits.host, help=f"default: {limits.host}")
    parser.add_argument("--port", type=int, default=limits.port, help=f"default: {limits.port}; 0: any free")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Serve. Returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        chosen = arguments(given)
        named: dict[str, Any] = (
            {"MODEL_CONFIG": f"{Path(chosen.model).name}:{chosen.model}"} if chosen.model else {}
        )
        app = create_app(Settings(**named), ServerSettings())
        _check(app.state.whence.spec.path)
    except AppError as fault:
        print(fault, file=sys.stderr)
        return 2
    except ValidationError as wrong:
        print(malformed(wrong), file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app,
        host=chosen.host,
        port=chosen.port,
        access_log=False,
        log_level="info",
        timeout_keep_alive=30,
        server_header=False,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    Server(config).run()
    return 0


def _check(path: str) -> None:
    """Raises: AppError when `path` is meant as a folder and is none with a model in it."""
    from core.models.local import folder_checks

    here = ROOT / Path(path).expanduser()
    if here.exists() or path.startswith((".", "/", "~", "data/")):
        folder_checks.check(here)


if __name__ == "__main__":
    sys.exit(main())
