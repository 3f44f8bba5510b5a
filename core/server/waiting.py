"""From a job's threads to a request's coroutine: its result, or an answer why not; a lost client stops it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from fastapi import Request

from core.errors import AppError, Stopped
from core.jobs import Job

T = TypeVar("T")


class Gone(Exception):
    """The client has left; nobody reads an answer."""


@contextlib.asynccontextmanager
async def news(job: Job[T]) -> AsyncIterator[asyncio.Event]:
    """An event that is set at every change of `job`; leaving stops the job when it has not ended."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def tell(job: Job[T]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
            loop.call_soon_threadsafe(changed.set)

    job.on_change(tell)
    try:
        yield changed
    finally:
        job.stop()


async def result(request: Request, job: Job[T], seconds: float) -> T:
    """The job's result, waited for at most `seconds`. Whatever ends the waiting early stops the job.

    Raises: its AppError; AppError `timeout`, or `closed` when the server shuts down; Gone.
    """

    async def ended() -> None:
        while not job.finished:
            await changed.wait()
            changed.clear()

    async with news(job) as changed:
        try:
            async with asyncio.timeout(seconds):
                await unless_gone(request, ended())
        except TimeoutError:
            raise too_slow(seconds) from None
        if job.error is not None:
            raise told(job.error)
        return job.get(0)


async def unless_gone(request: Request, doing: Awaitable[T]) -> T:
    """What `doing` gives. Raises: Gone, with `doing` cancelled, when the client leaves before.

    The request's body must have been read, so that nothing but the client's leaving can arrive.
    """
    work, left = asyncio.ensure_future(doing), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Gone
        return work.result()
    finally:
        left.cancel()
        work.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def told(fault: AppError) -> AppError:
    """`fault` for a client that is still there: its job is only ever stopped by a shutdown."""
    if isinstance(fault, Stopped):
        return AppError("The server shuts down before this was done.", hint="Send it again.", code="closed")
    return fault


def too_slow(seconds: float) -> AppError:
    return AppError(
        f"This took longer than the {seconds:,.0f} seconds that a request may take here.",
        hint="Ask for less at once, or try again when the server is less busy.",
        code="timeout",
    )
