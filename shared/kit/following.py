"""Keeping something in memory like the tables: a replica builds it, then hears every fact of its own service's stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.contracts.base import Fact
from shared.contracts.streams import stream_of
from shared.contracts.users import follows
from shared.kit.delivery import Delivery, Unreadable
from shared.kit.ordered import Ordered, Place, Source
from shared.kit.telemetry import logger

log = logger(__name__)


class NotBuilt(Exception):
    """What the service answers from is not in memory yet."""


class Followed(Protocol):
    """What is kept in memory. Each function may be called again after it has failed, and must then do all of it."""

    async def build(self) -> None:
        """Read everything anew, in place of what is there. Facts stated from before it began are heard afterwards."""

    async def hear(self, facts: Sequence[Fact]) -> None:
        """Read again what these facts are about; it may have been heard before, and may be newer than they are."""

    async def look(self) -> None:
        """Once a minute: read again what no fact tells of, such as what time alone has changed."""


class Follower:
    """Hears the service's own facts in order; when the stream no longer has what was missed, everything is built anew."""

    def __init__(self, nc: Client, service: str, followed: Followed) -> None:
        self._followed = followed
        self._built = asyncio.Event()
        self._ordered = Ordered(nc, Source(stream_of(service), follows(service), service), self)

    def kick(self) -> None:
        """Nothing to do: what was committed is heard of when the relay has stated it."""

    async def stop(self) -> None:
        """Nothing to finish: it only reads."""

    async def ready(self) -> None:
        """Raise NotBuilt until the first build is done."""
        if not self._built.is_set():
            raise NotBuilt

    async def built(self) -> None:
        """Return when the first build is done."""
        await self._built.wait()

    async def run(self) -> None:
        """Follow for ever; ends only when cancelled."""
        await self._ordered.run()

    async def begin(self, place: Place, waiting: int) -> None:
        """Build; what is stated meanwhile is heard afterwards."""
        await self._followed.build()
        log.info("built", up_to=place.sequence, waiting=waiting)
        self._built.set()

    async def hear(self, messages: Sequence[Msg]) -> None:
        """Pass the facts among them on."""
        facts = []
        for message in messages:
            try:
                fact = Delivery.of(message).fact()
            except Unreadable as error:
                log.warning("a fact of our own cannot be read", subject=message.subject, error=error)
                continue
            if fact is not None:
                facts.append(fact)
        if facts:
            await self._followed.hear(facts)

    async def look(self) -> None:
        """Pass it on."""
        await self._followed.look()
