"""A server on the loopback address whose answers a test scripts, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What the server sends: JSON, raw text, or pieces of a stream that may break off or hang."""

    body: Any = None
    status: int = 200
    kind: str = "application/json"
    raw: bytes | None = None
    stream: list[str] | None = None
    breaks: bool = False
    """Close the connection without the end of the stream."""
    hangs: bool = False
    """Send nothing more until the test is over."""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Loopback:
    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._answer = answer
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                owner._serve(self)

            do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length") or 0)
        data = handler.rfile.read(size)
        asked = Asked(
            handler.command,
            handler.path,
            {k.lower(): v for k, v in handler.headers.items()},
            json.loads(data) if data else None,
        )
        self.asked.append(asked)
        answer = self._answer(asked)
        handler.close_connection = True
        try:
            handler.send_response(answer.status)
            handler.send_header("connection", "close")
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            if answer.stream is not None:
                handler.send_header("content-type", "text/event-stream")
                handler.send_header("transfer-encoding", "chunked")
                handler.end_headers()
                for piece in answer.stream:
                    data = piece.encode()
                    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    handler.wfile.flush()
                if answer.hangs:
                    self.over.wait(20)
                if not answer.breaks:
                    handler.wfile.write(b"0\r\n\r\n")
                return
            raw = answer.raw if answer.raw is not None else json.dumps(answer.body).encode()
            handler.send_header("content-type", answer.kind)
            handler.send_header("content-length", str(len(raw) + 100 * answer.breaks))
            handler.end_headers()
            if answer.hangs:
                self.over.wait(20)
            handler.wfile.write(raw)
        except OSError:
            pass  # the client went away

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def loopback(answer: Callable[[Asked], Answer]) -> Iterator[Loopback]:
    server = Loopback(answer)
    try:
        yield server
    finally:
        server.close()
