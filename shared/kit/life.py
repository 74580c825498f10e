"""How a process keeps its parts going and ends them, whatever it is made of."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from shared.kit.errors import is_passing
from shared.kit.telemetry import logger

T = TypeVar("T")
log = logger(__name__)

RELEASE = "0.1.0"

CANCEL_AGAIN_AFTER = 0.5
START_AGAIN_AFTER = 0.5


def leave_the_permanent_alone() -> None:
    """Keep the garbage collector from searching what was made at the start and stays to the end.

    Modules, classes and schemas are most of the objects there are; going through them again and again took a
    fifteenth of the time under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


class Life:
    """How far a process has come: `started` is set by itself, `leaving` by who ends it."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.leaving = asyncio.Event()

    async def until_leaving(self, broken: Coroutine[Any, Any, None]) -> None:
        """Return when it is time to leave; what `broken` raises before that is raised here."""
        tasks = {asyncio.create_task(broken), asyncio.create_task(self.leaving.wait())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()


def keep_going(
    name: str, work: Coroutine[Any, Any, None], *, until: asyncio.Event | None = None
) -> asyncio.Task[None]:
    """Run a duty that never ends by itself; if it does, the process stops and says so, and is started again.

    Once `until` is set it may end.
    """
    task = asyncio.create_task(work, name=name)

    def ended(done: asyncio.Task[None]) -> None:
        if not done.cancelled() and not (until is not None and until.is_set() and done.exception() is None):
            log.critical(
                "a part has ended that must not; stopping the process", part=name, exc_info=done.exception()
            )
            os.kill(os.getpid(), signal.SIGTERM)

    task.add_done_callback(ended)
    return task


async def ended(part: str, stop: Callable[[], Awaitable[None]], within: float) -> None:
    """Stop a part; one that cannot, because what it talks to is away, does not keep the others from it."""
    try:
        async with asyncio.timeout(within):
            await stop()
    except Exception as error:  # noqa: BLE001  # every part gets its chance to end well
        log.warning("a part did not end well", part=part, error=error)


async def insisting(stack: AsyncExitStack, start: Callable[[AsyncExitStack], Awaitable[T]]) -> T:
    """What `start` returns once it has come to its end; `stack` then stops what it has begun.

    When something it needs goes away in the middle, what was begun is stopped, and it begins again: a process that ended
    instead would be back only after the pause whoever starts it makes.
    """
    while True:
        async with AsyncExitStack() as begun:
            try:
                result = await start(begun)
            except Exception as error:  # whatever is not the fault of a moment is raised
                if not is_passing(error):
                    raise
                log.warning("the start was interrupted; beginning it again", error=error)
            else:
                await stack.enter_async_context(begun.pop_all())
                return result
        await asyncio.sleep(START_AGAIN_AFTER)


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which nats-py waits with, forgets a cancellation that
    comes together with the result, and a duty would go on for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=CANCEL_AGAIN_AFTER)


@asynccontextmanager
async def living(
    name: str, live: Callable[[Life], Coroutine[Any, Any, None]], *, within: float
) -> AsyncIterator[None]:
    """Keep a whole life going; when the block ends it is asked to leave and has so many seconds to do it well.

    It is not cancelled unless it is still starting, or takes too long: a cancellation would hit what it waits for while it
    leaves, such as the answer somebody has been promised.
    """
    life = Life()
    task = keep_going(name, live(life), until=life.leaving)
    try:
        yield
    finally:
        life.leaving.set()
        if life.started.is_set():
            await asyncio.wait((task,), timeout=within)
        await end(task)


@asynccontextmanager
async def running(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Keep a duty going for as long as the block lasts."""
    task = keep_going(name, work)
    try:
        yield
    finally:
        await end(task)
