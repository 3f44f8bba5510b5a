"""Does an image answer? `python deploy/verify.py [ADDRESS]`: one token and one map from the bundled model.

Without an address it starts what the image starts, first the server, then the app, on free ports of this machine and
with a data folder of its own, and ends both; with one it asks the server there (`WHENCE_SERVER_TOKEN` where that
asks for one). Exit status 1, with a sentence, where anything is missing. Standard library only.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "The capital of France is"
START_SECONDS = 300


class Wrong(Exception):
    """What an image lacks, as a sentence."""


def main() -> int:
    try:
        if len(sys.argv) > 1:
            print(server(sys.argv[1].rstrip("/")))
            return 0
        with started("server", "/readyz") as address:
            print(server(address))
        with started("app", "/healthz") as address:
            print(app(address))
    except Wrong as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def server(address: str) -> str:
    """One token, and the map of that token. Returns a sentence. Raises: Wrong."""
    events = ask(f"{address}/v1/generate", {"prompt": PROMPT, "max_new_tokens": 1})[0].strip().split("\n\n")
    kind, _, data = events[-1].partition("\n")
    made = json.loads(data.removeprefix("data: "))
    if kind != "event: done" or made["response_tokens"] != 1 or not made["text"]:
        raise Wrong(f"The model wrote no token: {events[-1]}")
    found = json.loads(ask(f"{address}/v1/salience", {"prompt": PROMPT, "target": made["text"]})[0])
    fault = map_fault(found)
    if fault:
        raise Wrong(f"The map of {made['text']!r} {fault}")
    model = found["model"]
    return f"{model['name']} ({model['precision']}, {model['device']}) wrote {made['text']!r} and its map."


def map_fault(found: dict[str, Any]) -> str:
    """What is wrong with an answer of `/v1/salience`; "" where nothing is."""
    wide, prompt = len(found["tokens"]), found["prompt_tokens"]
    rows = found["values"]
    if not rows or any(len(row) != wide for row in rows):
        return f"has rows of {[len(row) for row in rows]} scores for {wide} tokens."
    if not all(math.isfinite(value) for row in rows for value in row):
        return "has scores that are no numbers."
    return "" if any(row[i] != 0 for row in rows for i in range(prompt)) else "is 0 at every token."


def app(address: str) -> str:
    """The page, and the headers that forbid what a stranger's page could do with it. Raises: Wrong."""
    text, headers = ask(f"{address}/")
    if "<script" not in text:
        raise Wrong("The app's page has no script: Streamlit's own files are missing.")
    for name, part in (("Content-Security-Policy", "frame-ancestors"), ("X-Content-Type-Options", "nosniff")):
        if part not in (headers.get(name) or ""):
            raise Wrong(f"The app's page has no {name} with {part}.")
    return "The app shows its page, with its headers."


def ask(address: str, body: dict[str, Any] | None = None) -> tuple[str, HTTPMessage]:
    """The answer's text and headers. Raises: Wrong."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    if token := os.environ.get("WHENCE_SERVER_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            return answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        raise Wrong(f"{address} answered {error.code}: {error.read().decode()[:500]}") from error
    except OSError as error:
        raise Wrong(f"{address} does not answer: {error}") from error


@contextmanager
def started(role: str, ready: str) -> Iterator[str]:
    """The image's own start script in `role`, once `ready` answers 200: its address. Raises: Wrong."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        mine = {"WHENCE_ROLE": role, "HOST": "127.0.0.1", "PORT": str(port), "WHENCE_DATA_DIR": folder}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        process = subprocess.Popen(
            ["sh", "deploy/run.sh"],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "PATH": path, **mine},
            stdout=log,
            stderr=log,
        )
        try:
            ends = time.monotonic() + START_SECONDS
            while not _answers(f"http://127.0.0.1:{port}{ready}"):
                if process.poll() is not None or time.monotonic() > ends:
                    log.seek(0)
                    raise Wrong(f"The {role} did not start; its log ends:\n{log.read()[-2000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
