"""Occupancy: units as sets, changed by deeds and by time passing, stated when changed and only then."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from prometheus_client import REGISTRY
from sqlalchemy import text

from services.booking.commands.occupancy import measure, restate
from services.booking.queries.load import measure_load
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1
from shared.contracts.booking.requests import (
    BookingView,
    CancelBooking,
    ChangeSpace,
    CheckIn,
    CheckOut,
    GetOccupancy,
    MoveBooking,
)
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, World


async def stated(world: World) -> list[Occupancy]:
    """Everything said about occupancy so far."""
    rows = await world.rows("SELECT subject, body FROM outbox WHERE stream = 'OCCUPANCY' ORDER BY id")
    messages = [OccupancyChangedV1.model_validate_json(row.body) for row in rows]
    assert [row.subject for row in rows] == [
        OccupancyChangedV1.subject_for(HUB, one.subject) for one in messages
    ]
    return [one.data for one in messages]


async def figures(world: World) -> dict[str, tuple[int, int, int]]:
    """Capacity, booked and present by space, as last stated; versions must count up one by one."""
    latest: dict[str, Occupancy] = {}
    for one in await stated(world):
        assert one.version == (latest[one.space].version + 1 if one.space in latest else 1)
        assert one.free == one.capacity - one.booked
        latest[one.space] = one
    return {space: (one.capacity, one.booked, one.present) for space, one in latest.items()}


async def floor(world: World) -> None:
    """Ten flex seats that are also the event floor, and a room."""
    await world.space("flex", SpaceKind.FLEX, seats=10)
    await world.space("room", capacity=6)
    await world.space("floor", SpaceKind.EVENT, made_of=["flex"], capacity=50)
    await world.listen_to_itself()


async def check_in(world: World, booking: BookingView) -> None:
    await world.ask(CheckIn(hub=HUB, booking=booking.id), "hanna", Role.HOST)
    await world.listen_to_itself()


async def test_units_are_counted_as_sets(world: World) -> None:
    await floor(world)
    assert await figures(world) == {
        "flex": (10, 0, 0),
        "room": (1, 0, 0),
        "floor": (10, 0, 0),
        "all": (11, 0, 0),
    }
    await world.book("flex", "2027-03-01T09:00", seats=3)
    await world.book("room", "2027-03-01T09:00", seats=4)
    await world.listen_to_itself()
    assert await figures(world) == {
        "flex": (10, 3, 0),
        "room": (1, 1, 0),
        "floor": (10, 3, 0),
        "all": (11, 4, 0),
    }


async def test_an_event_on_the_floor_takes_the_flex_seats(world: World) -> None:
    await floor(world)
    event = await world.book("floor", "2027-03-01T09:00", seats=40)
    await check_in(world, event)
    assert await figures(world) == {
        "flex": (10, 10, 40),
        "room": (1, 0, 0),
        "floor": (10, 10, 40),
        "all": (11, 10, 40),
    }


async def test_presence_follows_checking_in_and_out(world: World) -> None:
    await floor(world)
    seats = await world.book("flex", "2027-03-01T09:00", seats=3)
    await check_in(world, seats)
    assert (await figures(world))["all"] == (11, 3, 3)
    async with world.database.reading() as session:
        await measure_load(session)
    counts = ("capacity", "booked", "present")
    assert [REGISTRY.get_sample_value("foci_booking_units", {"count": one}) for one in counts] == [11, 3, 3]
    await world.ask(CheckOut(hub=HUB, booking=seats.id))
    await world.listen_to_itself()
    assert (await figures(world))["all"] == (11, 0, 0)


async def test_time_passing_changes_figures(world: World) -> None:
    await floor(world)
    await world.book("room", "2027-03-01T10:00")
    await world.book("room", "2027-03-01T11:00", "2027-03-01T13:00")
    await world.book("flex", "2027-03-01T10:30", "2027-03-01T12:00")
    await world.listen_to_itself()
    assert (await figures(world))["all"] == (11, 0, 0)
    seen = []
    for half_hour in range(11):
        await world.until(
            datetime.fromisoformat("2027-03-01T09:00+01:00") + timedelta(minutes=30 * half_hour)
        )
        seen.append((await figures(world))["all"][1])
    #                9:00 30 10:00 30 11:00 30 12:00 30 13:00 30 14:00
    assert seen == [0, 0, 1, 2, 2, 2, 1, 1, 0, 0, 0]


async def test_boundaries_come_again_until_nothing_is_left(world: World) -> None:
    await floor(world)
    for day in (2, 5, 9):
        await world.book("room", f"2027-03-0{day}T10:00")
    await world.listen_to_itself()
    await world.let_time_pass(days=12)
    changes = [(one.at.day, one.at.hour, one.booked) for one in await stated(world) if one.space == "room"]
    assert changes == [(1, 8, 0), (2, 9, 1), (2, 10, 0), (5, 9, 1), (5, 10, 0), (9, 9, 1), (9, 10, 0)]
    assert await world.rows("SELECT kind, key FROM timer") == []


async def test_nothing_is_stated_when_nothing_has_changed(world: World) -> None:
    await floor(world)
    await world.book("room", "2027-03-01T09:00")
    await world.listen_to_itself()
    before = await stated(world)
    async with world.database.transaction() as session:
        assert await measure(session, HUB, now=world.now, ids=world.ids) == 0
    assert await world.listen_to_itself() == 0
    assert await stated(world) == before


async def test_holds_count_until_they_lapse(world: World) -> None:
    await floor(world)
    await world.space("booth", rules=GivenRules(hold_minutes=10))
    await world.book("booth", "2027-03-01T09:00", hold=True)
    await world.listen_to_itself()
    assert (await figures(world))["booth"] == (1, 1, 0)
    await world.let_time_pass(minutes=10)
    await world.listen_to_itself()
    assert (await figures(world))["booth"] == (1, 0, 0)


async def test_cancelling_and_moving_what_is_going_on(world: World) -> None:
    await floor(world)
    here = await world.book("room", "2027-03-01T09:00")
    there = await world.book("flex", "2027-03-01T09:00")
    await world.listen_to_itself()
    await world.ask(CancelBooking(hub=HUB, booking=here.id))
    move = MoveBooking(hub=HUB, booking=there.id, version=1, start="2027-03-01T12:00", end="2027-03-01T13:00")
    await world.ask(move)
    await world.listen_to_itself()
    assert (await figures(world))["all"] == (11, 0, 0)
    await world.until(datetime.fromisoformat("2027-03-01T12:00+01:00"))
    assert (await figures(world))["all"] == (11, 1, 0)


async def test_buffers_are_not_occupied(world: World) -> None:
    await world.space("room", rules=GivenRules(buffer_after_minutes=60))
    await world.listen_to_itself()
    await world.book("room", "2027-03-01T09:00")
    await world.listen_to_itself()
    await world.let_time_pass(minutes=60)
    assert (await figures(world))["room"] == (1, 0, 0)


async def test_a_closed_space_has_no_capacity(world: World) -> None:
    await floor(world)
    await world.ask(ChangeSpace(hub=HUB, space="room", version=1, active=False), "olga", Role.OPERATOR)
    await world.listen_to_itself()
    assert await figures(world) == {
        "flex": (10, 0, 0),
        "room": (0, 0, 0),
        "floor": (10, 0, 0),
        "all": (10, 0, 0),
    }


async def test_the_message_is_a_cloud_event(world: World) -> None:
    await floor(world)
    rows = await world.rows(
        "SELECT body, headers, fact_id FROM outbox WHERE stream = 'OCCUPANCY' ORDER BY id LIMIT 1"
    )
    event = json.loads(rows[0].body)
    assert {"specversion", "id", "source", "type"} <= event.keys()  # what CloudEvents 1.0 requires
    assert (event["specversion"], event["source"]) == ("1.0", f"/hubs/{HUB}/booking")
    assert (event["type"], event["datacontenttype"]) == ("foci.booking.occupancy.v1", "application/json")
    assert event["id"] == str(rows[0].fact_id)
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert json.loads(rows[0].headers)["Content-Type"] == "application/cloudevents+json"


async def test_a_late_measurement_does_not_turn_time_back(world: World) -> None:
    """One's clock is read before waiting for the lock: what began meanwhile must not be undone for good."""
    await floor(world)
    await world.book("room", "2027-03-01T10:00")
    await world.listen_to_itself()
    await world.until(datetime.fromisoformat("2027-03-01T10:00+01:00"))
    assert (await figures(world))["room"] == (1, 1, 0)
    async with world.database.transaction() as session:
        await measure(session, HUB, now=world.now - timedelta(milliseconds=50), ids=world.ids)
    assert (await figures(world))["room"] == (1, 1, 0)


