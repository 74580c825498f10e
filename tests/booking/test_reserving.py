"""Reserving: every kind of space, one winner, and what the loser is told."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.booking.requests import BookingView, GetAvailability
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import BookingStatus, SpaceKind
from tests.booking.world import HUB, OPEN_ALWAYS, Refused, World


async def test_a_room_is_booked_and_the_world_is_told(world: World) -> None:
    await world.space("room")
    booking = await world.book("room", title="Board meeting")
    assert booking.status == BookingStatus.CONFIRMED
    assert booking.start.isoformat() == "2027-03-01T10:00:00+01:00"
    [fact] = await world.facts(BookingConfirmedV1)
    assert isinstance(fact, BookingConfirmedV1)
    assert (fact.hub, fact.space, fact.start, fact.end) == (HUB, "room", booking.start, booking.end)
    assert (fact.subject, fact.subject_version) == (str(booking.id), 1)
    assert "Board" not in fact.model_dump_json()


async def test_second_booking_of_the_same_room_is_refused(world: World) -> None:
    await world.space("room")
    first = await world.book("room")
    refused = await world.refusal(world.wish("room", "2027-03-01T10:30"), "ben")
    assert (refused.status, refused.code) == (409, "space-taken")
    assert refused.problem["in_the_way"] == [
        {"space": "room", "start": first.start.isoformat(), "end": first.end.isoformat()}
    ]
    assert refused.problem["free_instead"]["times"][0]["start"] == "2027-03-01T11:00:00+01:00"
    assert "ann" not in str(refused.problem)
    assert len(await world.facts(BookingConfirmedV1)) == 1


async def test_second_booking_of_the_same_desk_is_refused(world: World) -> None:
    await world.space("window-desk", SpaceKind.DESK)
    await world.book("window-desk")
    assert (await world.refusal(world.wish("window-desk"), "ben")).code == "space-taken"


@pytest.mark.parametrize("kind", list(SpaceKind))
async def test_every_kind_of_space_can_be_booked_until_it_is_taken(world: World, kind: SpaceKind) -> None:
    await world.space("place", kind)
    booking = await world.book("place")
    assert (booking.units, booking.seats) == ((1,), 1)
    assert (await world.refusal(world.wish("place"), "ben")).code == "space-taken"


async def test_neighbours_in_time_do_not_touch(world: World) -> None:
    await world.space("room")
    await world.book("room", "2027-03-01T10:00")
    await world.book("room", "2027-03-01T11:00")
    await world.book("room", "2027-03-01T09:00")


async def test_any_seat_here_until_the_area_is_full(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=4)
    await world.space("quiet", SpaceKind.FLEX, seats=2)
    seats = [(await world.book("flex")).units for _ in range(4)]
    assert sorted(unit for units in seats for unit in units) == [1, 2, 3, 4]
    refused = await world.refusal(world.wish("flex"), "zoe")
    assert refused.code == "space-taken"
    assert "full" in refused.problem["detail"]
    assert refused.problem["in_the_way"] == [
        {"space": "flex", "start": "2027-03-01T10:00:00+01:00", "end": "2027-03-01T11:00:00+01:00"}
    ]
    assert refused.problem["free_instead"]["times"][0]["start"] in (
        "2027-03-01T09:00:00+01:00",
        "2027-03-01T11:00:00+01:00",
    )
    assert refused.problem["free_instead"]["spaces"] == ["quiet"]


async def test_several_seats_at_once(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=4)
    three = await world.book("flex", seats=3)
    assert len(three.units) == 3
    assert (await world.refusal(world.wish("flex", seats=2))).code == "space-taken"
    await world.book("flex", seats=1)
    too_many = await world.refusal(world.wish("flex", seats=5))
    assert (too_many.status, too_many.problem["field"]) == (422, "seats")


async def test_a_room_takes_no_more_people_than_it_holds(world: World) -> None:
    await world.space("room", capacity=8)
    assert (await world.refusal(world.wish("room", seats=9))).problem["field"] == "seats"
    assert (await world.book("room", seats=8)).units == (1,)


async def test_combined_rooms_and_their_parts_exclude_each_other(world: World) -> None:
    await world.space("east", capacity=6)
    await world.space("west", capacity=8)
    both = await world.space("both", made_of=["east", "west", "east"])
    assert (both.units, both.capacity, both.made_of) == ((1, 2), 14, ("east", "west"))
    await world.book("east")
    refused = await world.refusal(world.wish("both"))
    assert [one["space"] for one in refused.problem["in_the_way"]] == ["east"]
    await world.book("both", "2027-03-01T12:00")
    for part in ("east", "west"):
        refused = await world.refusal(world.wish(part, "2027-03-01T12:30"))
        assert [one["space"] for one in refused.problem["in_the_way"]] == ["both"]


async def test_the_whole_floor_takes_the_flex_seats_and_the_other_way_round(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=24)
    await world.space("floor", SpaceKind.EVENT, made_of=["flex"], capacity=60)
    await world.book("floor", "2027-03-01T18:00", seats=60)
    assert (await world.refusal(world.wish("flex", "2027-03-01T18:30"))).code == "space-taken"
    await world.book("flex", "2027-03-01T10:00")
    refused = await world.refusal(world.wish("floor", "2027-03-01T10:30"))
    assert [one["space"] for one in refused.problem["in_the_way"]] == ["flex"]


async def test_exactly_one_of_fifty_who_want_one_room_gets_it(world: World) -> None:
    await world.space("room")
    await world.space("other")
    answers = await asyncio.gather(
        *(world.answer(world.wish("room"), world.principal(f"p{number}")) for number in range(50))
    )
    losers = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(losers) == 49
    for loser in losers:
        assert loser.code == "space-taken"
        assert [one["space"] for one in loser.problem["in_the_way"]] == ["room"]
        assert loser.problem["free_instead"]["times"]
        assert loser.problem["free_instead"]["spaces"] == ["other"]
    assert len(await world.facts(BookingConfirmedV1)) == 1


async def test_exactly_as_many_as_there_are_seats_get_one(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=24)
    answers = await asyncio.gather(
        *(world.answer(world.wish("flex"), world.principal(f"p{number}")) for number in range(60))
    )
    winners = [BookingView.model_validate_json(one.body) for one in answers if not isinstance(one, Refused)]
    losers = [one for one in answers if isinstance(one, Refused)]
    assert sorted(unit for one in winners for unit in one.units) == list(range(1, 25))
    assert {one.code for one in losers} == {"space-taken"}


async def test_what_is_offered_instead_can_be_booked(world: World) -> None:
    hours = {"mon": [{"opens": "08:00", "closes": "18:00"}], "tue": [{"opens": "08:00", "closes": "12:00"}]}
    rules = GivenRules.model_validate({"opening_hours": hours, "buffer_after_minutes": 15})
    await world.space("room", rules=rules)
    for hour in (10, 12, 14, 16):
        await world.book("room", f"2027-03-01T{hour}:00")
    for start, most in (("2027-03-01T10:30", 3), ("2027-03-01T16:15", 2)):
        refused = await world.refusal(world.wish("room", start))
        offered = refused.problem["free_instead"]["times"]
        assert len(offered) == most
        booked = [await world.book("room", one["start"], one["end"]) for one in offered]
        assert len({one.id for one in booked}) == most


async def test_a_busy_week_is_searched_no_further_than_it_was_looked_at(world: World) -> None:
    """A refusal must not be a way to keep the service busy: a full area for a week, then one more wish."""
    await world.space("flex", SpaceKind.FLEX, seats=40)
    async with world.database.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("""
            INSERT INTO booking (id, hub, hub_number, space, units, seats, starts_at, ends_at, kept_until, status,
                                 person, booked_by, time_zone, rules_version, created_at)
            SELECT gen_random_uuid(), 'nordviken', (SELECT number FROM hub), 'flex', int4multirange(int4range(seat, seat + 1)), 1,
                   slot, slot + interval '2 hours', slot + interval '2 hours', 'confirmed', gen_random_uuid(),
                   gen_random_uuid(), 'Europe/Stockholm', 1, now()
            FROM generate_series(1, 40) seat,
                 generate_series('2027-02-27T00:00Z'::timestamptz, '2027-03-12T00:00Z', '2 hours') slot
        """)
    refused = await world.refusal(world.wish("flex"))
    assert refused.code == "space-taken"
    assert refused.problem["free_instead"]["times"] == []


async def test_availability_says_what_is_free_and_what_is_in_the_way(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=3)
    await world.space("room", capacity=4)
    await world.space("late", rules=GivenRules.model_validate({"opening_hours": {}}))
    await world.book("flex", title="Secret")
    await world.book("room", "2027-03-01T10:30")
    asked = GetAvailability(hub=HUB, start="2027-03-01T10:00", end="2027-03-01T11:00")
    seen = await world.ask(asked, None)
    flex, late, room = seen.items
    assert (flex.free, flex.seats, flex.free_seats, flex.reason) == (True, 3, 2, None)
    assert (late.free, late.free_seats, late.reason) == (False, 1, "closed")
    assert (room.free, room.free_seats, room.reason) == (False, 0, "space-taken")
    assert room.in_the_way[0].start.isoformat() == "2027-03-01T10:30:00+01:00"
    assert "Secret" not in seen.model_dump_json()
    three = await world.ask(asked.model_copy(update={"seats": 3, "kind": SpaceKind.FLEX}), None)
    assert [one.reason for one in three.items] == ["space-taken"]
    nine = await world.ask(asked.model_copy(update={"seats": 9, "kind": SpaceKind.FLEX}), None)
    assert [one.reason for one in nine.items] == ["too-many-seats"]


async def test_availability_is_asked_for_two_months_at_most(world: World) -> None:
    await world.space("room", rules=OPEN_ALWAYS)
    ok = GetAvailability(hub=HUB, start="2027-03-01T10:00+01:00", end="2027-05-02T10:00+01:00")
    assert (await world.ask(ok, None)).items
    for end in ("2027-05-03T10:00+01:00", "2199-01-01T00:00"):
        refused = await world.refusal(GetAvailability(hub=HUB, start="2027-03-01T10:00+01:00", end=end), None)
        assert (refused.status, refused.problem["field"]) == (422, "end")
        assert "62 days" in refused.problem["detail"]


async def test_no_booking_lasts_longer_than_the_lists_look_back(world: World) -> None:
    await world.space("room")
    start = datetime.fromisoformat("2027-03-01T10:00:00+01:00")
    refused = await world.refusal(world.wish("room", start, start + timedelta(days=401)))
    assert (refused.status, refused.problem["field"]) == (422, "end")


async def test_a_space_or_hub_that_is_not_there(world: World) -> None:
    assert (await world.refusal(world.wish("nowhere"))).status == 404
    elsewhere = world.principal("ann", hub="elsewhere")
    assert (await world.refusal(world.wish("room", hub="elsewhere"), elsewhere)).status == 404
