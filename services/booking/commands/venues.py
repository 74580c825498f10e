"""Acting on what an event wishes of its room: held, moved, confirmed, given back, and the answer stated."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import venue_places as places
from services.booking.commands.bookings import cancel, confirm
from services.booking.commands.holds import expire_hold
from services.booking.commands.moving import IN_TURN
from services.booking.commands.venue_facts import (
    CONFIRMED,
    FREED,
    HELD,
    LOST,
    REFUSED,
    locked,
    settle,
    state_venue,
    where,
)
from services.booking.commands.venue_places import NoRoom
from services.booking.queries.spaces import SpaceTerms, terms_of
from services.booking.tables import Booking, Venue
from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueRefusedV1,
)
from shared.contracts.booking.words import LIVE, BookingStatus, VenueLoss
from shared.contracts.events.facts import (
    VenueAcceptedV1,
    VenueReleasedV1,
    VenueWantedV1,
    VenueWishSnapshotV1,
)
from shared.kit.errors import NotFound
from shared.kit.ids import Ids
from shared.kit.inbox import heard_so_far

KEEPS = "booking__keeps_venues"
STANDING = frozenset({*LIVE, BookingStatus.CHECKED_OUT})
"""A booking that was used and checked out of has not been lost."""
Wish = VenueWantedV1 | VenueAcceptedV1 | VenueReleasedV1 | VenueWishSnapshotV1

# Whoever acts on an event's wishes takes its locks in this order: the event's turn, the hub's turn to move, the space,
# the booking, the venue's row. People who change the booking hold it when they come to the venue's row.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('venue ' || :event, 5))")


async def take_in(
    session: AsyncSession,
    fact: VenueWantedV1 | VenueAcceptedV1 | VenueReleasedV1,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """Act on a wish unless a newer one has been heard, and state the answer in the same transaction."""
    terms = await in_turn(session, fact)
    venue, live = await kept(session, fact.hub, fact.event, now=now, before=fact.subject_version)
    if fact.subject_version <= venue.heard:
        return  # comparing has been faster
    venue.heard = fact.subject_version
    if fact.edition < venue.edition:
        return
    if isinstance(fact, VenueWantedV1):
        note(venue, fact)
        await give(session, venue, live, terms, now=now, ids=ids, chance=chance)
    elif isinstance(fact, VenueAcceptedV1):
        await accepted(session, venue, live, terms, now=now, ids=ids, chance=chance)
    else:
        venue.edition, venue.wants = fact.edition, False
        await free(session, venue, live, now=now, ids=ids)


async def in_turn(session: AsyncSession, fact: Wish) -> SpaceTerms | None:
    """One at a time per event; the terms of the space it is about, kept as they are. None when there is none."""
    await session.execute(ONE_AT_A_TIME, {"event": str(fact.event)})
    await session.execute(IN_TURN, {"hub": fact.hub})
    space = fact.space if isinstance(fact, (VenueWantedV1, VenueWishSnapshotV1)) else None
    if space is None:
        space = await session.scalar(select(Venue.space).where(Venue.event == fact.event))
    try:
        return None if space is None else await terms_of(session, fact.hub, space, keep=True)
    except NotFound:
        return None


async def kept(
    session: AsyncSession, hub: str, event: UUID, *, now: datetime, before: int = 0
) -> tuple[Venue, Booking | None]:
    """The event's row, made if there is none, and its live booking; both locked, the booking first.

    The one live booking with the event's id is its room, whatever the row says. A row that was there and is gone had
    heard what the order of facts has let pass, but for the one with the version `before` that is being acted on.
    """
    is_live = (Booking.hub == hub, Booking.event == event, Booking.status.in_(LIVE))
    find = select(Booking).where(*is_live).with_for_update()
    live = await session.scalar(find.execution_options(populate_existing=True))
    venue = await locked(session, event)
    if venue is None:
        heard = await heard_so_far(session, KEEPS, hub, f"{event}/venue")
        venue = Venue(event=event, hub=hub, edition=0, wants=False, state=FREED, stated=0)
        venue.heard, venue.changed_at = 0 if heard == before else heard, now
        session.add(venue)
    if live is not None and venue.booking != live.id:
        settle(venue, live)
    return venue, live


def note(venue: Venue, wish: VenueWantedV1 | VenueWishSnapshotV1) -> None:
    """Write down what is wanted."""
    venue.edition, venue.wants = wish.edition, True
    venue.space, venue.seats = wish.space, wish.seats
    venue.starts_at, venue.ends_at = wish.start, wish.end
    venue.person = wish.person


async def give(
    session: AsyncSession,
    venue: Venue,
    live: Booking | None,
    terms: SpaceTerms | None,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> Booking | None:
    """Let the event have what it wants: the booking it has is moved, or else a hold made; None when refused."""
    if live is not None and await _lapsed(session, live, now=now, ids=ids):
        live = None
    if live is None:
        found = await places.hold(session, venue, terms, now=now, ids=ids, chance=chance)
    else:
        found = await places.move(session, venue, live, terms, now=now, ids=ids, chance=chance) or live
    if isinstance(found, NoRoom):
        await _refuse(session, venue, live, found, now=now, ids=ids)
        return None
    settle(venue, found)
    if found.status == BookingStatus.HELD:
        more = where(found) | {"expires_at": found.expires_at}
        await state_venue(session, VenueHeldV1, venue, now=now, ids=ids, **more)
    else:
        await state_venue(session, VenueConfirmedV1, venue, now=now, ids=ids, **where(found))
    return found


async def _lapsed(session: AsyncSession, live: Booking, *, now: datetime, ids: Ids) -> bool:
    """End a hold whose timer has not come round yet; its time cannot be prolonged without waiting for that timer."""
    if live.status != BookingStatus.HELD or live.expires_at is None or live.expires_at > now:
        return False
    return await expire_hold(session, live.id, now=now, ids=ids, for_event=True)


async def _refuse(
    session: AsyncSession, venue: Venue, live: Booking | None, why: NoRoom, *, now: datetime, ids: Ids
) -> None:
    """Say no; a booking the event has stands as it was, and is the last it was known to want."""
    if live is None:
        venue.booking, venue.state, venue.wants = None, REFUSED, False
    else:
        if live.status == BookingStatus.HELD:
            await _confirm(session, venue, live, now=now, ids=ids)
        settle(venue, live)
    await state_venue(
        session,
        VenueRefusedV1,
        venue,
        now=now,
        ids=ids,
        because=why.because,
        kept=live is not None,
        free_starts=why.free_starts,
        free_spaces=why.free_spaces,
        bookable_from=why.bookable_from,
    )


async def accepted(
    session: AsyncSession,
    venue: Venue,
    live: Booking | None,
    terms: SpaceTerms | None,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """Confirm the room that is held; one that has vanished is looked for anew.

    Where the event has been told already that its room is lost, refused or freed, that is the last word.
    """
    if live is None:
        if not await vanished(session, venue):
            return
        found = await places.hold(session, venue, terms, now=now, ids=ids, chance=chance)
        if isinstance(found, NoRoom):
            await lose(session, venue, now=now, ids=ids)
            return
        live = found
    if live.status == BookingStatus.HELD:
        await _confirm(session, venue, live, now=now, ids=ids)
    settle(venue, live)
    await state_venue(session, VenueConfirmedV1, venue, now=now, ids=ids, **where(live))


async def lose(session: AsyncSession, venue: Venue, *, now: datetime, ids: Ids) -> None:
    """Say that the room is gone although nobody gave it up."""
    venue.booking, venue.state = None, LOST
    await state_venue(session, VenueLostV1, venue, now=now, ids=ids, because=VenueLoss.LAPSED)


async def _confirm(session: AsyncSession, venue: Venue, live: Booking, *, now: datetime, ids: Ids) -> None:
    await confirm(session, live, by=venue.person or live.person, now=now, ids=ids, for_event=True)


async def vanished(session: AsyncSession, venue: Venue) -> bool:
    """True when the event has not been told that it has no room, and yet there is no booking."""
    return venue.state in (HELD, CONFIRMED) and not await stands(session, venue)


async def stands(session: AsyncSession, venue: Venue) -> bool:
    """True while the row's booking is live, or was used and checked out of."""
    found = select(Booking.id).where(Booking.id == venue.booking, Booking.status.in_(STANDING))
    return await session.scalar(found) is not None


async def free(session: AsyncSession, venue: Venue, live: Booking | None, *, now: datetime, ids: Ids) -> None:
    """Give the room back; people who are in it already stay, and the booking is theirs."""
    if live is not None and live.status == BookingStatus.CHECKED_IN:
        live.event = None
    elif live is not None:
        await cancel(session, live, by=venue.person or live.person, now=now, ids=ids, for_event=True)
    venue.booking, venue.state = None, FREED
    await state_venue(session, VenueFreedV1, venue, now=now, ids=ids)