async def test_duties_and_deeds_at_the_same_moment_do_not_lock_each_other_out(world: World) -> None:
    """At a full hour the boundary, the public figures and a batch of facts all come to one hub at once."""
    await floor(world)
    for round_ in range(4):
        start = world.now + timedelta(minutes=5)
        await world.book("flex", start, start + timedelta(minutes=30))
        await world.listen_to_itself()
        world.now = start
        await world.book("flex", start, start + timedelta(minutes=20 + round_))
        one, two, three = world.timers(), world.timers(), world.timers()
        await asyncio.wait_for(
            asyncio.gather(one.handle_one(), two.handle_one(), three.handle_one(), world.listen_to_itself()),
            timeout=4,
        )
        while await one.handle_one():
            pass
        failed = await world.rows("SELECT kind FROM timer WHERE attempts > 0")
        assert failed == []


async def test_a_rebuilt_stream_is_filled_and_the_timers_are_armed_again(world: World) -> None:
    await floor(world)
    await world.book("room", "2027-03-01T10:00")
    async with world.database.transaction() as session:
        await session.execute(text("DELETE FROM timer"))
    async with world.database.transaction() as session:
        assert await restate(session, "", clock=world.clock, ids=world.ids) == (4, None)
    await world.until(datetime.fromisoformat("2027-03-01T10:00+01:00"))
    assert (await world.ask(GetOccupancy(hub=HUB), "hanna", Role.HOST)).total.booked == 1


