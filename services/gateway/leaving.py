"""How a replica of the gateway goes: first it says that it is going, and only then it goes. And when it gives up on others."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn

from shared.kit.health import Readiness
from shared.kit.telemetry import logger

log = logger(__name__)

CLOSE = (b"connection", b"close")
TICK_S = 0.1
SILENT_S = 40
"""So long what was sent may wait for the other end to acknowledge it, or to make room; then the connection is ended.

Who goes without a word, as a laptop that is closed or a network that is cut off, would otherwise keep their place for a
quarter of an hour of TCP's repeats. A live reader is sent something every 15 s, so their place is free within a minute."""


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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and end the connections of those who do not answer any more."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                _gives_up_on_the_silent(listening.fileno())

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


def _gives_up_on_the_silent(descriptor: int) -> None:
    """Set it where connections come in: on Linux each that is accepted has the options of the socket it came in by."""
    if sys.platform != "linux":
        return  # other systems have other options, and nobody's production runs there
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)
