"""Facts heard: twice, late and reversed give the same state as once and in order."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.booking.commands import snapshots
from services.booking.commands.snapshots import restate_bookings, restate_spaces
from shared.contracts.base import Fact
from shared.contracts.booking.facts import BookingCancelledV1, BookingSnapshotV1, SpaceSnapshotV1
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.facts import HubProfileChangedV1, MemberJoinedV1, MemberLeftV1
from shared.contracts.directory.words import Role
from shared.kit.errors import Invalid
from tests.booking.world import HUB, MONDAY, World


async def hub_row(world: World) -> tuple[str, str]:
    [row] = await world.rows("SELECT name, time_zone FROM hub")
    return row.name, row.time_zone


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_hub_reads_as_its_latest_fact_whatever_the_order(
    empty: World, order: tuple[int, ...]
) -> None:
    zones = ("Europe/Stockholm", "Europe/Oslo", "Asia/Kolkata")
    facts: list[Fact] = [empty.hub_fact(zone=zones[0])]
    facts += [empty.hub_fact(zone=zone, fact=HubProfileChangedV1) for zone in zones[1:]]
    for number in order:
        await empty.hear(facts[number])
        await empty.hear(facts[number])
    assert (await hub_row(empty))[1] == "Asia/Kolkata"
    await empty.hear(*facts)
    assert (await hub_row(empty))[1] == "Asia/Kolkata"


async def test_a_zone_nobody_knows_is_given_up_on_not_stored(world: World) -> None:
    with pytest.raises(Invalid):
        await world.hear(world.hub_fact(zone="Mars/Olympus", fact=HubProfileChangedV1))
    assert (await hub_row(world))[1] == "Europe/Stockholm"


def membership(world: World, fact: type[Any], version: int, at: datetime, **more: Any) -> Fact:
    made: Fact = fact(
        id=world.ids(),
        hub=HUB,
        occurred_at=at,
        subject=f"{HUB}/{world.person('ann')}",
        subject_version=version,
        person=world.person("ann"),
        **more,
    )
    return made


async def live(world: World) -> set[str]:
    rows = await world.rows(
        "SELECT id::text AS id FROM booking WHERE status IN ('held', 'confirmed', 'checked_in')"
    )
    return {row.id for row in rows}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_who_leaves_gives_back_what_is_ahead_and_keeps_what_is_booked_after_coming_back(
    world: World, order: tuple[int, ...]
) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=9)
    joined = membership(world, MemberJoinedV1, 1, MONDAY - timedelta(days=9), role=Role.MEMBER)
    going_on = await world.book("flex", "2027-03-01T09:00", "2027-03-01T17:00")
    ahead = await world.book("flex", "2027-03-02T09:00")
    held = await world.book("flex", "2027-03-02T09:00", hold=True)
    others = await world.book("flex", "2027-03-02T09:00", by="ben")
    world.now += timedelta(minutes=2)
    left = membership(world, MemberLeftV1, 2, world.now)
    world.now += timedelta(minutes=2)
    back = membership(world, MemberJoinedV1, 3, world.now, role=Role.MEMBER)
    world.now += timedelta(minutes=2)
    later = await world.book("flex", "2027-03-02T09:00")
    facts = (joined, left, back)
    for number in order:
        await world.hear(facts[number], facts[number])
    assert await live(world) == {str(one.id) for one in (going_on, others, later)}
    cancelled = await world.facts(BookingCancelledV1)
    assert {fact.subject for fact in cancelled} == {str(ahead.id), str(held.id)}
    await world.hear(*reversed(facts))
    assert await live(world) == {str(one.id) for one in (going_on, others, later)}
    assert len(await world.facts(BookingCancelledV1)) == 2


async def test_another_hubs_leaver_keeps_what_is_booked_here(world: World) -> None:
    await world.hub("sydviken")
    await world.space("room")
    booking = await world.book("room")
    left = membership(world, MemberLeftV1, 1, world.now + timedelta(minutes=1)).model_copy(
        update={"hub": "sydviken"}
    )
    await world.hear(left)
    assert await live(world) == {str(booking.id)}


async def test_what_is_can_be_stated_again(world: World) -> None:
    await world.space("room")
    over = await world.book("room", "2027-03-01T09:00")
    booking = await world.book("room", "2027-03-01T11:00")
    world.now += timedelta(hours=2)
    async with world.database.transaction() as session:
        assert await restate_bookings(session, "", clock=world.clock, ids=world.ids) == (1, None)
        assert await restate_spaces(session, "", clock=world.clock, ids=world.ids) == (1, None)
    [fact] = await world.facts(BookingSnapshotV1)
    assert isinstance(fact, BookingSnapshotV1)
    assert (fact.subject, fact.subject_version, fact.status) == (str(booking.id), 1, "confirmed")
    assert fact.subject != str(over.id)
    [space] = await world.facts(SpaceSnapshotV1)
    assert (space.subject, space.subject_version) == (f"{HUB}/room", 1)


async def test_versions_of_a_booking_have_no_gaps(world: World) -> None:
    from shared.contracts.booking.requests import CheckIn, CheckOut, ConfirmBooking, MoveBooking  # noqa: PLC0415

    await world.space("room")
    held = await world.book("room", "2027-03-01T10:00", hold=True)
    one = {"hub": HUB, "booking": held.id}
    await world.ask(MoveBooking(**one, version=1, start="2027-03-01T09:15"))
    await world.ask(ConfirmBooking(**one))
    await world.ask(MoveBooking(**one, version=3, title="New"))
    await world.ask(CheckIn(**one))
    await world.ask(CheckOut(**one))
    facts = [fact for fact in await world.facts() if fact.subject == str(held.id)]
    assert [fact.subject_version for fact in facts] == [1, 2, 3, 4, 5, 6]


async def test_what_is_is_stated_a_chunk_at_a_time_and_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long transaction would hold back the relay, and end at the time limit with nothing stated at all."""
    monkeypatch.setattr(snapshots, "AT_ONCE", 2)
    await world.space("room")
    booked = [await world.book("room", f"2027-03-01T{hour}:00") for hour in range(10, 15)]
    cursor: str | None = ""
    chunks = []
    while cursor is not None:
        async with world.database.transaction() as session:
            stated, cursor = await restate_bookings(session, cursor, clock=world.clock, ids=world.ids)
        chunks.append(stated)
    assert chunks == [2, 2, 1]
    facts = await world.facts(BookingSnapshotV1)
    assert sorted(fact.subject for fact in facts) == sorted(str(one.id) for one in booked)
