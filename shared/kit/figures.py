"""Figures that nobody's work touches, looked at every few seconds: outbox, consumer lag, dead letters, parked facts, timers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.streams import CONSUMERS, Consumer, streams_written_by
from shared.kit import telemetry
from shared.kit.database import Database
from shared.kit.stream_relay import CURSOR_EVERY
from shared.kit.telemetry import logger

log = logger(__name__)

MEASURE_EVERY = 5.0

Measure = Callable[[AsyncSession], Awaitable[None]]
"""Reads something in the session it is given and sets gauges; cheap, because every replica does it every few seconds."""

# The first row after the relay's place: one step in the primary key's index, however many rows there are. Looked at in
# every replica, for the one that relays may be gone, with its machine and its figures.
_OUTBOX_AGE = text("""
    SELECT written.stream, coalesce(extract(epoch FROM clock_timestamp() - (
        SELECT stated_at FROM outbox o
        WHERE o.stream = written.stream AND (o.xid, o.id) > (coalesce(c.xid, '0'), coalesce(c.id, 0))
        ORDER BY o.xid, o.id LIMIT 1)), 0)::float AS age
    FROM unnest(CAST(:streams AS text[])) AS written (stream) LEFT JOIN relay_cursor c USING (stream)
""")
_NOTED_WITHIN = 2 * CURSOR_EVERY
"""Seconds; the relay notes its place once a second, and what is younger than this may be in the stream already."""
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
        self._streams = [one.name for one in streams_written_by(service)]
        for stream in self._streams:
            telemetry.OUTBOX_AGE.labels(stream)  # there from the start, as 0
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
                log.warning("figures not measured", error=error)

    async def _look_at_consumers(self) -> None:
        js = self._nc.jetstream(timeout=2)
        ours = [one for one in CONSUMERS if one.service == self._service]
        # One that cannot be asked about must not keep the others' figures as they were.
        for wrong in await asyncio.gather(*(_look_at(js, one) for one in ours), return_exceptions=True):
            if wrong is not None:
                raise wrong

    async def _look_at_tables(self, timers: Sequence[str]) -> None:
        async with self._database.reading() as session:
            for stream, age in await session.execute(_OUTBOX_AGE, {"streams": self._streams}):
                telemetry.OUTBOX_AGE.labels(stream).set(age if age > _NOTED_WITHIN else 0)
            telemetry.DEAD_LETTERS.set((await session.execute(_DEAD)).scalar_one())
            telemetry.PARKED_FACTS.set((await session.execute(_PARKED)).scalar_one())
            overdue = await session.execute(_OVERDUE, {"kinds": list(timers)})
            telemetry.TIMER_OVERDUE.set(overdue.scalar_one())
            for measure in self.measures:
                await measure(session)


async def _look_at(js: JetStreamContext, consumer: Consumer) -> None:
    try:
        info = await js.consumer_info(consumer.stream, consumer.durable)
    except NotFoundError:
        # Nobody made it, or somebody has deleted it: nothing will come, and no number would be too large to say so.
        lag = math.inf
    else:
        lag = (info.num_pending or 0) + (info.num_ack_pending or 0)
    telemetry.CONSUMER_LAG.labels(consumer.durable).set(lag)
