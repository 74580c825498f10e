"""Duties at a time: saying aloud which erasures are not complete, and asking again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.erasing import OVERDUE, state
from services.directory.commands.looks import forget_looks
from services.directory.rules.erasure import OVERDUE_AFTER, RECEIPT_KEPT
from shared.contracts.streams import FORGETS
from shared.kit.ids import Ids
from shared.kit.telemetry import logger
from shared.kit.timers import Duty, set_timer

log = logger(__name__)

OVERDUE_ERASURES = Counter(
    "foci_erasures_overdue_total", "Times a service was found not to have answered an erasure.", ("asked",)
)
# A series that begins with its first 1 has not risen.
for _service in FORGETS:
    OVERDUE_ERASURES.labels(_service)
RECEIPTS = "receipts-forgotten"
EVERY = timedelta(days=1)
SOON = timedelta(seconds=1)

_WAITING = text("""
    SELECT s FROM erasure e, unnest(CAST(:services AS text[])) s
    WHERE e.person = :person AND e.completed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM erasure_answer a WHERE a.person = e.person AND a.service = s) ORDER BY s
""")
_OLD = text("DELETE FROM erasure WHERE completed_at < :before")


def duties(ids: Ids) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""

    async def overdue(session: AsyncSession, key: str, now: datetime) -> None:
        person = UUID(key)
        asked = {"person": person, "services": list(FORGETS)}
        waiting = (await session.execute(_WAITING, asked)).scalars().all()
        if not waiting:
            return
        for service in waiting:
            OVERDUE_ERASURES.labels(service).inc()
        # The person is not named: who reads logs need not know who has left.
        log.error("erasure not complete; asking again", waiting_for=waiting)
        await state(session, person, now=now, ids=ids)
        await set_timer(session, OVERDUE, key, now + OVERDUE_AFTER)

    async def receipts(session: AsyncSession, key: str, now: datetime) -> None:
        await session.execute(_OLD, {"before": now - RECEIPT_KEPT})
        more = await forget_looks(session, now=now)
        await set_timer(session, RECEIPTS, key, now + (SOON if more else EVERY))

    return {OVERDUE: overdue, RECEIPTS: receipts}
