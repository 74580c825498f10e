"""Rooms of events when facts have been missed, a database was set back, or everybody comes at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueSnapshotV1,
)
from shared.contracts.booking.requests import (
    CancelBooking,
    MoveBooking,
)
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.asking import NINE, VENUE_FACTS, Asking, live
from tests.booking.world import HUB, World


async def test_what_is_held_is_stated_again(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.accepts())
    asking.wish["start"] -= timedelta(hours=1)  # events believes something else
    await world.let_time_pass(minutes=5)
    await world.hear(asking.snapshot(answered=2))
    [snapshot] = await world.facts(VenueSnapshotV1)
    assert isinstance(snapshot, VenueSnapshotV1)
    assert (snapshot.live, snapshot.heard, snapshot.start) == (True, 2, NINE)
    assert (snapshot.subject_version, snapshot.edition) == (2, 1)


async def test_a_snapshot_stands_for_wishes_that_never_came(world: World, asking: Asking) -> None:
    asking.wants()
    asking.accepts()
    await world.hear(asking.snapshot())
    assert [type(one) for one in await asking.answers()] == [VenueHeldV1, VenueConfirmedV1]
    [row] = await live(world)
    assert row.status == "confirmed"


async def test_a_snapshot_from_before_is_no_order(world: World, asking: Asking) -> None:
    """It was on its way for long; what it says has been overtaken."""
    await world.hear(asking.wants(), asking.accepts())
    old = asking.snapshot(answered=2)
    await world.hear(asking.releases())
    await world.let_time_pass(minutes=30)
    await world.hear(old)
    assert await live(world) == []
    assert isinstance(await asking.last(), VenueFreedV1)


async def test_booking_set_back_counts_on_from_what_events_has_heard(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.accepts())
    await world.let_time_pass(minutes=5)
    await world.hear(asking.snapshot(answered=41))
    await world.hear(asking.wants("lab"))
    said = [one for one in await world.facts(*VENUE_FACTS) if one.subject_version > 2]
    assert [one.subject_version for one in said] == [42]


async def test_events_and_people_at_once(world: World, asking: Asking) -> None:
    """Nobody waits for somebody who waits for them: wishes, changes of hosts, lapsing holds and bookings meet."""
    await world.space("flex", SpaceKind.FLEX, seats=5)
    await world.space("floor", SpaceKind.EVENT, made_of=("studio", "lab", "flex"))
    events = [Asking(world, UUID(int=0xE100 + number)) for number in range(4)]
    for one, place in zip(events, ("studio", "lab", "flex", "floor"), strict=True):
        await world.hear(one.wants(place, NINE + timedelta(hours=4 * (place == "floor")), hours=2))
        await world.hear(one.accepts())
    rooms = await live(world)
    assert len(rooms) == 4
    wishes = [one.wants(place) for one, place in zip(events, ("lab", "studio", "floor", "flex"), strict=True)]
    again = [one.releases() for one in events[:2]]
    later = {"start": (NINE + timedelta(hours=1)).isoformat(), "end": (NINE + timedelta(hours=3)).isoformat()}
    olga = world.principal("olga", Role.HOST)

    async def in_turn(*facts: Fact) -> None:
        await world.hear(*facts)

    await asyncio.gather(
        *(in_turn(*pair) for pair in zip(wishes[:2], again, strict=True)),
        *(in_turn(wish) for wish in wishes[2:]),
        *(world.answer(CancelBooking(hub=HUB, booking=room.id), olga) for room in rooms[1:3]),
        *(
            world.answer(MoveBooking(hub=HUB, booking=room.id, version=room.version, **later), olga)
            for room in rooms
        ),
        *(world.answer(world.wish("flex", NINE), world.principal(f"p{number}")) for number in range(3)),
    )
    for one in events:
        await one.answers()
    points_at = await world.rows(
        """SELECT b.id FROM booking b LEFT JOIN venue v ON v.booking = b.id
           WHERE b.event IS NOT NULL AND b.status IN ('held', 'confirmed') AND v.event IS DISTINCT FROM b.event"""
    )
    assert points_at == []
    assert await world.rows("SELECT 1 FROM parked_fact UNION ALL SELECT 1 FROM dead_letter") == []
