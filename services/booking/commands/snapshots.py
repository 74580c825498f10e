"""Stating again what is: for read models that are new or were rebuilt."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.stating import state, state_space
from services.booking.tables import Booking, Space
from shared.contracts.booking.facts import BookingSnapshotV1, SpaceSnapshotV1
from shared.kit.ids import Clock, Ids


async def restate_bookings(session: AsyncSession, *, clock: Clock, ids: Ids) -> int:
    """State every booking that is not over yet as it is; how many."""
    now = clock()
    stated = 0
    bookings = await session.stream_scalars(select(Booking).where(Booking.ends_at > now).order_by(Booking.id))
    async for booking in bookings:
        await state(
            session, BookingSnapshotV1, booking, by=booking.booked_by, now=now, ids=ids, status=booking.status
        )
        stated += 1
    return stated


async def restate_spaces(session: AsyncSession, *, clock: Clock, ids: Ids) -> int:
    """State every space as it is; how many."""
    spaces = (await session.scalars(select(Space).order_by(Space.hub, Space.slug))).all()
    for space in spaces:
        await state_space(session, SpaceSnapshotV1, space, now=clock(), ids=ids)
    return len(spaces)
