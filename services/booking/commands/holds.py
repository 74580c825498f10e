"""Holds end by themselves: by their timer, or when somebody wants the place first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.stating import state_next
from services.booking.commands.venue_facts import tell
from services.booking.rules.claims import LONGEST_BUFFER, Units, to_multirange
from services.booking.tables import Booking
from shared.contracts.booking.facts import BookingExpiredV1, VenueLostV1
from shared.contracts.booking.words import BookingStatus
from shared.kit.ids import Ids
from shared.kit.moments import Span

HOLD = "hold-expires"
"""Kind of the timer that ends a hold; its key is the booking's id.

It is set when the hold is made and then left alone: finding nothing to end costs nothing, but to cancel it one
would have to wait for whoever handles it, who waits for the booking one has locked.
"""

_DEAD = text("""
    SELECT id FROM booking
    WHERE hub_number = (SELECT number FROM hub WHERE slug = :hub) AND units && CAST(CAST(:units AS text) AS int4multirange)
      AND tstzrange(starts_at, kept_until) && tstzrange(:start, :end)
      AND status IN ('held', 'confirmed', 'checked_in') AND status = 'held' AND expires_at <= :now
    ORDER BY id FOR UPDATE SKIP LOCKED
""")


async def expire_hold(
    session: AsyncSession, booking: UUID, *, now: datetime, ids: Ids, for_event: bool = False
) -> bool:
    """End one hold whose time is up; False when there is nothing to end any more.

    With `for_event` its event asks for a room anew this moment, and need not be told.
    """
    held = await session.scalar(select(Booking).where(Booking.id == booking).with_for_update())
    if held is None or held.status != BookingStatus.HELD or held.expires_at is None or held.expires_at > now:
        return False
    held.status = BookingStatus.EXPIRED
    await state_next(session, BookingExpiredV1, held, by=held.booked_by, now=now, ids=ids)
    if held.event is not None and not for_event:
        await tell(session, held, VenueLostV1, by=held.booked_by, now=now, ids=ids)
    return True


async def expire_dead_holds(
    session: AsyncSession, hub: str, units: Units, around: Span, *, now: datetime, ids: Ids
) -> int:
    """End the holds near that time whose timer has not come round yet; how many."""
    asked = {
        "hub": hub,
        "units": to_multirange(units),
        "start": around[0] - LONGEST_BUFFER,
        "end": around[1] + LONGEST_BUFFER,
        "now": now,
    }
    dead = (await session.scalars(_DEAD, asked)).all()
    for booking in dead:
        await expire_hold(session, booking, now=now, ids=ids)
    return len(dead)
