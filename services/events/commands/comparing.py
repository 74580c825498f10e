"""Comparing what events and booking hold of rooms, and mending what is apart: backups, dead letters, rows changed by hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from prometheus_client import Counter, Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.publishing import want_room
from services.events.commands.venue_answers import (
    Agreement,
    agreement,
    follow,
    forget,
    lose,
    note,
    wish_for_what_is,
)
from services.events.commands.venues import accept, locked, release_anew, want_anew, wish
from services.events.rules.venues import ANSWER_WITHIN, PENDING, QUIET
from services.events.tables import Event, Venue
from shared.contracts.booking.facts import VenueSnapshotV1
from shared.contracts.booking.words import VenueLoss
from shared.contracts.events.facts import VenueWishSnapshotV1
from shared.contracts.events.words import EventStatus, VenueState
from shared.kit.ids import Ids
from shared.kit.outbox import emit

COMPARED = "venues-compared"
"""The timer that states what is, so that both sides can compare. Its key is where to go on."""
AT_ONCE = 500

MENDED = Counter(
    "foci_events_venues_mended_total", "Rooms of events that events found apart from booking's and mended."
)
UNANSWERED = Gauge(
    "foci_events_venues_unanswered", "Wishes for a room that booking should have answered by now."
)

# Only rows changed by hand, or brought back from a backup, are ever found here.
_FOR_NOBODY = text("""
    SELECT v.event FROM venue v LEFT JOIN event e ON e.id = v.event AND e.hub = v.hub
    WHERE v.wants AND v.ends_at > :now
      AND (e.id IS NULL OR e.status IN ('draft', 'awaiting', 'cancelled')) ORDER BY v.event LIMIT :most
""")
_WITHOUT_VENUE = text("""
    SELECT e.id FROM event e LEFT JOIN venue v ON v.event = e.id
    WHERE e.space IS NOT NULL AND e.status IN ('publishing', 'published', 'changed') AND e.ends_at > :now
      AND v.event IS NULL ORDER BY e.id LIMIT :most
