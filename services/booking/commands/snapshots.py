"""Stating again what is: for read models that are new or were rebuilt."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.stating import state, state_space
from services.booking.tables import Booking, Space
from shared.contracts.booking.facts import BookingSnapshotV1, SpaceSnapshotV1
from shared.kit.ids import Clock, Ids

AT_ONCE = 500
FIRST = UUID(int=0)


async def restate_bookings(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next bookings that are not over yet as they are: how many, and where to go on."""
    now = clock()
    following = select(Booking).where(Booking.id > (UUID(after) if after else FIRST), Booking.ends_at > now)
    bookings = (await session.scalars(following.order_by(Booking.id).limit(AT_ONCE))).all()
    for booking in bookings:
        await state(
            session, BookingSnapshotV1, booking, by=booking.booked_by, now=now, ids=ids, status=booking.status
        )
    return len(bookings), str(bookings[-1].id) if len(bookings) == AT_ONCE else None


async def restate_spaces(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next spaces as they are: how many, and where to go on."""
    hub, _, slug = after.partition("/")
    following = select(Space).where(tuple_(Space.hub, Space.slug) > tuple_(literal(hub), literal(slug)))
    spaces = (await session.scalars(following.order_by(Space.hub, Space.slug).limit(AT_ONCE))).all()
    for space in spaces:
        await state_space(session, SpaceSnapshotV1, space, now=clock(), ids=ids)
    return len(spaces), f"{spaces[-1].hub}/{spaces[-1].slug}" if len(spaces) == AT_ONCE else None
