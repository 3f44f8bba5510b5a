"""`make load`: many clients on a model server for a minute, on the loopback address; do its answers hold?

    python -m benchmarks.load [--clients 64] [--seconds 60] [--model data/models/demo]

The server lets half as many wait as there are clients, so that some are sent away: they come back when `Retry-After`
says, and what it said is set against how long it was until they were let in.

Starts a server of its own, lets the clients ask a fixed pool of requests at random (all endpoints, some of
them malformed on purpose), and ends with status 1 when an answer is wrong, when memory grows after the
warm-up, or when the 99th percentile of `/healthz`, asked by a process of its own, passes 100 ms. An answer is
right when it is an honest 429 or 503, or what a fresh server says to the same request when nobody else asks
(texts equal, scores to 1e-5 of the largest).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil

from core.settings import DEMO_MODEL, ROOT

HEALTH_SECONDS = 0.1
"""Bound of the 99th percentile of `/healthz`."""
GROWTH = 0.10
"""Memory may differ by this part between the end of the warm-up and the end."""
WARM_UP = 1 / 2
"""Of the time."""
HONEST = (429, 503)
PROMPTS = 8
"""Few enough that the warm-up has asked nearly all, so that the caches are as full as they become."""
SHORT = ("/tokenize", "/salience", "//salience")
LONG = ("/predict", "/v1/generate", "/v1/salience")
"""What writes many words, or explains each of them."""
PATIENCE_SECONDS = 30.0
"""Clients that still wait so long after the end go away, which has to stop their jobs."""


class Ask(NamedTuple):
    """One request of the pool."""

    path: str
    body: bytes


class Said(NamedTuple):
    status: int
    content: bytes


def pool() -> list[Ask]:
    """Requests over the sample prompts, each kind about as often as a session of LIT asks it."""
    rows = [json.loads(line) for line in (ROOT / "data/prompts/sample_prompts.jsonl").open(encoding="utf-8")]
    asks = []
    for row in rows[:PROMPTS]:
        prompt, target = row["prompt"], row["target"] or " Yes, it is."
        item = {"prompt": prompt, "target": target}
        lit = [("/predict", {"inputs": [{"prompt": prompt}]}), ("/tokenize", {"inputs": [item]})]
        lit += [
            ("/salience", {"inputs": [item]}),
            ("//salience", {"inputs": [item, {**item, "target": "."}]}),
        ]
        own = [("/v1/salience", item), ("/v1/generate", {"prompt": prompt, "max_new_tokens": 16})]
        wrong = [("/salience", {"inputs": [{**item, "target_mask": [1, 0]}]}), ("/predict", {"inputs": 3})]
        asks += [Ask(path, json.dumps(body).encode()) for path, body in (*lit, *own, *wrong)]
    return asks


@contextlib.contextmanager
def server(model: str, folder: Path, waiting: int = 64) -> Iterator[tuple[str, int]]:
    """A server of its own on a free port, where so many requests may wait: its address and process id."""
    environment = os.environ | {
        "WHENCE_DATA_DIR": str(folder),
        "WHENCE_SERVER_MAX_NEW_TOKENS": "32",
        "WHENCE_SERVER_MAX_QUEUED": str(waiting),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "core.server", "--model", model, "--host", "127.0.0.1", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    try:
        assert process.stderr is not None
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+:\d+", line)))
        with httpx.Client(base_url=address, timeout=None) as client:
            client.post("/tokenize", json={"inputs": [{"prompt": "Ready?"}]}).raise_for_status()
        yield address, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=60)


def probe(address: str, seconds: float, out: Any) -> None:
    """Asks `/healthz` twenty times a second on one connection; puts the list of times (s) into `out`."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - started if answer.status == 200 else float("inf"))
        time.sleep(0.05)
    out.put(times)


class Load:
    """What the clients saw."""

    def __init__(self, asks: list[Ask]) -> None:
        self.asks = asks
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.seconds: dict[str, list[float]] = {}
        self.said: dict[Ask, Said] = {}
        self.faults: list[str] = []
        self.left = 0
        self.told: list[float] = []
        """Seconds of the first `Retry-After` of each request that was sent away and let in later."""
        self.was: list[float] = []
        """Seconds from that until it was let in."""

    async def client(self, http: httpx.AsyncClient, address: str, number: int, end: float) -> None:
        chance, again = random.Random(number), tuple[Any, ...]()
        while time.monotonic() < end:
            ask, away = (again[0], again[1:]) if again else (chance.choice(self.asks), ())
            started = time.perf_counter()
            answer = await http.post(
                f"{address}{ask.path}", content=ask.body, headers={"Content-Type": "application/json"}
            )
            self.seconds.setdefault(ask.path, []).append(time.perf_counter() - started)
            self.statuses[ask.path, answer.status_code] += 1
            said = Said(answer.status_code, answer.content)
            if answer.status_code in HONEST:
                if "retry-after" not in answer.headers:
                    self.faults.append(f"{ask.path}: {answer.status_code} without Retry-After")
                told = float(answer.headers.get("retry-after", 1))
                again = (ask, *(away or (told, time.monotonic())))
                await asyncio.sleep(min(told, max(end - time.monotonic(), 0.0)))
                continue
            if away:
                self.told.append(away[0])
                # From being sent away to the answer, without the time that the answer itself took to come.
                self.was.append(time.monotonic() - away[1] - (time.perf_counter() - started))
            again = ()
            if ask not in self.said:
                self.said[ask] = said
            elif fault := difference(self.said[ask], said):
                self.faults.append(f"{ask.path}: not what it said before: {fault}")

    async def run(self, address: str, clients: int, seconds: float, pid: int) -> tuple[int, int]:
        """Server memory (bytes) at the end of the warm-up and at the end."""
        process, start = psutil.Process(pid), time.monotonic()
        end = start + seconds
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        async with httpx.AsyncClient(timeout=None, limits=limits) as http:
            tasks = [
                asyncio.create_task(self.client(http, address, number, end)) for number in range(clients)
            ]
            await asyncio.sleep(seconds * WARM_UP)
            before = process.memory_info().rss
            _, late = await asyncio.wait(tasks, timeout=end + PATIENCE_SECONDS - time.monotonic())
            self.left = len(late)
            for task in late:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    self.faults.append(f"a client failed: {outcome!r}")
            await self.idle(http, address)
        return before, process.memory_info().rss

    async def idle(self, http: httpx.AsyncClient, address: str) -> None:
        """The clients have gone: their jobs have to end soon."""
        for _ in range(100):
            text = (await http.get(f"{address}/metrics")).text
            if "whence_jobs 0.0" in text:
                return
            await asyncio.sleep(0.3)
        self.faults.append("jobs of clients that have gone still run after 30 s")

    def check(self, address: str) -> None:
        """Ask a server that nobody else asks the same, one request at a time."""
        with httpx.Client(timeout=None) as client:
            for ask, before in self.said.items():
                answer = client.post(
                    f"{address}{ask.path}", content=ask.body, headers={"Content-Type": "application/json"}
                )
                if fault := difference(before, Said(answer.status_code, answer.content)):
                    self.faults.append(f"{ask.path}: not what it says alone: {fault}")


