"""What happens to a booking after it was made: confirmed, cancelled, checked in and out, given back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.stating import state_next
from services.booking.commands.venue_facts import tell
from services.booking.queries.bookings import may_see, no_such_booking
from services.booking.rules.refusals import HoldExpired, WrongState
from services.booking.rules.times import check_in_window
from services.booking.tables import Booking
from shared.contracts.booking.facts import (
    BookingCancelledV1,
    BookingCheckedInV1,
    BookingCheckedOutV1,
    BookingConfirmedV1,
    VenueConfirmedV1,
    VenueLostV1,
)
from shared.contracts.booking.words import LIVE, BookingStatus
from shared.contracts.directory.words import STAFF
from shared.kit.errors import Forbidden
from shared.kit.ids import Ids
from shared.kit.principal import Principal


async def load(session: AsyncSession, hub: str, booking: UUID, principal: Principal) -> Booking:
    """The booking, locked; NotFound when there is none in this hub or it is not the principal's to see."""
    found = await session.scalar(
        select(Booking).where(Booking.hub == hub, Booking.id == booking).with_for_update()
    )
    if found is None or not may_see(principal, hub, found.person, found.booked_by):
        raise no_such_booking(booking)
    return found


def refuse_lapsed(booking: Booking, now: datetime) -> None:
    """HoldExpired when the hold's time is up, whether or not its timer has come round yet."""
    held = booking.status == BookingStatus.HELD
    if booking.status == BookingStatus.EXPIRED or (held and booking.expires_at and booking.expires_at <= now):
        raise HoldExpired("This hold has lapsed. Book the time again if it is still free.")


async def confirm(
    session: AsyncSession,
    booking: Booking,
    *,
    by: UUID,
    now: datetime,
    ids: Ids,
    for_event: bool = False,
) -> None:
    """Turn a hold into a booking; confirming twice changes nothing.

    `for_event` says that the event itself has accepted its room: it need not be told, and comes late only when a
    service was away; as long as nobody else has taken the place it is still kept for it.
    """
    if booking.status == BookingStatus.CONFIRMED:
        return
    if not for_event:
        refuse_lapsed(booking, now)
    if booking.status != BookingStatus.HELD:
        raise WrongState(f"A booking that is {in_words(booking)} cannot be confirmed.")
    booking.status = BookingStatus.CONFIRMED
    booking.expires_at = None
    await state_next(session, BookingConfirmedV1, booking, by=by, now=now, ids=ids)
    if booking.event is not None and not for_event:
        await tell(session, booking, VenueConfirmedV1, by=by, now=now, ids=ids)


async def cancel(
    session: AsyncSession,
    booking: Booking,
    *,
    by: UUID,
    now: datetime,
    ids: Ids,
    reason: str | None = None,
    for_event: bool = False,
) -> None:
    """Give the units back; cancelling twice changes nothing. With `for_event` its event has given the room up."""
    if booking.status == BookingStatus.CANCELLED:
        return
    if booking.status == BookingStatus.CHECKED_IN:
        raise WrongState("The person is there already: check out instead.")
    if booking.status not in LIVE:
        raise WrongState(f"A booking that is {in_words(booking)} cannot be cancelled.")
    booking.status = BookingStatus.CANCELLED
    booking.cancel_reason = reason
    booking.expires_at = None
    await state_next(session, BookingCancelledV1, booking, by=by, now=now, ids=ids)
    if booking.event is not None and not for_event:
        await tell(session, booking, VenueLostV1, by=by, now=now, ids=ids)


async def check_in(session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids) -> None:
    """The person is there; checking in twice changes nothing."""
    if booking.status == BookingStatus.CHECKED_IN:
        return
    if booking.status != BookingStatus.CONFIRMED:
        raise WrongState(f"A booking that is {in_words(booking)} cannot be checked in.")
    check_in_window(booking.starts_at, booking.ends_at, now)
    booking.status = BookingStatus.CHECKED_IN
    await state_next(session, BookingCheckedInV1, booking, by=by, now=now, ids=ids)


async def check_out(session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids) -> None:
    """The person goes, the units are free again; checking out twice changes nothing."""
    if booking.status == BookingStatus.CHECKED_OUT:
        return
    if booking.status != BookingStatus.CHECKED_IN:
        raise WrongState(f"A booking that is {in_words(booking)} cannot be checked out.")
    booking.status = BookingStatus.CHECKED_OUT
    await state_next(session, BookingCheckedOutV1, booking, by=by, now=now, ids=ids)


def may_check_in(booking: Booking, principal: Principal) -> None:
    """The person themselves or the hub's staff check in and out."""
    if principal.person != booking.person and principal.within(booking.hub) not in STAFF:
        raise Forbidden("Only the person who comes, or the hub's staff, checks in and out.")


async def give_back_all(
    session: AsyncSession, hub: str, person: UUID, *, since: datetime, now: datetime, ids: Ids
) -> int:
    """Cancel what somebody who left the hub had booked there before leaving and has not begun; how many."""
    mine = select(Booking).where(
        Booking.person == person,
        Booking.hub == hub,
        Booking.status.in_([BookingStatus.HELD, BookingStatus.CONFIRMED]),
        Booking.starts_at > since,
        Booking.created_at <= since,
        # An imported calendar is the hub's, not the importing operator's; an event goes on without who started it.
        Booking.calendar.is_(None),
        Booking.event.is_(None),
    )
    bookings = (await session.scalars(mine.order_by(Booking.id).with_for_update())).all()
    for booking in bookings:
        await cancel(session, booking, by=person, now=now, ids=ids, reason="left the hub")
    return len(bookings)


def in_words(booking: Booking) -> str:
    """The booking's state in a sentence."""
    return booking.status.replace("_", " ")
