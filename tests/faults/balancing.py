"""What any HTTP load balancer does, and no more: it asks `/readyz`, and sends a request to one that has said yes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from itertools import count

from deploy.local.probes import answers_ok
from tests.faults.door import Door, Reply, Shut
from tests.faults.waiting import pause

PROBE_EVERY_S = 0.25
PACE_S = 0.15
"""Before each request of one client."""


class Balancer:
    """The replicas, and which of them are asked: those that were ready when last probed, and refused no connection since."""

    def __init__(self) -> None:
        self._replicas: dict[int, bool] = {}
        self._turn = count()

    def add(self, *ports: int) -> None:
        """Probe these from now on."""
        self._replicas.update(dict.fromkeys(ports, False))

    async def look(self) -> None:
        """Probe each once."""
        ports = list(self._replicas)
        ready = await asyncio.gather(*(answers_ok(f"http://127.0.0.1:{port}/readyz") for port in ports))
        self._replicas.update(zip(ports, ready, strict=True))

    @contextlib.asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        """Probe again and again while the block lasts."""
        stop = asyncio.Event()

        async def probe() -> None:
            while not await pause(PROBE_EVERY_S, stop):
                await self.look()

        task = asyncio.create_task(probe())
        try:
            yield
        finally:
            stop.set()
            await task

    def one(self) -> int:
        """The next that is ready; Shut when none is."""
        ready = [port for port, so in self._replicas.items() if so]
        if not ready:
            raise Shut("no replica is ready")
        return ready[next(self._turn) % len(ready)]

    def refused(self, port: int) -> None:
        """Nobody listens there."""
        self._replicas[port] = False


class BalancedDoor(Door):
    """Asks by way of a balancer, over one kept connection to each replica.

    A request is sent to another replica only when nobody listened at the first, that is, when nothing has been sent. One
    that is lost after that is lost. It asks at a steady pace, so that the machine has room for starting what comes.
    """

    def __init__(self, balancer: Balancer) -> None:
        super().__init__(0)
        self._balancer = balancer
        self._doors: dict[int, Door] = {}

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """The answer, or Shut, Lost, Hangs."""
        await pause(PACE_S)
        while True:
            port = self._balancer.one()
            try:
                return await self._doors.setdefault(port, Door(port)).ask(method, path, headers, body)
            except Shut:
                self._balancer.refused(port)

    def close(self) -> None:
        """Forget all connections."""
        for door in self._doors.values():
            door.close()
