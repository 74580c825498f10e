"""After the database went back in time: what others were told of spaces, bookings and rooms is stated again as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.spaces import reopen_closed
from services.booking.commands.stating import state, state_space
from services.booking.commands.venue_comparing import restate
from services.booking.commands.venue_facts import locked
from services.booking.commands.venues import ONE_AT_A_TIME
from services.booking.tables import Booking, Hub, Space
from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    BookingCancelledV1,
    BookingCheckedOutV1,
    BookingExpiredV1,
    BookingSnapshotV1,
    SpaceSnapshotV1,
)
from shared.contracts.booking.words import LIVE
from shared.contracts.streams import BOOKING_FACTS, SPACE_FACTS, VENUE_ANSWERS
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

THE_HUB = UUID(int=0)
"""Stands where a fact says who did something, and it was nobody but the hub itself."""
_OVER = (BookingCancelledV1, BookingExpiredV1, BookingCheckedOutV1)


async def recollect(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """State each thing as it is now, after the version others have heard."""
    now = clock()
    for fact in facts:
        if isinstance(fact, SPACE_FACTS):
            await _space(session, fact, now=now, ids=ids)
        elif isinstance(fact, VENUE_ANSWERS):
            await _venue(session, fact, now=now, ids=ids)
        elif isinstance(fact, BOOKING_FACTS):
            await _booking(session, fact, now=now, ids=ids)


async def _space(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """A space nobody remembers comes back closed: its name and units were told, its rules were not."""
    hub = await session.scalar(select(Hub).where(Hub.slug == told.hub).with_for_update())
    space = await session.get(Space, (told.hub, told.space), with_for_update=True)
    if space is None:
        if hub is None:
            return  # a space of a hub we have not heard of cannot be booked; nor could anybody have made it here
        space = await reopen_closed(session, hub, told, now=now)
    space.stated = max(space.stated, told.subject_version) + 1
    await session.flush()
    await state_space(session, SpaceSnapshotV1, space, now=now, ids=ids)


async def _booking(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """A booking nobody remembers has not been made: whoever heard of it hears that it is cancelled."""
    booking = await session.get(Booking, UUID(told.subject), with_for_update=True)
    if booking is not None:
        booking.version = max(booking.version, told.subject_version) + 1
        await session.flush()
        await state(
            session, BookingSnapshotV1, booking, by=booking.booked_by, now=now, ids=ids, status=booking.status
        )
        return
    over = isinstance(told, _OVER) or (isinstance(told, BookingSnapshotV1) and told.status not in LIVE)
    if over or told.end <= now:
        return
    said = {name: getattr(told, name) for name in BookingCancelledV1.model_fields}
    again = {"id": ids(), "occurred_at": now, "subject_version": told.subject_version + 1, "by": THE_HUB}
    await emit(session, BookingCancelledV1(**said | again))


async def _venue(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """Only the version: that the two sides are apart is found by comparing, which asks events what it wants."""
    await session.execute(ONE_AT_A_TIME, {"event": str(told.event)})
    venue = await locked(session, told.event)
    if venue is None:
        return
    venue.stated = max(venue.stated, told.subject_version)
    await session.flush()
    await restate(session, venue, now=now, ids=ids)
