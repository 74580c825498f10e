"""Comparing what events and booking hold of rooms, and mending what is apart: backups, dead letters, rows changed by hand."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.venue_facts import CONFIRMED, answer, settle
from services.booking.commands.venues import (
    ONE_AT_A_TIME,
    STANDING,
    accepted,
    free,
    give,
    in_turn,
    kept,
    note,
    vanished,
)
from services.booking.queries.spaces import SpaceTerms
from services.booking.tables import Booking, Venue
from shared.contracts.booking.facts import VenueSnapshotV1
from shared.contracts.booking.words import BookingStatus
from shared.contracts.events.facts import VenueWishSnapshotV1
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

COMPARED = "venues-compared"
"""The timer that states what is, so that both sides can compare. Its key is where to go on."""
COMPARE_EVERY = timedelta(minutes=15)
AT_ONCE = 500
QUIET = timedelta(minutes=1)
"""A row that changed so recently may be on its way to agreement; only what rests is mended."""
STILL_OF_INTEREST = timedelta(days=2)
FIRST = UUID(int=0)

MENDED = Counter(
    "foci_booking_venues_mended_total", "Rooms of events that booking found apart from its own and mended."
)

_ORPHANS = text("""
    SELECT b.hub, b.event FROM booking b LEFT JOIN venue v ON v.booking = b.id
    WHERE b.event IS NOT NULL AND b.status IN ('held', 'confirmed', 'checked_in') AND b.ends_at > :now
      AND v.event IS NULL
    ORDER BY b.event LIMIT :most
""")


async def compare(
    session: AsyncSession,
    fact: VenueWishSnapshotV1,
    *,
    in_order: bool,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """Bring the room to what the event says it wants, or let events know what is here.

    `in_order` says that facts before this one may have been missed: then it stands for them. Otherwise nothing is
    missing, and what differs has differed for a while before it is touched.
    """
    terms = await in_turn(session, fact)
    venue, live = await kept(session, fact.hub, fact.event, now=now, before=fact.subject_version)
    known = venue.edition > 0
    if not in_order and known and venue.changed_at > now - QUIET:
        return
    behind = fact.answered < venue.stated
    # A booking brought back from a backup has forgotten what it stated; events would drop it as old.
    venue.stated = max(venue.stated, fact.answered)
    if fact.subject_version < venue.heard or fact.edition < venue.edition:
        await restate(session, venue, now=now, ids=ids)  # events was brought back: let it see what was heard
        return
    venue.heard = fact.subject_version
    if not fact.wants:
        await _give_up(session, venue, live, fact, now=now, ids=ids)
    elif fact.edition > venue.edition:
        note(venue, fact)
        await _provide(session, venue, live, terms, fact, now=now, ids=ids, chance=chance)
    elif live is None and await vanished(session, venue):
        MENDED.inc()
        await _provide(session, venue, None, terms, fact, now=now, ids=ids, chance=chance)
    elif live is not None and live.status == BookingStatus.HELD and fact.accepted:
        await accepted(session, venue, live, terms, now=now, ids=ids, chance=chance)
    elif behind or _differs(venue, live, fact):
        await restate(session, venue, now=now, ids=ids)


async def _give_up(
    session: AsyncSession,
    venue: Venue,
    live: Booking | None,
    fact: VenueWishSnapshotV1,
    *,
    now: datetime,
    ids: Ids,
) -> None:
    """The event wants nothing: what it still has is free."""
    newer = fact.edition > venue.edition
    venue.edition, venue.wants = fact.edition, False
    if live is not None:
        MENDED.inc()
    if live is not None or newer:
        await free(session, venue, live, now=now, ids=ids)


async def _provide(
    session: AsyncSession,
    venue: Venue,
    live: Booking | None,
    terms: SpaceTerms | None,
    fact: VenueWishSnapshotV1,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> None:
    """The room that is wanted, and confirmed where the event has accepted it."""
    found = await give(session, venue, live, terms, now=now, ids=ids, chance=chance)
    if found is not None and found.status == BookingStatus.HELD and fact.accepted:
        await accepted(session, venue, found, terms, now=now, ids=ids, chance=chance)


def _differs(venue: Venue, live: Booking | None, fact: VenueWishSnapshotV1) -> bool:
    """True when events would act on seeing what is here."""
    if live is None:
        return venue.state != CONFIRMED  # else it was used and checked out of
    there = (live.space, live.starts_at, live.ends_at)
    return not fact.accepted or (fact.space, fact.start, fact.end) != there


async def restate(session: AsyncSession, venue: Venue, *, now: datetime, ids: Ids) -> None:
    """State what booking holds for one event."""
    booking = None if venue.booking is None else await session.get(Booking, venue.booking)
    await _state(session, venue, booking, now=now, ids=ids)


async def _state(
    session: AsyncSession, venue: Venue, booking: Booking | None, *, now: datetime, ids: Ids
) -> None:
    if not venue.edition or not venue.stated:
        # Found and never agreed on: the snapshot is the first that is heard of it.
        venue.edition, venue.stated = max(venue.edition, 1), max(venue.stated, 1)
        await session.flush()
    standing = booking if booking is not None and booking.status in STANDING else None
    more = {
        "live": standing is not None,
        "heard": venue.heard,
        "space": standing and standing.space,
        "start": standing and standing.starts_at,
        "end": standing and standing.ends_at,
    }
    await emit(session, answer(VenueSnapshotV1, venue, now=now, ids=ids, **more))


async def restate_venues(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next venues that matter as they are: how many, and where to go on.

    They are read without locking: a snapshot that is overtaken while it is on its way does no harm. First, bookings of
    events that no venue points to get one.
    """
    now = clock()
    if not after:
        await _adopt_orphans(session, now)
    following = (
        select(Venue, Booking)
        .join(Booking, Booking.id == Venue.booking, isouter=True)
        .where(
            Venue.event > (UUID(after) if after else FIRST),
            (Booking.status.in_(STANDING) & (Booking.ends_at > now))
            | (Venue.changed_at > now - STILL_OF_INTEREST),
        )
    )
    found = (await session.execute(following.order_by(Venue.event).limit(AT_ONCE))).all()
    for venue, booking in found:
        await _state(session, venue, booking, now=now, ids=ids)
    return len(found), str(found[-1][0].event) if len(found) == AT_ONCE else None


async def _adopt_orphans(session: AsyncSession, now: datetime) -> None:
    for row in (await session.execute(_ORPHANS, {"now": now, "most": AT_ONCE})).all():
        await session.execute(ONE_AT_A_TIME, {"event": str(row.event)})
        venue, live = await kept(session, row.hub, row.event, now=now)
        if live is not None:
            settle(venue, live)
            await session.flush()
