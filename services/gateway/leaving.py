"""How a replica of the gateway goes: first it says that it is going, and only then it goes."""

from __future__ import annotations

import asyncio

import uvicorn

from shared.kit.health import Readiness
from shared.kit.telemetry import logger

log = logger(__name__)

CLOSE = (b"connection", b"close")
TICK_S = 0.1


class Leaving(Exception):
    """This replica is about to end; the others are there."""


class Departure:
    """Whether this replica is leaving; what would last for ever, such as a live stream, ends when it begins."""

    def __init__(self, readiness: Readiness) -> None:
        self.begun = asyncio.Event()
        self._readiness = readiness
        readiness.needs("stay", self._stays)

    async def _stays(self) -> None:
        if self.begun.is_set():
            raise Leaving

    def announce(self) -> None:
        """From now on the replica is not ready."""
        self.begun.set()
        self._readiness.forget()


class LeavingServer(uvicorn.Server):
    """Between the signal to stop and the end of listening lies a time in which everybody can find another replica.

    Whoever spreads requests hears from `/readyz` or from the platform that this one is leaving, and needs a moment for it.
    Until then every request is answered, and every answer says `Connection: close`, so that who keeps a connection asks
    elsewhere next time. Without it a request would meet a connection that is being closed, and nobody could say whether it
    was carried out. A second signal (Ctrl-C) ends the waiting.
    """

    def __init__(self, config: uvicorn.Config, departure: Departure, stays_s: float) -> None:
        super().__init__(config)
        self._departure = departure
        self._stays_s = stays_s

    async def main_loop(self) -> None:
        """Serve until told to stop, and then for so long as it takes to be known."""
        await super().main_loop()
        self._departure.announce()
        log.info("leaving", seconds=self._stays_s)
        self.config.encoded_headers = [*self.config.encoded_headers, CLOSE]
        clock = asyncio.get_running_loop().time
        until = clock() + self._stays_s
        while clock() < until and not self.force_exit:
            # Puts the headers into use, and keeps the date of answers right.
            await self.on_tick(0)
            await asyncio.sleep(TICK_S)
