"""Making and changing the places of an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.line import fill, locked, state_next
from services.events.rules.line import Holder, Line, proposed
from services.events.rules.refusals import CapacityBelow
from services.events.tables import Event, SignUp
from shared.contracts.events.facts import PlaceAwaitedV1
from shared.contracts.events.words import HOLDING, OPEN, SignUpStatus, Visibility, Way
from shared.kit.ids import Ids
from shared.kit.timers import set_timer

LINE_MOVES = "line-moves"
"""Kind of the timer that offers what became free while a line was shut; its key is `<event>/<version of the event>`.

With the version, as with offers: whoever sets it holds the places, which the duty of an earlier one may wait for.
"""

_MAKE = text("""
    INSERT INTO places (event, way, hub, capacity, closes_at, for_members, waits, starts_at)
    VALUES (:event, :way, :hub, :capacity, :starts_at, :for_members, :waits, :starts_at)
    ON CONFLICT (event, way) DO UPDATE SET waits = excluded.waits
""")
# Locked before it is looked whether anybody uses them: what a DELETE waits for it no longer sees.
_LOCK_OTHERS = text("""
    SELECT way FROM places WHERE event = :event AND NOT way = ANY(CAST(:ways AS text[])) ORDER BY way DESC FOR UPDATE
""")
# Whoever has signed up in that way keeps their place: a way nobody uses goes, another one stays with its people.
_UNMAKE = text("""
    DELETE FROM places p WHERE event = :event AND NOT way = ANY(CAST(:ways AS text[]))
      AND NOT EXISTS (SELECT 1 FROM sign_up s WHERE s.event = p.event AND s.way = p.way)
""")
_LOCK_ALL = text("SELECT way FROM places WHERE event = :event ORDER BY way DESC FOR NO KEY UPDATE")
_LOCK_EVENTS = text("""
    SELECT 1 FROM places WHERE event = ANY(CAST(:events AS uuid[])) ORDER BY event, way DESC FOR NO KEY UPDATE
""")
_SYNC = text("""
    UPDATE places p SET open = e.open, closes_at = e.starts_at, starts_at = e.starts_at, for_members = e.for_members
    FROM unnest(CAST(:events AS uuid[]), CAST(:opens AS boolean[]), CAST(:starts AS timestamptz[]),
                CAST(:for_members AS boolean[])) e (event, open, starts_at, for_members)
    WHERE p.event = e.event
      AND (p.open, p.starts_at, p.for_members) IS DISTINCT FROM (e.open, e.starts_at, e.for_members)
""")
_WAITS = text("""
    SELECT DISTINCT event FROM places WHERE event = ANY(CAST(:events AS uuid[])) AND open AND waiting > 0
