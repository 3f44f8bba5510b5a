"""From Python into the app: an explanation is kept where the app keeps its own, and its page opens."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
import urllib.request
import webbrowser
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from core.errors import AppError
from core.library.explanation import Explanation
from core.records import Example

DATASET = "From Python"
START_SECONDS = 60.0


def app(explanation: Explanation | None = None, *, port: int = 8501, browser: bool = True) -> str:
    """Opens the app, at the page of `explanation` where one is given. Returns its address.

    The answer and its map are kept in the app's data folder (`WHENCE_DATA_DIR`). An app that runs at `port` already
    is used, else one is started. Raises: AppError without the extra `app`, or where it does not start.
    """
    if importlib.util.find_spec("streamlit") is None or importlib.util.find_spec("sqlalchemy") is None:
        raise AppError("The app needs the extra “app”.", hint='pip install "whence[app]"')
    address = f"http://127.0.0.1:{port}"
    query = kept(explanation) if explanation is not None else ""
    _start(address, port)
    where = f"{address}/?{query}" if query else address
    if browser:
        webbrowser.open(where)
    return where


def kept(explanation: Explanation) -> str:
    """Keeps the example, its answer and its map as the app would. Returns the query of its page's address."""
    from core.service import Service
    from core.store.keys import generation_key

    e, service = explanation, Service()
    try:
        spec = service.resolve(e.model.spec)
        prompt, earlier = e.asked, list[dict[str, str]]()
        if not isinstance(prompt, str):
            *before, last = prompt
            if last.role != "user":
                raise AppError("The app shows chats whose last turn is the user's; this one ends otherwise.")
            earlier = [{"role": turn.role, "content": turn.content} for turn in before]
            prompt = last.content
        workspace = service.store.workspace()
        found = [one for one in workspace.datasets.all() if one.name == DATASET and not one.shared]
        dataset = found[0] if found else workspace.datasets.add(DATASET, [], origin="python")
        row = Example("from-python", prompt, fields={"earlier_turns": earlier} if earlier else {})
        example = workspace.examples.add_one(dataset.id, row)
        made = replace(e.generation, model=spec)
        key = generation_key(e.asked, spec, made.params, made.text if e.typed else None)
        service.store.save_generation(key, made, prompt=e.asked)
        matrix = e.made.matrix
        service.store.save_salience(replace(matrix, request=replace(matrix.request, model=spec)))
    finally:
        service.close()
    start = int(e.tokens.char_spans[e.target[0], 0]) - e.tokens.prompt_chars
    target = f"{start}-{start + len(e.chosen)}"
    return urlencode({"dataset": dataset.id, "example": example.id, "answer": key, "target": target})


def _start(address: str, port: int) -> None:
    if _there(address):
        return
    package = __name__.partition(".")[0]
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", f"{package}.command", "app", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    ends = time.monotonic() + START_SECONDS
    while not _there(address):
        if time.monotonic() > ends:
            raise AppError(
                f"The app did not start at {address} within {START_SECONDS:.0f} seconds.", code="not_here"
            )
        time.sleep(0.2)


def _there(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False
