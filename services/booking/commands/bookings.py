"""What happens to a booking after it was made: confirmed, moved, cancelled, checked in and out."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.holds import HOLD, expire_dead_holds
from services.booking.commands.stating import state
from services.booking.queries.bookings import may_see, no_such_booking
from services.booking.queries.claims import claims_on, taken
from services.booking.queries.spaces import SpaceTerms, terms_of
from services.booking.rules import (
    HoldExpired,
    Span,
    Units,
    WrongState,
    buffers,
    check_in_window,
    check_rules,
    free_units,
    span,
)
from services.booking.tables import Booking
from shared.contracts.booking.facts import (
    BookingCancelledV1,
    BookingCheckedInV1,
    BookingCheckedOutV1,
    BookingConfirmedV1,
    BookingMovedV1,
)
from shared.contracts.booking.requests import MoveBooking
from shared.contracts.booking.words import LIVE, BookingStatus
from shared.contracts.directory.words import STAFF
from shared.kit.errors import Forbidden, Invalid, NotFound, VersionMismatch
from shared.kit.ids import Ids
from shared.kit.principal import Principal
from shared.kit.timers import cancel_timer

MOVE_TRIES = 4


async def load(session: AsyncSession, hub: str, booking: UUID, principal: Principal) -> Booking:
    """The booking, locked; NotFound when there is none in this hub or it is not the principal's to see."""
    found = await session.scalar(
        select(Booking).where(Booking.hub == hub, Booking.id == booking).with_for_update()
    )
    if found is None or not may_see(principal, hub, found.person, found.booked_by):
        raise no_such_booking(booking)
    return found


async def confirm(session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids) -> None:
    """Turn a hold into a booking; confirming twice changes nothing."""
    if booking.status == BookingStatus.CONFIRMED:
        return
    lapsed = (
        booking.status == BookingStatus.HELD and booking.expires_at is not None and booking.expires_at <= now
    )
    if lapsed or booking.status == BookingStatus.EXPIRED:
        raise HoldExpired("This hold has lapsed. Book the time again if it is still free.")
    if booking.status != BookingStatus.HELD:
        raise WrongState(f"A booking that is {_words(booking)} cannot be confirmed.")
    booking.status = BookingStatus.CONFIRMED
    booking.expires_at = None
    await _state_next(session, BookingConfirmedV1, booking, by=by, now=now, ids=ids)
    await cancel_timer(session, HOLD, str(booking.id))


async def cancel(
    session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids, reason: str | None = None
) -> None:
    """Give the units back; cancelling twice changes nothing."""
    if booking.status == BookingStatus.CANCELLED:
        return
    if booking.status == BookingStatus.CHECKED_IN:
        raise WrongState("The person is there already: check out instead.")
    if booking.status not in LIVE:
        raise WrongState(f"A booking that is {_words(booking)} cannot be cancelled.")
    was_held = booking.status == BookingStatus.HELD
    booking.status = BookingStatus.CANCELLED
    booking.cancel_reason = reason
    booking.expires_at = None
    await _state_next(session, BookingCancelledV1, booking, by=by, now=now, ids=ids)
    if was_held:
        await cancel_timer(session, HOLD, str(booking.id))


async def check_in(session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids) -> None:
    """The person is there; checking in twice changes nothing."""
    if booking.status == BookingStatus.CHECKED_IN:
        return
    if booking.status != BookingStatus.CONFIRMED:
        raise WrongState(f"A booking that is {_words(booking)} cannot be checked in.")
    check_in_window(booking.starts_at, booking.ends_at, now)
    booking.status = BookingStatus.CHECKED_IN
    await _state_next(session, BookingCheckedInV1, booking, by=by, now=now, ids=ids)


async def check_out(session: AsyncSession, booking: Booking, *, by: UUID, now: datetime, ids: Ids) -> None:
    """The person goes, the units are free again; checking out twice changes nothing."""
    if booking.status == BookingStatus.CHECKED_OUT:
        return
    if booking.status != BookingStatus.CHECKED_IN:
        raise WrongState(f"A booking that is {_words(booking)} cannot be checked out.")
    booking.status = BookingStatus.CHECKED_OUT
    await _state_next(session, BookingCheckedOutV1, booking, by=by, now=now, ids=ids)