async def test_a_hub_without_spaces_is_empty_not_missing(world: World) -> None:
    seen = await world.ask(GetOccupancy(hub=HUB), None)
    assert (seen.total.capacity, seen.items) == (0, ())
    assert (await world.refusal(GetOccupancy(hub="nowhere"), None)).status == 404


async def test_the_public_sees_bands_at_full_five_minutes(world: World) -> None:
    await floor(world)
    world.now += timedelta(minutes=1)
    twelve = await world.book("flex", "2027-03-01T09:00", seats=7)
    await check_in(world, twelve)
    staff = await world.ask(GetOccupancy(hub=HUB), "hanna", Role.HOST)
    assert (staff.total.present, staff.total.booked) == (7, 7)
    before = await world.ask(GetOccupancy(hub=HUB), "ann")
    assert {one.present for one in (before.total, *before.items)} == {None}
    assert before.total.booked == 0
    await world.let_time_pass(minutes=3)
    assert await world.ask(GetOccupancy(hub=HUB), None) == before
    await world.let_time_pass(minutes=1)
    after = await world.ask(GetOccupancy(hub=HUB), None)
    assert {one.space: (one.present, one.booked) for one in after.items} == {
        "flex": ("5-9", 7),
        "floor": (None, 7),  # the sum of its parts would tell what one of them hides
        "room": (None, 0),
    }
    assert after.total.present is None  # with one hidden space it would be told by subtraction
    assert after.total.booked == 7
    assert after.total.at.isoformat() == "2027-03-01T08:05:00+00:00"
    assert (await world.ask(GetOccupancy(hub=HUB), world.principal("x", Role.HOST, "sydviken"))) == after
