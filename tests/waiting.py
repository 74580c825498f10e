"""Waiting for a condition, with a deadline; tests never sleep and hope."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeVar

T = TypeVar("T")

SOONEST_S, LATEST_S = 0.01, 0.1
SHARE = 0.1
"""Of the time waited so far, to be late by: who waits long looks seldom, and a look may be a request through everything."""


def next_look(waited_s: float) -> float:
    """Seconds until it is worth looking again."""
    return min(max(SOONEST_S, SHARE * waited_s), LATEST_S)


async def eventually(
    condition: Callable[[], Any], *, within: float = 10.0, what: str = "the condition"
) -> Any:
    """What `condition`, awaited if need be, returns once that is true; fails with its last value if it stays false.

    An AssertionError inside the condition means "not yet", too, and is shown if that stays.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    while True:
        value: object = None
        try:
            found = condition()
            value = await found if isawaitable(found) else found
            if value:
                return value
        except AssertionError as error:
            value = error
        waited = loop.time() - started
        if waited > within:
            raise AssertionError(f"{what} did not come true within {within} s; last: {value!r}")
        await asyncio.sleep(next_look(waited))


def blocked_until(what: str, true: Callable[[], T], *, seconds: float) -> T:
    """What `true()` returns once that is true, for who has no loop to wait in; each look is a request through everything."""
    pause, started = threading.Event(), time.monotonic()
    while not (value := true()):
        waited = time.monotonic() - started
        assert waited < seconds, f"still not so after {seconds:g} s: {what}"
        pause.wait(max(next_look(waited), 0.05))
    return value


async def ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended; once is not enough where a library forgets a cancellation."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)
