"""Figures that nobody's work touches, looked at every few seconds: consumer lag, dead letters, parked facts, timers overdue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.streams import CONSUMERS
from shared.kit import telemetry
from shared.kit.database import Database
from shared.kit.telemetry import logger

log = logger(__name__)

MEASURE_EVERY = 5.0

Measure = Callable[[AsyncSession], Awaitable[None]]
"""Reads something in the session it is given and sets gauges; cheap, because every replica does it every few seconds."""

_DEAD = text("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL")
_PARKED = text("SELECT count(*) FROM parked_fact")
# A kind no running release knows is kept and does nothing: it is not overdue. One that is being handled still counts.
_OVERDUE = text("""
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float FROM timer
    WHERE due_at < now() AND kind = ANY(:kinds)
""")


class Figures:
    """Looks now and then, at what the kit keeps and at what a service adds; every replica sees the same."""

    def __init__(self, nc: Client, database: Database, service: str) -> None:
        self._nc = nc
        self._database = database
        self._service = service
        self.measures: list[Measure] = []

    async def run(self, timers: Sequence[str]) -> None:
        """Look every few seconds, also how late the timers of these kinds are; ends only when cancelled."""
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            await self.look(timers)

    async def look(self, timers: Sequence[str]) -> None:
        """Set the gauges to how it is now."""
        for part in (self._look_at_consumers, partial(self._look_at_tables, timers)):
            try:
                await part()
            except Exception as error:  # noqa: BLE001  # a figure that cannot be read now is read next time
                log.warning("figures not measured", error=repr(error))

    async def _look_at_consumers(self) -> None:
        js = self._nc.jetstream(timeout=2)
        for consumer in CONSUMERS:
            if consumer.service == self._service:
                info = await js.consumer_info(consumer.stream, consumer.durable)
                lag = (info.num_pending or 0) + (info.num_ack_pending or 0)
                telemetry.CONSUMER_LAG.labels(consumer.durable).set(lag)

    async def _look_at_tables(self, timers: Sequence[str]) -> None:
        async with self._database.reading() as session:
            telemetry.DEAD_LETTERS.set((await session.execute(_DEAD)).scalar_one())
            telemetry.PARKED_FACTS.set((await session.execute(_PARKED)).scalar_one())
            overdue = await session.execute(_OVERDUE, {"kinds": list(timers)})
            telemetry.TIMER_OVERDUE.set(overdue.scalar_one())
            for measure in self.measures:
                await measure(session)
