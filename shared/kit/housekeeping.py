"""Forgetting what is past its time: outbox and inbox rows, idempotency keys, facts that could not be taken in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.streams import RETENTION, STREAMS
from shared.kit import idempotency
from shared.kit.database import Database, changed_rows
from shared.kit.ids import Clock
from shared.kit.timers import Duty, set_timer

log = structlog.get_logger(__name__)

KIND = "housekeeping"
EVERY = timedelta(minutes=5)
AT_ONCE = 5000
INBOX_LIFETIME = RETENTION * 2
"""Longer than any stream keeps a fact, so that a rewound stream finds each fact remembered."""
LATEST_ONLY_LIFETIME = timedelta(hours=1)
REPLAYED_LIFETIME = timedelta(days=1)
"""So long a dead letter is still to be read after it was replayed."""

# The oldest rows first and then their age: looking for old ones would read all of a log that has none.
_OUTBOX = text("""
    DELETE FROM outbox WHERE (stream, xid, id) IN (
        SELECT stream, xid, id FROM (
            SELECT stream, xid, id, stated_at FROM outbox o WHERE stream = :stream
              AND (xid, id) <= (SELECT xid, id FROM relay_cursor c WHERE c.stream = o.stream)
            ORDER BY xid, id LIMIT :most
        ) oldest WHERE stated_at < :before)
""")
# A stream of what is keeps one message per subject, so its log needs the last row per subject, and a while of
# the rest. Last is whose id is largest: see the relay.
_SUPERSEDED = text("""
    DELETE FROM outbox WHERE (stream, xid, id) IN (
        SELECT stream, xid, id FROM (
            SELECT stream, xid, id, stated_at,
                   row_number() OVER (PARTITION BY subject ORDER BY id DESC) AS nth
            FROM outbox o WHERE stream = :stream
              AND (xid, id) <= (SELECT xid, id FROM relay_cursor c WHERE c.stream = o.stream)
        ) ranked WHERE nth > 1 AND stated_at < :before LIMIT :most)
""")
_INBOX = text("""
    DELETE FROM inbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM inbox WHERE seen_at < :before LIMIT :most))
""")
_FAILURES = text("DELETE FROM fact_failure WHERE failed_at < :before")
# Facts that were not taken in name people as the streams do, and are kept as long: by then the fact has left its stream, too.
_LETTERS = text("""
    WITH gone AS (
        DELETE FROM dead_letter WHERE id IN (
            SELECT id FROM dead_letter WHERE failed_at < :before OR replayed_at < :replayed_before LIMIT :most)
        RETURNING consumer, replayed_at
    )
    SELECT consumer, count(*) AS letters, count(*) FILTER (WHERE replayed_at IS NULL) AS unreplayed
    FROM gone GROUP BY consumer ORDER BY consumer
""")
_PARKED = text("""
    WITH gone AS (
        DELETE FROM parked_fact WHERE ctid = ANY(ARRAY(SELECT ctid FROM parked_fact WHERE parked_at < :before LIMIT :most))
        RETURNING consumer
    )
    SELECT consumer, count(*) AS parked FROM gone GROUP BY consumer ORDER BY consumer
""")


async def tidy(session: AsyncSession, now: datetime) -> int:
    """Forget one chunk of each kind; how many rows went. A long delete would hold back the relay."""
    gone = await idempotency.purge(session, now)
    for stream in STREAMS:
        statement, kept = (_SUPERSEDED, LATEST_ONLY_LIFETIME) if stream.latest_only else (_OUTBOX, RETENTION)
        asked = {"stream": stream.name, "before": now - kept, "most": AT_ONCE}
        gone += changed_rows(await session.execute(statement, asked))
    outlived = {"before": now - INBOX_LIFETIME, "most": AT_ONCE}
    gone += changed_rows(await session.execute(_INBOX, outlived))
    # Tries come a minute apart at most; a day without one means the fact has been taken in or given up.
    await session.execute(_FAILURES, {"before": now - timedelta(days=1)})
    return gone + await _give_up(session, now)


async def _give_up(session: AsyncSession, now: datetime) -> int:
    """Forget facts that nobody has mended the cause of for as long as a stream keeps them, and say so; how many."""
    gone = 0
    old = {"before": now - RETENTION, "most": AT_ONCE}
    for row in await session.execute(_LETTERS, old | {"replayed_before": now - REPLAYED_LIFETIME}):
        gone += row.letters
        if row.unreplayed:
            lost = {"consumer": row.consumer, "letters": row.unreplayed}
            log.error("dead letters forgotten without a replay", **lost)
    for row in await session.execute(_PARKED, old):
        gone += row.parked
        log.error("parked facts forgotten without their turn", consumer=row.consumer, facts=row.parked)
    return gone


def duties(clock: Clock) -> Mapping[str, Duty]:
    """The housekeeping duty; it sets its own next time, soon when there is more to do."""

    async def housekeeping(session: AsyncSession, key: str, now: datetime) -> None:
        gone = await tidy(session, now)
        pause = timedelta(seconds=1) if gone >= AT_ONCE else EVERY
        await set_timer(session, KIND, key, clock() + pause)

    return {KIND: housekeeping}


async def set_up(database: Database, clock: Clock) -> None:
    """Make sure the duty is in the book; any replica may."""
    async with database.transaction() as session:
        await set_timer(session, KIND, "all", clock() + EVERY, only_earlier=True)
