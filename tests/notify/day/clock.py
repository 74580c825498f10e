"""The time of a simulated day: it stands still while somebody is deciding, and jumps to the next moment somebody waits for."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_SETTLE = 6
"""Turns of the event loop in which all who were started together begin to wait."""


@dataclass
class DayClock:
    """What senders take for the time, and for waiting."""

    now: datetime
    holds: int = 0
    """How many are deciding what goes when: meanwhile no time passes."""
    _waits: list[tuple[datetime, int, asyncio.Future[None]]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _ticking: asyncio.Task[None] | None = None

    def read(self) -> datetime:
        """The time."""
        return self.now

    async def pause(self, seconds: float) -> None:
        """Wait that long, by this clock."""
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waits, (self.now + timedelta(seconds=seconds), next(self._numbers), until))
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        await until

    async def _tick(self) -> None:
        for _ in range(_SETTLE):
            await asyncio.sleep(0)
        while self._waits:
            if self.holds:
                await asyncio.sleep(0.001)
                continue
            at, _, until = heapq.heappop(self._waits)
            if not until.done():
                self.now = max(self.now, at)
                until.set_result(None)
                for _ in range(_SETTLE):
                    await asyncio.sleep(0)
