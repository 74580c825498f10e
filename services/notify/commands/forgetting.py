"""Forgetting what is past its time, a chunk at a time: a long delete would hold back the relay."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.database import changed_rows

AT_ONCE = 1000
"""Rows of a kind forgotten in one transaction."""
EVENTS_AT_ONCE = 10
"""With each go as many rows as its hub has people."""
MESSAGES_KEPT = timedelta(days=90)
DELIVERIES_KEPT = timedelta(days=30)
THINGS_KEPT = timedelta(days=90)
"""After their end. What was told of them goes with them: nobody states again what is over."""
SIGN_INS_KEPT = timedelta(days=1)

# One that is still on its way is not forgotten; nor is one that says whose address nothing is mailed to any more.
_MESSAGES = text("""
    DELETE FROM message WHERE id IN (
        SELECT m.id FROM message m
        WHERE m.created_at < :before AND (m.sent_at IS NOT NULL OR m.failed_at IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM stopped_address s WHERE s.address_hash = m.address_hash)
        LIMIT :most)
""")
_DELIVERIES = text("""
    DELETE FROM delivery WHERE id IN (
        SELECT id FROM delivery WHERE created_at < :before AND state <> 'waiting' LIMIT :most)
""")
_BOOKINGS = text("""
    WITH over AS (
        SELECT id, person FROM booking WHERE ends_at < :before ORDER BY ends_at LIMIT :most
    ), known AS (
        DELETE FROM told t USING over o
        WHERE t.person = o.person AND t.about IN ('booking', 'reminder') AND t.thing = o.id
    )
    DELETE FROM booking b USING over o WHERE b.id = o.id
""")
_SIGN_UPS = text("""
    WITH over AS (
        SELECT u.id, u.person FROM event e JOIN sign_up u ON u.event = e.id WHERE e.ends_at < :before LIMIT :most
    ), known AS (
        DELETE FROM told t USING over o
        WHERE t.person = o.person AND t.about IN ('sign-up', 'reminder') AND t.thing = o.id
    )
    DELETE FROM sign_up u USING over o WHERE u.id = o.id
""")
_EVENTS = text("""
    WITH over AS (
        SELECT e.id, e.hub, e.organisers FROM event e
        WHERE e.ends_at < :before AND NOT EXISTS (SELECT 1 FROM sign_up u WHERE u.event = e.id)
        ORDER BY e.ends_at LIMIT :most
    ), audience AS (
        SELECT o.id, m.person FROM over o JOIN member m ON m.hub = o.hub
        UNION SELECT id, unnest(organisers) FROM over
    ), known AS (
        DELETE FROM told t USING audience a
        WHERE t.person = a.person AND t.about IN ('organising', 'approving', 'programme') AND t.thing = a.id
    )
    DELETE FROM event e USING over o WHERE e.id = o.id
""")
# How it ended, or that it goes on, was said so long ago that nothing is said of it any more.
_INTRODUCTIONS = text("""
    WITH over AS (
        SELECT id, one, other FROM introduction
        WHERE said_at < :before AND (lapses_at IS NULL OR lapses_at < :before) ORDER BY said_at LIMIT :most
    ), known AS (
        DELETE FROM told t USING over o
        WHERE t.person IN (o.one, o.other) AND t.about IN ('introduction', 'outcome') AND t.thing = o.id
    )
    DELETE FROM introduction i USING over o WHERE i.id = o.id
""")
_SIGN_INS = text("""
    WITH over AS (
        SELECT id, person FROM sign_in WHERE until < :before ORDER BY until LIMIT :most
    ), known AS (
        DELETE FROM told t USING over o WHERE t.person = o.person AND t.about = 'sign-in' AND t.thing = o.id
    )
    DELETE FROM sign_in i USING over o WHERE i.id = o.id
""")
_CHUNKS = (
    (_MESSAGES, MESSAGES_KEPT, AT_ONCE),
    (_DELIVERIES, DELIVERIES_KEPT, AT_ONCE),
    (_BOOKINGS, THINGS_KEPT, AT_ONCE),
    (_SIGN_UPS, THINGS_KEPT, AT_ONCE),
    (_EVENTS, THINGS_KEPT, EVENTS_AT_ONCE),
    (_INTRODUCTIONS, THINGS_KEPT, AT_ONCE),
    (_SIGN_INS, SIGN_INS_KEPT, AT_ONCE),
)


async def forget(session: AsyncSession, *, now: datetime) -> bool:
    """Forget a chunk of each kind; whether there may be more."""
    more = False
    for statement, kept, most in _CHUNKS:
        gone = changed_rows(await session.execute(statement, {"before": now - kept, "most": most}))
        more |= gone >= most
    return more
