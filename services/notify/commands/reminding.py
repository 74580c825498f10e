"""Reminders: set, moved and cancelled with the thing they are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.noticing import BOTH, MAIL_ONLY, Look, look_at
from services.notify.rules.kinds import REMIND_MINUTES
from services.notify.rules.moments import remind_at
from shared.contracts.notify.words import About
from shared.kit.ids import Ids

# ruff: noqa: S608  # the statements are put together from constants
_BEFORE = f"coalesce(w.remind_minutes, {REMIND_MINUTES}) AS minutes, coalesce(h.time_zone, 'UTC') AS zone"
_OF_BOOKINGS = f"""
    SELECT b.id, b.person, b.hub, b.starts_at, false AS guest, b.status = 'confirmed' AND NOT b.silent AS wanted, {_BEFORE}
    FROM booking b LEFT JOIN hub h ON h.slug = b.hub LEFT JOIN habit w ON w.person = b.person
"""
_OF_PLACES = f"""
    SELECT u.id, u.person, u.hub, e.starts_at, u.guest,
           u.status = 'attending' AND e.status IN ('published', 'changed') AND NOT e.hidden AS wanted, {_BEFORE}
    FROM sign_up u JOIN event e ON e.id = u.event
    LEFT JOIN hub h ON h.slug = u.hub LEFT JOIN habit w ON w.person = u.person
"""
_BOOKINGS = text(f"{_OF_BOOKINGS} WHERE b.id = ANY(:things)")
_PLACES = text(f"{_OF_PLACES} WHERE u.id = ANY(:things)")
_PLACES_AT = text(f"{_OF_PLACES} WHERE u.event = :event")
_PERSONS = text(f"""
    {_OF_BOOKINGS} WHERE b.person = :person AND b.starts_at > :now
    UNION ALL {_OF_PLACES} WHERE u.person = :person AND e.starts_at > :now
""")
# One that is being sent is past cancelling; what it says is judged once more before it goes.
_FORGET = text("""
    DELETE FROM notice USING unnest(CAST(:persons AS uuid[]), CAST(:things AS uuid[])) AS one (person, thing)
    WHERE notice.person = one.person AND notice.about = 'reminder' AND notice.thing = one.thing
      AND message IS NULL AND (claimed_until IS NULL OR claimed_until <= :now)
""")


async def remind_of_bookings(
    session: AsyncSession, things: Sequence[UUID], moved: Collection[UUID], *, now: datetime, ids: Ids
) -> None:
    """Set, move or cancel the reminders of these bookings; `moved` are those that begin at another time than before."""
    rows = (await session.execute(_BOOKINGS, {"things": list(things)})).all()
    await _remind(session, rows, moved, now=now, ids=ids)


async def remind_of_places(
    session: AsyncSession, things: Sequence[UUID], moved: Collection[UUID], *, now: datetime, ids: Ids
) -> None:
    """The same of sign-ups; one whose event has not been heard of has none yet."""
    rows = (await session.execute(_PLACES, {"things": list(things)})).all()
    await _remind(session, rows, moved, now=now, ids=ids)


async def remind_of_event(
    session: AsyncSession, event: UUID, *, moved: bool, now: datetime, ids: Ids
) -> None:
    """The same of everybody's places at an event."""
    rows = (await session.execute(_PLACES_AT, {"event": event})).all()
    await _remind(session, rows, {row.id for row in rows} if moved else (), now=now, ids=ids)


async def remind_anew(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> None:
    """Move a person's reminders to where they want them now."""
    rows = (await session.execute(_PERSONS, {"person": person, "now": now})).all()
    await _remind(session, rows, (), now=now, ids=ids)


async def _remind(
    session: AsyncSession, rows: Sequence[Any], moved: Collection[UUID], *, now: datetime, ids: Ids
) -> None:
    """What begins sooner than the reminder would come has none: the person hears of it now anyway.

    One that is due and waits, for the mail server or the morning, stays unless the thing was moved.
    """
    looks, off = [], []
    for row in rows:
        due_at = remind_at(row.starts_at, row.minutes, row.zone)
        if row.wanted and due_at > now:
            channels = MAIL_ONLY if row.guest else BOTH
            looks.append(Look(row.person, row.hub, About.REMINDER, row.id, due_at=due_at, channels=channels))
        elif not row.wanted or row.id in moved:
            off.append(row)
    if off:
        persons, things = [row.person for row in off], [row.id for row in off]
        await session.execute(_FORGET, {"persons": persons, "things": things, "now": now})
    await look_at(session, looks, now=now, gather=timedelta(0), ids=ids)
