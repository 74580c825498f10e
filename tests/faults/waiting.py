"""Waiting for conditions, and the pauses of the schedule itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


async def pause(seconds: float, until: asyncio.Event | None = None) -> bool:
    """Let time pass, as the schedule says; True when `until` was set before."""
    try:
        await asyncio.wait_for((until or asyncio.Event()).wait(), seconds)
    except TimeoutError:
        return False
    return True


async def comes_true(condition: Callable[[], Awaitable[bool]], *, within: float, every: float = 0.1) -> bool:
    """Whether the condition became true before the deadline."""
    deadline = time.monotonic() + within
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await pause(every)
    return True
