"""The empty message after a commit that wakes relay and timers on every replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.kit.telemetry import logger

log = logger(__name__)

SPACING = 0.005
"""Seconds between two kicks of one process: under load one kick stands for many commits."""


class Kick:
    """Announces commits to all replicas; what it wakes also polls, so a lost kick delays but loses nothing."""

    def __init__(self, nc: Client, cell: str, service: str) -> None:
        self._nc = nc
        self._subject = f"kick.{cell}.{service}"
        self._pending = False
        self._last = 0.0
        self._wakes: list[Callable[[], None]] = []
        self._sending: set[asyncio.Task[None]] = set()

    def wakes(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever any replica has committed."""
        self._wakes.append(wake)

    async def listen(self) -> None:
        """Start hearing kicks, this process's own included."""

        async def on_kick(_: Msg) -> None:
            for wake in self._wakes:
                wake()

        await self._nc.subscribe(self._subject, cb=on_kick)

    def announce(self) -> None:
        """Something has been committed."""
        if self._pending:
            return
        self._pending = True
        loop = asyncio.get_running_loop()
        loop.call_later(max(0.0, self._last + SPACING - loop.time()), self._send)

    def _send(self) -> None:
        self._pending = False
        self._last = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._publish())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish(self) -> None:
        if not self._nc.is_connected:
            return
        try:
            await self._nc.publish(self._subject, b"")
        except NatsError as error:
            log.debug("kick not sent; the poll will do", error=error)
