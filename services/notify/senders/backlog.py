"""How long the oldest waits that should have been told by now: for those who watch over the service."""

from __future__ import annotations

import asyncio
from datetime import datetime

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.notify.commands.claiming import next_due
from services.notify.commands.webhooks import FAILING
from shared.kit.database import Database
from shared.kit.ids import Clock
from shared.kit.telemetry import logger

log = logger(__name__)

NOTICE_OVERDUE = Gauge(
    "foci_notify_overdue_seconds",
    "How long the oldest notice, digest or mail of unknown fate has been due; 0 when none is.",
)
DELIVERY_OVERDUE = Gauge(
    "foci_webhook_overdue_seconds",
    "How long the oldest delivery to a webhook has been due; 0 when none is.",
)
PAUSED = Gauge("foci_webhooks_paused", "Webhooks paused because their target failed for a day.")
EVERY = 5.0
"""Seconds; each look reads the first entry of four indexes, and the webhooks."""

_PAUSED = text("SELECT count(*) FROM webhook WHERE state = 'paused' AND because = :because")
_OLDEST_DELIVERY = text("SELECT min(due_at) FROM delivery WHERE state = 'waiting'")


class Backlog:
    """Looks now and then; every replica sees the same."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def kick(self) -> None:
        """What has just been written is not late yet."""

    async def run(self) -> None:
        """Look every few seconds; ends only when cancelled."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("nobody knows how much is overdue", error=type(error).__name__)
            await asyncio.sleep(EVERY)

    async def stop(self) -> None:
        """A look has nothing to finish."""

    async def look(self) -> None:
        """Set the gauges to how it is now."""
        async with self._database.reading() as session:
            notice = await next_due(session)
            delivery: datetime | None = (await session.execute(_OLDEST_DELIVERY)).scalar()
            paused = (await session.execute(_PAUSED, {"because": FAILING})).scalar_one()
        now = self._clock()
        NOTICE_OVERDUE.set(_since(notice, now))
        DELIVERY_OVERDUE.set(_since(delivery, now))
        PAUSED.set(paused)


def _since(due_at: datetime | None, now: datetime) -> float:
    return 0.0 if due_at is None else max(0.0, (now - due_at).total_seconds())