""")
_OPEN_NEW = text("UPDATE places SET open = true WHERE event = ANY(CAST(:events AS uuid[]))")
_CAPACITY = text("UPDATE places SET capacity = :capacity WHERE event = :event AND way = :way")


async def make(
    session: AsyncSession, event: Event, capacities: Mapping[Way, int | None], *, waits: bool
) -> None:
    """Give an event these ways to take part; None is no limit.

    For an event that has places already: ways that are new join, those nobody has used go, `waits` counts for all, and
    capacities stay, since to change one is `set_capacity`.
    """
    await make_new(session, [(event, capacities, waits)])
    kept = {"event": event.id, "ways": [str(way) for way in capacities]}
    await session.execute(_LOCK_OTHERS, kept)
    await session.execute(_UNMAKE, kept)
    await sync(session, event)


async def make_new(
    session: AsyncSession, made: Sequence[tuple[Event, Mapping[Way, int | None], bool]]
) -> None:
    """Give events that nobody can see yet their ways to take part and, or not, a waiting line: one round trip for all."""
    rows = [
        {
            "event": event.id,
            "way": way,
            "hub": event.hub,
            "capacity": capacities[way],
            "starts_at": event.starts_at,
            "for_members": event.visibility == Visibility.HUB,
            "waits": waits,
        }
        for event, capacities, waits in made
        for way in sorted(capacities, reverse=True)  # the room before online, as everybody locks them
    ]
    if rows:
        await session.execute(_MAKE, rows)


async def open_new(session: AsyncSession, events: Sequence[Event]) -> None:
    """Open events nobody has seen before, so that nobody can have signed up: one statement for all."""
    await session.execute(_OPEN_NEW, {"events": [event.id for event in events]})


async def sync(session: AsyncSession, event: Event) -> None:
    """Copy what signing up needs from the event row, under the locks of the places; every change of the event calls it."""
    await sync_all(session, [event])


async def sync_all(session: AsyncSession, events: Sequence[Event]) -> None:
    """The same of several events at once."""
    await session.flush()
    asked = {"events": [event.id for event in events]}
    await session.execute(_LOCK_EVENTS, asked)
    terms = {
        "opens": [event.status in OPEN and event.hidden_at is None for event in events],
        "starts": [event.starts_at for event in events],
        "for_members": [event.visibility == Visibility.HUB for event in events],
    }
    await session.execute(_SYNC, asked | terms)
    waiting = set((await session.execute(_WAITS, asked)).scalars())
    for event in events:
        if event.id in waiting:
            # What became free while the line was shut is offered by a duty: this one has no reason to know of offers.
            await set_timer(session, LINE_MOVES, f"{event.id}/{event.version}", event.changed_at)


async def move_line(session: AsyncSession, event: UUID, *, now: datetime, ids: Ids) -> int:
    """Offer what is free in every way to take part; how many places."""
    ways = (await session.execute(_LOCK_ALL, {"event": event})).scalars().all()
    return sum([await fill(session, event, Way(way), now=now, ids=ids) for way in ways])


async def set_capacity(
    session: AsyncSession,
    event: Event,
    way: Way,
    capacity: int | None,
    *,
    losing: frozenset[UUID],
    by: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    """Change how many places there are; CapacityBelow unless `losing` names exactly those who lose theirs.

    Who loses a place is first in line again. `losing` may name sign-ups of other ways, which are left alone.
    """
    await session.flush()
    line = await locked(session, event.hub, event.id, way)
    if capacity is not None and capacity < line.taken:
        await _take_back(session, line, line.taken - capacity, losing, by=by, now=now, ids=ids)
    await session.execute(_CAPACITY, {"event": event.id, "way": way, "capacity": capacity})
    await fill(session, event.id, way, now=now, ids=ids)


async def _take_back(
    session: AsyncSession,
    line: Line,
    must_lose: int,
    losing: frozenset[UUID],
    *,
    by: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    holding = select(SignUp).where(
        SignUp.event == line.event,
        SignUp.way == line.way,
        SignUp.status.in_(HOLDING),
        SignUp.came_at.is_(None),
    )
    found = holding.order_by(SignUp.id).with_for_update().execution_options(populate_existing=True)
    holders = (await session.scalars(found)).all()
    named = [one for one in holders if one.id in losing]
    if len(named) != must_lose:
        raise _below(line, holders, must_lose)
    for one in sorted(named, key=lambda one: one.number or 0):
        one.status, one.offer_until = SignUpStatus.WAITING, None
        await state_next(session, PlaceAwaitedV1, one, line.starts_at, by=by, now=now, ids=ids)


def _below(line: Line, holders: Sequence[SignUp], must_lose: int) -> CapacityBelow:
    known = (Holder(one.id, one.person, SignUpStatus(one.status), one.number or 0) for one in holders)
    would_lose = [
        {
            "sign_up": str(one.sign_up),
            "person": str(one.person),
            "place": one.number,
            "status": str(one.status),
        }
        for one in proposed(known, must_lose)
    ]
    return CapacityBelow(
        f"{line.taken} people have a place. Say in `losing` which {must_lose} of them lose it; they are first in line then.",
        field="capacity" if line.way is Way.ROOM else "capacity_online",
        way=str(line.way),
        must_lose=must_lose,
        would_lose=would_lose,
    )