async def move(
    session: AsyncSession,
    booking: Booking,
    request: MoveBooking,
    principal: Principal,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """Give the booking another time, space or number of seats, under the rules in force now.

    A move is a new claim, so it obeys the space's present rules and freezes them; only an operator moving an imported entry is free of
    them, as the import was.
    """
    if booking.version != request.version:
        raise VersionMismatch(f"The booking is at version {booking.version} now. Read it again, then decide.")
    if booking.status not in (BookingStatus.HELD, BookingStatus.CONFIRMED):
        raise WrongState(f"A booking that is {_words(booking)} cannot be moved.")
    terms = await terms_of(session, booking.hub, request.space or booking.space)
    if not terms.active:
        raise NotFound(f"{terms.name} cannot be booked any more.", field="space")
    wanted = span(
        request.start or booking.starts_at.isoformat(), request.end or booking.ends_at.isoformat(), terms.zone
    )
    seats = booking.seats if request.seats is None else request.seats
    if terms.by_seat and seats > len(terms.units):
        raise Invalid(f"{terms.name} has {len(terms.units)} seats.", field="seats")
    if booking.calendar is None:
        check_rules(terms.rules, terms.zone, wanted, now)
    before = (booking.space, booking.units, booking.starts_at, booking.ends_at)
    if request.title is not None:
        booking.title = request.title
    await _take(session, booking, terms, wanted, seats, now=now, ids=ids, chance=chance)
    await _state_next(
        session,
        BookingMovedV1,
        booking,
        by=principal.person,
        now=now,
        ids=ids,
        previous_space=before[0],
        previous_units=before[1],
        previous_start=before[2],
        previous_end=before[3],
    )


async def _take(
    session: AsyncSession,
    booking: Booking,
    terms: SpaceTerms,
    wanted: Span,
    seats: int,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    await expire_dead_holds(session, terms.hub, terms.units, wanted, now=now, ids=ids)
    before, after = buffers(terms.rules)
    for _ in range(MOVE_TRIES):
        units = await _units_for(session, booking, terms, wanted, seats, now=now, chance=chance)
        try:
            async with session.begin_nested():
                booking.space, booking.units, booking.seats = terms.slug, units, seats
                booking.starts_at, booking.ends_at = wanted
                booking.kept_from = wanted[0] - before if terms.guarded else None
                booking.kept_until = wanted[1] + after
                booking.rules_version, booking.time_zone = terms.version, terms.zone.key
                await session.flush()
            return
        except IntegrityError as refused:
            if getattr(refused.orig, "sqlstate", None) != "23P01":
                raise
            await session.refresh(booking)
    raise await taken(session, terms, seats, wanted, now=now, but=booking.id)


async def _units_for(
    session: AsyncSession,
    booking: Booking,
    terms: SpaceTerms,
    wanted: Span,
    seats: int,
    *,
    now: datetime,
    chance: random.Random,
) -> Units:
    claims = await claims_on(session, terms.hub, terms.units, wanted, now=now, but=booking.id)
    free = free_units(terms.units, claims, wanted, terms.rules)
    needed = seats if terms.by_seat else len(terms.units)
    if len(free) < needed:
        raise await taken(session, terms, seats, wanted, now=now, but=booking.id)
    if not terms.by_seat:
        return terms.units
    if len(booking.units) == seats and set(booking.units) <= set(free):
        return booking.units
    return tuple(sorted(chance.sample(free, seats)))


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
    )
    bookings = (await session.scalars(mine.order_by(Booking.id).with_for_update())).all()
    for booking in bookings:
        await cancel(session, booking, by=person, now=now, ids=ids, reason="left the hub")
    return len(bookings)


async def _state_next(
    session: AsyncSession, fact: type, booking: Booking, *, by: UUID, now: datetime, ids: Ids, **more: object
) -> None:
    booking.version += 1
    await session.flush()
    await state(session, fact, booking, by=by, now=now, ids=ids, **more)


def _words(booking: Booking) -> str:
    return booking.status.replace("_", " ")
