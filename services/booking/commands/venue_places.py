"""Finding the room an event wants: kept as a hold, moved to, or the reasons why not and what is free instead."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.holds import HOLD, expire_dead_holds
from services.booking.commands.moving import TRIES, Place, choose, place_before, take
from services.booking.commands.stating import state, state_next
from services.booking.queries.claims import taken
from services.booking.queries.spaces import SpaceTerms
from services.booking.rules.claims import Units, buffers
from services.booking.rules.times import check_rules
from services.booking.tables import Booking, Hub, Venue
from shared.contracts.booking.facts import BookingHeldV1, BookingMovedV1
from shared.contracts.booking.words import BookingStatus, VenueRefusal
from shared.kit.errors import Conflict
from shared.kit.ids import Ids
from shared.kit.moments import Span
from shared.kit.timers import set_timer

KEPT_FOR = timedelta(minutes=10)
"""How long a room is kept for an event that has not accepted it; it does so at once unless it is away."""


@dataclass(frozen=True)
class NoRoom:
    """Why the event cannot have the room, and what is free instead."""

    because: VenueRefusal
    free_starts: tuple[datetime, ...] = ()
    free_spaces: tuple[str, ...] = ()
    bookable_from: datetime | None = None


async def hold(
    session: AsyncSession,
    venue: Venue,
    terms: SpaceTerms | None,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> Booking | NoRoom:
    """Keep the wanted room for the event for a while, under all rules of the space.

    Facts carry no roles, so nobody is exempt from them. A floor made of other spaces is their units, so they are
    taken with it.
    """
    if terms is None or not terms.active:
        return NoRoom(VenueRefusal.NO_SUCH_SPACE)
    place = wanted(venue, terms)
    refused = await _against(session, place, now=now)
    if refused is not None:
        return refused
    await expire_dead_holds(session, terms.hub, terms.units, place.span, now=now, ids=ids)
    for _ in range(TRIES):
        try:
            units = await choose(session, None, place, now=now, chance=chance)
        except Conflict as full:
            return _instead(full)
        booking = await _insert(session, venue, place, units, now=now, ids=ids)
        if booking is not None:
            return booking
    return _instead(await taken(session, terms, place.seats, place.span, now=now))


async def move(
    session: AsyncSession,
    venue: Venue,
    booking: Booking,
    terms: SpaceTerms | None,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> NoRoom | None:
    """Bring the event's booking to where it is wanted now; when that cannot be, it stays where it is."""
    if terms is None or not terms.active:
        return NoRoom(VenueRefusal.NO_SUCH_SPACE)
    place = wanted(venue, terms)
    if place.holds(booking):
        return None
    if booking.status == BookingStatus.CHECKED_IN:
        return NoRoom(VenueRefusal.IN_THE_PAST)  # people are in it already
    refused = await _against(session, place, now=now, but=booking.id)
    if refused is not None:
        return refused
    before = place_before(booking)
    try:
        await take(session, booking, place, now=now, ids=ids, chance=chance)
    except Conflict as full:
        return _instead(full)
    by = venue.person or booking.person
    await state_next(session, BookingMovedV1, booking, by=by, now=now, ids=ids, **before)
    return None


def wanted(venue: Venue, terms: SpaceTerms) -> Place:
    """The place a wish names; whoever says no number of people gets all there is."""
    return Place(terms, _span(venue), terms.most_seats if venue.seats is None else venue.seats)


def _span(venue: Venue) -> Span:
    if venue.starts_at is None or venue.ends_at is None:
        raise ValueError("an event that wants a room says when")
    return venue.starts_at, venue.ends_at


async def _against(
    session: AsyncSession, place: Place, *, now: datetime, but: UUID | None = None
) -> NoRoom | None:
    """What stands against a claim there, whoever else is there or not."""
    terms = place.terms
    if place.seats > terms.most_seats:
        instead = _instead(await taken(session, terms, place.seats, place.span, now=now, but=but))
        return NoRoom(VenueRefusal.TOO_SMALL, free_spaces=instead.free_spaces)
    try:
        check_rules(terms.rules, terms.zone, place.span, now)
    except Conflict as refused:
        because = VenueRefusal(refused.code)
    else:
        return None
    if because is VenueRefusal.CLOSED:
        instead = _instead(await taken(session, terms, place.seats, place.span, now=now, but=but))
        return NoRoom(because, instead.free_starts, instead.free_spaces)
    if because is VenueRefusal.TOO_FAR_AHEAD:
        return NoRoom(because, bookable_from=_bookable_from(place))
    return NoRoom(because)


def _bookable_from(place: Place) -> datetime:
    """When the day begins from which this place can be booked so far ahead."""
    zone = place.terms.zone
    day = place.span[0].astimezone(zone).date() - timedelta(days=place.terms.rules.days_ahead)
    return datetime.combine(day, clock_time(), zone).astimezone(UTC)


def _instead(full: Conflict) -> NoRoom:
    """The refusal a person hears, as the fact tells it."""
    free = full.extra["free_instead"]
    starts = tuple(datetime.fromisoformat(one["start"]).astimezone(UTC) for one in free["times"])
    return NoRoom(VenueRefusal.SPACE_TAKEN, starts, tuple(free["spaces"]))


async def _insert(
    session: AsyncSession, venue: Venue, place: Place, units: Units, *, now: datetime, ids: Ids
) -> Booking | None:
    """The hold, with its timer and its fact; None when somebody was faster."""
    terms, person, expires_at = place.terms, venue.person, now + KEPT_FOR
    before, after = buffers(terms.rules)
    start, end = place.span
    statement = insert(Booking).values(
        id=ids(),
        hub=terms.hub,
        hub_number=select(Hub.number).where(Hub.slug == terms.hub).scalar_subquery(),
        space=terms.slug,
        units=units,
        seats=place.seats,
        starts_at=start,
        ends_at=end,
        kept_from=start - before if terms.guarded else None,
        kept_until=end + after,
        status=BookingStatus.HELD,
        person=person,
        booked_by=person,
        time_zone=terms.zone.key,
        rules_version=terms.version,
        expires_at=expires_at,
        event=venue.event,
        version=1,
        created_at=now,
    )
    made = (await session.scalars(statement.on_conflict_do_nothing().returning(Booking.id))).first()
    if made is None:
        return None
    await set_timer(session, HOLD, str(made), expires_at)
    booking = await session.get_one(Booking, made)
    by = booking.booked_by
    await state(session, BookingHeldV1, booking, by=by, now=now, ids=ids, expires_at=expires_at)
    return booking
