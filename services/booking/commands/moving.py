"""Moving a booking: another time, space, number of seats or title, as one new claim in place of the old one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.bookings import in_words, load, refuse_lapsed
from services.booking.commands.holds import expire_dead_holds
from services.booking.commands.stating import state_next
from services.booking.commands.venue_facts import tell
from services.booking.queries.bookings import no_such_booking
from services.booking.queries.claims import claims_on, taken
from services.booking.queries.spaces import SpaceTerms, terms_of
from services.booking.rules.claims import Units, buffers, free_units, needed
from services.booking.rules.refusals import WrongState
from services.booking.rules.times import check_rules
from services.booking.tables import Booking
from shared.contracts.booking.facts import BookingMovedV1, VenueMovedV1
from shared.contracts.booking.requests import MoveBooking
from shared.contracts.booking.words import BookingStatus
from shared.contracts.directory.words import OPERATORS
from shared.kit.errors import Invalid, NotFound, VersionMismatch
from shared.kit.ids import Ids
from shared.kit.moments import Span, span
from shared.kit.principal import Principal

TRIES = 4
REFUSED_BY_CONSTRAINT = frozenset({"23P01", "40P01"})
"""Exclusion violated; or two that wait for each other's place, of whom the database has chosen us to give way."""

# A hub's moves take turns: two that change places would each wait for the other to let go.
IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('moves ' || :hub, 4))")


@dataclass(frozen=True)
class Place:
    """Where a booking shall be from now on."""

    terms: SpaceTerms
    span: Span
    seats: int

    def holds(self, booking: Booking) -> bool:
        """True when the booking is there already."""
        return (self.terms.slug, *self.span, self.seats) == (
            booking.space,
            booking.starts_at,
            booking.ends_at,
            booking.seats,
        )


async def move(
    session: AsyncSession,
    request: MoveBooking,
    principal: Principal,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> Booking:
    """Give a booking another place, under the rules in force now; they are frozen into it as for a new one."""
    booking, terms = await _load(session, request, principal)
    if booking.version != request.version:
        raise VersionMismatch(f"The booking is at version {booking.version} now. Read it again, then decide.")
    refuse_lapsed(booking, now)
    if booking.status not in (BookingStatus.HELD, BookingStatus.CONFIRMED):
        raise WrongState(f"A booking that is {in_words(booking)} cannot be moved.")
    before = place_before(booking)
    if request.title is not None:
        booking.title = request.title
    place = _wanted(booking, request, terms)
    moved = not place.holds(booking)
    if moved:
        _check(booking, place, principal, now)
        await take(session, booking, place, now=now, ids=ids, chance=chance)
    await state_next(session, BookingMovedV1, booking, by=principal.person, now=now, ids=ids, **before)
    if booking.event is not None and moved:
        await tell(session, booking, VenueMovedV1, by=principal.person, now=now, ids=ids)
    return booking


def place_before(booking: Booking) -> dict[str, Any]:
    """Where a booking is now, as the fact that it has moved tells of it."""
    return {
        "previous_space": booking.space,
        "previous_units": booking.units,
        "previous_start": booking.starts_at,
        "previous_end": booking.ends_at,
    }


async def _load(
    session: AsyncSession, request: MoveBooking, principal: Principal
) -> tuple[Booking, SpaceTerms]:
    """The booking and where it goes, both kept as they are; always in this order: turn, space, booking."""
    await session.execute(IN_TURN, {"hub": request.hub})
    where = select(Booking.space).where(Booking.hub == request.hub, Booking.id == request.booking)
    present = await session.scalar(where)
    if present is None:
        raise no_such_booking(request.booking)
    target = request.space or present
    try:
        terms = await terms_of(session, request.hub, target, keep=True)
    except NotFound:
        # First of all it is nobody's business that does not see the booking.
        await load(session, request.hub, request.booking, principal)
        raise
    return await load(session, request.hub, request.booking, principal), terms


def _wanted(booking: Booking, request: MoveBooking, terms: SpaceTerms) -> Place:
    start = request.start or booking.starts_at.isoformat()
    end = request.end or booking.ends_at.isoformat()
    seats = booking.seats if request.seats is None else request.seats
    return Place(terms, span(start, end, terms.zone), seats)


def _check(booking: Booking, place: Place, principal: Principal, now: datetime) -> None:
    """Raises what stands against a new claim there, whoever else is there or not."""
    terms = place.terms
    if not terms.active:
        raise NotFound(f"{terms.name} cannot be booked any more.", field="space")
    if place.seats > terms.most_seats:
        raise Invalid(f"{terms.name} takes {terms.most_seats} at most.", field="seats")
    imported = booking.calendar is not None and principal.within(booking.hub) in OPERATORS
    if (
        not imported
    ):  # an operator keeping an imported entry in step is as free of the rules as the import was
        check_rules(terms.rules, terms.zone, place.span, now)


async def take(
    session: AsyncSession,
    booking: Booking,
    place: Place,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """Put the booking there, or SpaceTaken: then it is where it was."""
    terms = place.terms
    await expire_dead_holds(session, terms.hub, terms.units, place.span, now=now, ids=ids)
    before, after = buffers(terms.rules)
    for _ in range(TRIES):
        units = await choose(session, booking, place, now=now, chance=chance)
        try:
            async with session.begin_nested():
                booking.space, booking.units, booking.seats = terms.slug, units, place.seats
                booking.starts_at, booking.ends_at = place.span
                booking.kept_from = place.span[0] - before if terms.guarded else None
                booking.kept_until = place.span[1] + after
                booking.rules_version, booking.time_zone = terms.version, terms.zone.key
                await session.flush()
            return
        except DBAPIError as refused:
            if getattr(refused.orig, "sqlstate", None) not in REFUSED_BY_CONSTRAINT:
                raise
            await session.refresh(booking)
    raise await taken(session, terms, place.seats, place.span, now=now, but=booking.id)


async def choose(
    session: AsyncSession, booking: Booking | None, place: Place, *, now: datetime, chance: random.Random
) -> Units:
    """The units it gets: all of a space that is claimed whole, its own seats if it can keep them, or any.

    Without a booking, those a new one could have. SpaceTaken when there are too few.
    """
    terms, but = place.terms, None if booking is None else booking.id
    claims = await claims_on(session, terms.hub, terms.units, place.span, now=now, but=but)
    free = free_units(terms.units, claims, place.span, terms.rules)
    if len(free) < needed(terms.kind, terms.units, place.seats):
        raise await taken(session, terms, place.seats, place.span, now=now, but=but)
    if not terms.by_seat:
        return terms.units
    if booking is not None and len(booking.units) == place.seats and set(booking.units) <= set(free):
        return booking.units
    return tuple(sorted(chance.sample(free, place.seats)))