def difference(one: Said, other: Said) -> str:
    """What differs between two answers to the same request; empty when nothing does."""
    if one.status != other.status:
        return f"status {one.status} and {other.status}"
    if one.content.startswith(b"event:"):
        return _unlike(_done(one.content), _done(other.content), "done")
    return _unlike(json.loads(one.content), json.loads(other.content), "")


def _done(stream: bytes) -> Any:
    last = stream.decode().rstrip().rsplit("data: ", 1)[1]
    return {key: value for key, value in json.loads(last).items() if key != "seconds"}


def _unlike(one: Any, other: Any, where: str) -> str:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((found for key in one if (found := _unlike(one[key], other[key], f"{where}.{key}"))), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if one and all(isinstance(value, int | float) for value in (*one, *other)):
            a, b = np.array(one, float), np.array(other, float)
            apart = np.abs(a - b).max() / max(1.0, np.abs(b).max())
            return f"{where} apart by {apart:.1e}" if apart > 1e-5 else ""
        return next(
            (f for i, (a, b) in enumerate(zip(one, other)) if (f := _unlike(a, b, f"{where}.{i}"))), ""
        )
    return "" if one == other else f"{where}: {str(one)[:60]!r} and {str(other)[:60]!r}"


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.load", description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", default=DEMO_MODEL)
    given = parser.parse_args()
    load = Load(pool())
    with tempfile.TemporaryDirectory() as folder:
        with server(given.model, Path(folder) / "busy", max(given.clients // 2, 1)) as (address, pid):
            times: Any = multiprocessing.Queue()
            prober = multiprocessing.Process(target=probe, args=(address, given.seconds, times))
            prober.start()
            before, after = asyncio.run(load.run(address, given.clients, given.seconds, pid))
            health = times.get()
            prober.join()
        with server(given.model, Path(folder) / "alone") as (address, _):
            load.check(address)
    return report(load, health, before, after, given.seconds)


def report(load: Load, health: list[float], before: int, after: int, seconds: float) -> int:
    """Prints what was seen. Returns the exit status."""
    for path in sorted(load.seconds):
        spent = np.array(load.seconds[path])
        counts = {status: n for (name, status), n in sorted(load.statuses.items()) if name == path}
        print(f"{path:14} {counts}  p50 {np.median(spent):.2f} s  p99 {np.quantile(spent, 0.99):.2f} s")
    for kind, paths in (("short", SHORT), ("long", LONG)):
        spent = np.array([one for path in paths for one in load.seconds.get(path, [])] or [0.0])
        print(
            f"{kind:14} p50 {np.median(spent):.2f} s  p99 {np.quantile(spent, 0.99):.2f} s  ({', '.join(paths)})"
        )
    if load.told:
        told, was = np.array(load.told), np.array(load.was)
        first = float((was <= told + 1.0).mean())
        print(
            f"{len(told)} sent away and let in later: Retry-After said {np.median(told):.0f} s (median), it was "
            f"{np.median(was):.1f} s; {first:.0%} were let in when they first came back"
        )
    total, late = sum(load.statuses.values()), float(np.quantile(health, 0.99))
    growth = after / before - 1
    print(f"{total} answers in {seconds:.0f} s, {len(load.said)} different requests checked one at a time")
    if load.left:
        print(f"{load.left} clients went away while they waited")
    print(
        f"/healthz asked {len(health)} times: p50 {np.median(health) * 1e3:.1f} ms, p99 {late * 1e3:.1f} ms"
    )
    print(f"memory {before / 1e6:.0f} MB after the warm-up, {after / 1e6:.0f} MB at the end ({growth:+.1%})")
    faults = load.faults[:10]
    faults += [f"{path}: status {s}" for path, s in load.statuses if s >= 500 and s not in HONEST]
    if late > HEALTH_SECONDS:
        faults.append(
            f"the 99th percentile of /healthz is {late * 1e3:.0f} ms, above {HEALTH_SECONDS * 1e3:.0f} ms"
        )
    if growth > GROWTH:
        faults.append(f"memory grew by {growth:.1%}, more than {GROWTH:.0%}")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
