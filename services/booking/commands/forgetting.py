"""Forgetting a person: what they had ahead is free again, and what is past is a figure with nobody in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.bookings import cancel
from services.booking.tables import Booking
from shared.contracts.base import NOBODY
from shared.contracts.booking.words import BookingStatus
from shared.contracts.forgetting import Deed, Thing, Told
from shared.kit.forgetting import Forget, done, forget_keys, told
from shared.kit.ids import Ids

BECAUSE = "left Foci"
# What is imported or belongs to an event was never the person's own: its title is the hub's.
_THEIRS = """
    UPDATE booking SET person = :nobody, booked_by = CASE WHEN booked_by = :person THEN :nobody ELSE booked_by END,
        title = CASE WHEN calendar IS NULL AND event IS NULL THEN NULL ELSE title END, cancel_reason = NULL
    WHERE person = :person
"""
# When their own are done there is nothing left that they booked for themselves: said for the index.
_FOR_OTHERS = "UPDATE booking SET booked_by = :nobody WHERE booked_by = :person AND booked_by <> person"
_ROOMS = "UPDATE venue SET person = :nobody WHERE person = :person"


def forgets(ids: Ids) -> Forget:
    """How booking forgets."""

    async def forget(session: AsyncSession, person: UUID, now: datetime) -> list[Told]:
        freed = await _free(session, person, now=now, ids=ids)
        found = told(Thing.BOOKINGS_AHEAD, Deed.ERASED, freed)
        for what, statement in (
            (Thing.BOOKINGS, _THEIRS),
            (Thing.BOOKINGS_FOR_OTHERS, _FOR_OTHERS),
            (Thing.ROOMS_OF_EVENTS, _ROOMS),
        ):
            found += await done(session, what, Deed.ANONYMISED, person, statement, nobody=NOBODY)
        return found + await forget_keys(session, person)

    return forget


async def _free(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> int:
    """Cancel what has not begun; an imported calendar is the hub's, and an event goes on without who started it."""
    ahead = select(Booking).where(
        Booking.person == person,
        Booking.status.in_([BookingStatus.HELD, BookingStatus.CONFIRMED]),
        Booking.ends_at > now,
        Booking.calendar.is_(None),
        Booking.event.is_(None),
    )
    found = (await session.scalars(ahead.order_by(Booking.id).with_for_update())).all()
    for booking in found:
        await cancel(session, booking, by=person, now=now, ids=ids, reason=BECAUSE)
    # The rows are written by statements from here; what the session remembers of them is not so any more.
    await session.flush()
    session.expire_all()
    return len(found)
