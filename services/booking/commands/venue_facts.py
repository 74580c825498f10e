"""Telling events about the room of an event: the one place that turns a venue into its fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.tables import Booking, Venue
from shared.contracts.base import Fact
from shared.contracts.booking.facts import VenueConfirmedV1, VenueLostV1, VenueMovedV1
from shared.contracts.booking.words import BookingStatus, VenueLoss
from shared.kit.ids import Ids
from shared.kit.outbox import emit

F = TypeVar("F", bound=Fact)

HELD, CONFIRMED, REFUSED, LOST, FREED = "held", "confirmed", "refused", "lost", "freed"
"""How far a wish is met; the last three have no booking any more, and events has been told so."""


async def state_venue(
    session: AsyncSession, fact: type[F], venue: Venue, *, now: datetime, ids: Ids, **more: Any
) -> None:
    """Count the venue's facts up and state `fact` about it."""
    venue.stated += 1
    venue.changed_at = now
    await session.flush()
    await emit(session, answer(fact, venue, now=now, ids=ids, **more))


def answer(fact: type[F], venue: Venue, *, now: datetime, ids: Ids, **more: Any) -> F:
    """`fact` about a venue whose `stated` has been counted up for it."""
    return fact(
        id=ids(),
        hub=venue.hub,
        occurred_at=now,
        subject=f"{venue.event}/venue",
        subject_version=venue.stated,
        event=venue.event,
        edition=venue.edition,
        booking=venue.booking,
        **more,
    )


async def tell(
    session: AsyncSession,
    booking: Booking,
    fact: type[VenueConfirmedV1 | VenueLostV1 | VenueMovedV1],
    *,
    by: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    """Tell an event that somebody, or time, has changed the booking that is its room.

    The caller holds the booking's row: the venue's comes last, for everybody.
    """
    venue = await locked(session, booking.event)
    if venue is None or venue.booking != booking.id:
        return  # an orphan: comparing finds it
    if fact is VenueLostV1:
        venue.state, venue.booking = LOST, None
        lapsed = booking.status == BookingStatus.EXPIRED
        why = {"because": VenueLoss.LAPSED if lapsed else VenueLoss.CANCELLED, "by": None if lapsed else by}
        await state_venue(session, VenueLostV1, venue, now=now, ids=ids, **why)
        return
    settle(venue, booking)
    more = {"by": by} if fact is VenueMovedV1 else {}
    await state_venue(session, fact, venue, now=now, ids=ids, **where(booking), **more)


async def locked(session: AsyncSession, event: UUID | None) -> Venue | None:
    """The event's row, kept for us and as it is now."""
    found = select(Venue).where(Venue.event == event).with_for_update()
    return await session.scalar(found.execution_options(populate_existing=True))


def settle(venue: Venue, booking: Booking) -> None:
    """This booking is the event's room; where it is, is what was agreed."""
    venue.booking = booking.id
    venue.state = HELD if booking.status == BookingStatus.HELD else CONFIRMED
    venue.space, venue.starts_at, venue.ends_at = booking.space, booking.starts_at, booking.ends_at


def where(booking: Booking) -> dict[str, Any]:
    """Where and when a booking is, as facts say it."""
    return {"space": booking.space, "start": booking.starts_at, "end": booking.ends_at}