""")
_LATE = text("SELECT count(*) FROM venue WHERE state IN ('wanted', 'held') AND asked_at < :before")


async def compare(
    session: AsyncSession, fact: VenueSnapshotV1, *, in_order: bool, now: datetime, ids: Ids
) -> None:
    """Bring events to what booking holds for it, or let booking know what is wanted.

    `in_order` says that facts before this one may have been missed: then it stands for them. Otherwise nothing is
    missing, and what differs has differed for a while before it is touched.
    """
    on = await agreement(session, fact, now=now, ids=ids)
    venue, known = on.venue, on.venue.heard > 0
    if fact.subject_version < venue.heard or (not in_order and known and venue.changed_at > now - QUIET):
        return
    missed = fact.subject_version > venue.heard
    venue.heard = fact.subject_version
    mended = await _mend(on, fact, missed=missed and in_order)
    if mended or missed:
        venue.changed_at = now
        await session.flush()
    if mended and not missed:
        MENDED.inc()


async def _mend(on: Agreement, fact: VenueSnapshotV1, *, missed: bool) -> bool:
    """Act on what is apart; False when nothing is."""
    venue = on.venue
    if venue.version < fact.heard:
        # We were brought back from a backup: booking would drop what we say as old.
        venue.version, venue.edition = fact.heard, max(venue.edition, fact.edition)
        if venue.wants:
            await want_anew(on.session, venue, now=on.now, ids=on.ids)
        elif fact.live:
            await release_anew(on.session, venue, now=on.now, ids=on.ids)
        return True
    if not venue.wants:
        return await _mend_unwanted(on, fact, missed=missed)
    if fact.live:
        return await _mend_wanted(on, fact)
    return await _mend_missing(on, fact, missed=missed)


async def _mend_unwanted(on: Agreement, fact: VenueSnapshotV1, *, missed: bool) -> bool:
    """Booking holds a room that nobody wants; unless it is just about to hear that, it is told again."""
    if not fact.live or (missed and fact.edition < on.venue.edition):
        return False
    note(on.venue, fact)
    on.venue.edition = max(on.venue.edition, fact.edition)
    state = VenueState(on.venue.state)
    await release_anew(on.session, on.venue, now=on.now, ids=on.ids, state=state)
    return True


async def _mend_wanted(on: Agreement, fact: VenueSnapshotV1) -> bool:
    """Booking holds a room for us: taken if that was not said, and followed if it is elsewhere."""
    venue = on.venue
    there = (fact.booking, fact.space, fact.start, fact.end)
    differs = (venue.booking, venue.booked_space, venue.booked_starts_at, venue.booked_ends_at) != there
    note(venue, fact)
    if venue.state in PENDING:
        if fact.edition == venue.edition:
            await accept(on.session, venue, now=on.now, ids=on.ids)
        return fact.edition == venue.edition
    wish_for_what_is(venue)
    await follow(on, by=None)
    return differs


async def _mend_missing(on: Agreement, fact: VenueSnapshotV1, *, missed: bool) -> bool:
    """Booking holds nothing for us: either we have missed why, or its booking has vanished."""
    venue = on.venue
    if venue.state in PENDING and fact.edition < venue.edition:
        return False  # it has not heard the wish yet
    if missed and venue.state == VenueState.CONFIRMED:
        await lose(on, VenueLoss.CANCELLED, by=None)
    else:
        forget(venue)
        await want_anew(on.session, venue, now=on.now, ids=on.ids)
    return True


async def mend_own(session: AsyncSession, *, now: datetime, ids: Ids) -> int:
    """Put right what only hands or backups can have done to our own rows; how many."""
    asked = {"now": now, "most": AT_ONCE}
    for_nobody = (await session.scalars(_FOR_NOBODY, asked)).all()
    for event in for_nobody:
        await _give_up(session, event, now=now, ids=ids)
    without = (await session.scalars(_WITHOUT_VENUE, asked)).all()
    for event in without:
        await _ask_again(session, event, now=now, ids=ids)
    mended = len(for_nobody) + len(without)
    MENDED.inc(mended)
    return mended


async def _give_up(session: AsyncSession, event: UUID, *, now: datetime, ids: Ids) -> None:
    found = await session.get(Event, event, with_for_update=True)
    venue = await locked(session, event)
    if venue is None or not venue.wants:
        return
    unseen = (EventStatus.DRAFT, EventStatus.AWAITING, EventStatus.CANCELLED)
    if found is None or found.status in unseen:
        await release_anew(session, venue, now=now, ids=ids)


async def _ask_again(session: AsyncSession, event: UUID, *, now: datetime, ids: Ids) -> None:
    found = await session.get(Event, event, with_for_update=True)
    if found is None or found.space is None or await locked(session, event) is not None:
        return
    await want_room(session, found, found.space, (found.starts_at, found.ends_at), now=now, ids=ids)
    venue = await locked(session, event)
    if venue is not None:
        # Booking may know more of the lost row than we: what it says of it is to be acted on at once.
        venue.changed_at = now - QUIET
        await session.flush()


async def state_again(session: AsyncSession, venue: Venue, *, now: datetime, ids: Ids) -> None:
    """State what the event wants, for booking to compare."""
    snapshot = wish(
        VenueWishSnapshotV1,
        venue,
        now=now,
        ids=ids,
        wants=venue.wants,
        accepted=venue.state in (VenueState.HELD, VenueState.CONFIRMED),
        answered=venue.heard,
        space=venue.space,
        start=venue.starts_at,
        end=venue.ends_at,
        seats=venue.seats,
        person=venue.person,
    )
    await emit(session, snapshot)


async def count_unanswered(session: AsyncSession, *, now: datetime) -> None:
    """Measure how many wishes booking owes an answer for."""
    late = await session.execute(_LATE, {"before": now - ANSWER_WITHIN})
    UNANSWERED.set(late.scalar_one())
