"""Moving a booking: another time, space or number of seats, as one new claim in place of the old one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from shared.contracts.booking.facts import BookingExpiredV1, BookingMovedV1
from shared.contracts.booking.requests import BookingView, CancelBooking, CheckIn, GetBooking, MoveBooking
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, OPEN_ALWAYS, Refused, World


def to(booking: BookingView, **there: Any) -> MoveBooking:
    """A move of the booking as last seen."""
    return MoveBooking(hub=HUB, booking=booking.id, **{"version": booking.version, **there})


LATER = {"start": "2027-03-01T14:00", "end": "2027-03-01T15:00"}


async def test_a_booking_moves_and_frees_its_old_time(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")
    moved = await world.ask(to(booking, **LATER))
    assert (moved.start.isoformat(), moved.version) == ("2027-03-01T14:00:00+01:00", 2)
    [fact] = await world.facts(BookingMovedV1)
    assert isinstance(fact, BookingMovedV1)
    assert (fact.previous_start, fact.previous_end, fact.start) == (booking.start, booking.end, moved.start)
    assert (fact.previous_space, fact.previous_units, fact.subject_version) == ("room", (1,), 2)
    await world.book("room", by="ben")


async def test_a_booking_is_not_in_its_own_way(world: World) -> None:
    await world.space("room", rules=GivenRules(buffer_before_minutes=30, buffer_after_minutes=30))
    booking = await world.book("room")
    moved = await world.ask(to(booking, start="2027-03-01T10:30", end="2027-03-01T11:30"))
    assert moved.start.isoformat() == "2027-03-01T10:30:00+01:00"


async def test_a_move_into_somebody_is_refused_and_nothing_has_changed(world: World) -> None:
    await world.space("room")
    booking = await world.book("room", title="Mine")
    await world.book("room", "2027-03-01T14:30", by="ben")
    refused = await world.refusal(to(booking, **LATER, title="Other"))
    assert refused.code == "space-taken"
    assert refused.problem["in_the_way"][0]["start"] == "2027-03-01T14:30:00+01:00"
    assert refused.problem["free_instead"]["times"]
    assert await world.ask(GetBooking(hub=HUB, booking=booking.id)) == booking


async def test_the_same_seats_are_kept_while_they_are_free(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=20)
    booking = await world.book("flex", seats=3)
    moved = await world.ask(to(booking, **LATER))
    assert moved.units == booking.units
    taken = await world.book("flex", "2027-03-02T10:00", by="ben", seats=17)
    free = set(range(1, 21)) - set(taken.units)
    again = await world.ask(to(moved, start="2027-03-02T10:00", end="2027-03-02T11:00"))
    assert set(again.units) == free
    fewer = await world.ask(to(again, seats=1))
    assert len(fewer.units) == 1
    refused = await world.refusal(to(fewer, seats=4))
    assert (refused.code, refused.problem["in_the_way"][0]["space"]) == ("space-taken", "flex")
    assert (await world.refusal(to(fewer, seats=21))).problem["field"] == "seats"


async def test_to_another_space_with_rules_of_its_own(world: World) -> None:
    await world.space("room", capacity=4)
    await world.space("flex", SpaceKind.FLEX, seats=2, rules=GivenRules(longest_minutes=60))
    booking = await world.book("room", "2027-03-01T10:00", "2027-03-01T12:00", seats=2)
    assert (await world.refusal(to(booking, space="flex"))).code == "too-long"
    moved = await world.ask(to(booking, space="flex", end="2027-03-01T11:00"))
    assert (moved.space, moved.units, moved.seats) == ("flex", (2, 3), 2)
    assert (await world.refusal(to(moved, space="nowhere"))).status == 404
    back = await world.ask(to(moved, space="room"))
    assert back.units == (1,)


async def test_a_move_decided_on_an_old_version_is_refused(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")
    await world.ask(to(booking, **LATER))
    refused = await world.refusal(to(booking, start="2027-03-01T16:00", end="2027-03-01T17:00"))
    assert (refused.status, refused.code) == (412, "version-mismatch")


async def test_a_new_title_is_no_new_claim(world: World) -> None:
    await world.space("room", rules=GivenRules(longest_minutes=60))
    booking = await world.book("room")
    await world.let_time_pass(hours=1, minutes=30)  # it has begun: a new claim would be in the past
    titled = await world.ask(to(booking, title="Renamed"))
    assert (titled.title, titled.units, titled.version) == ("Renamed", booking.units, 2)
    assert (await world.refusal(to(titled, end="2027-03-01T10:50"))).code == "in-the-past"


async def test_a_hold_that_moves_still_lapses(world: World) -> None:
    await world.space("room", rules=GivenRules(hold_minutes=10))
    held = await world.book("room", hold=True)
    world.now += timedelta(minutes=5)
    moved = await world.ask(to(held, **LATER))
    assert (moved.status, moved.expires_at) == (BookingStatus.HELD, held.expires_at)
    await world.let_time_pass(minutes=5)
    assert len(await world.facts(BookingExpiredV1)) == 1
    await world.book("room", "2027-03-01T14:00", by="ben")


async def test_what_is_over_does_not_move(world: World) -> None:
    await world.space("room", rules=GivenRules(hold_minutes=10))
    held = await world.book("room", hold=True)
    world.now += timedelta(minutes=10)
    assert (await world.refusal(to(held, **LATER))).code == "hold-expired"
    gone = await world.book("room", "2027-03-01T12:00")
    cancelled = await world.ask(CancelBooking(hub=HUB, booking=gone.id))
    assert (await world.refusal(to(cancelled, **LATER))).code == "wrong-state"
    now = await world.book("room", "2027-03-01T09:30")
    there = await world.ask(CheckIn(hub=HUB, booking=now.id))
    assert (await world.refusal(to(there, **LATER))).code == "wrong-state"


async def test_a_lapsed_hold_is_not_in_the_way_of_a_move(world: World) -> None:
    await world.space("room", rules=GivenRules(hold_minutes=10))
    booking = await world.book("room", "2027-03-01T12:00")
    await world.book("room", "2027-03-01T14:00", by="ben", hold=True)
    world.now += timedelta(minutes=10)
    await world.ask(to(booking, **LATER))
    assert len(await world.facts(BookingExpiredV1)) == 1


async def test_two_who_want_each_others_place_are_told_so_and_do_not_wait_for_ever(world: World) -> None:
    await world.space("room", rules=OPEN_ALWAYS)
    for day in range(2, 8):
        first = await world.book("room", f"2027-03-{day:02}T10:00")
        second = await world.book("room", f"2027-03-{day:02}T14:00", by="ben")
        answers = await asyncio.wait_for(
            asyncio.gather(
                world.answer(
                    to(first, start=f"2027-03-{day:02}T14:00", end=f"2027-03-{day:02}T15:00"),
                    world.principal("ann"),
                ),
                world.answer(
                    to(second, start=f"2027-03-{day:02}T10:00", end=f"2027-03-{day:02}T11:00"),
                    world.principal("ben"),
                ),
            ),
            timeout=4,
        )
        assert [isinstance(one, Refused) and one.code for one in answers] == ["space-taken"] * 2


async def test_many_moves_and_reservations_at_once_leave_no_overlap(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=6)
    made = [
        await world.book("flex", f"2027-03-01T{10 + number % 3}:00", by=f"p{number}") for number in range(12)
    ]
    asked = [
        world.answer(
            to(
                one,
                start=f"2027-03-01T{10 + (number + 1) % 3}:00",
                end=f"2027-03-01T{11 + (number + 1) % 3}:00",
            ),
            world.principal(f"p{number}"),
        )
        for number, one in enumerate(made)
    ]
    asked += [
        world.answer(world.wish("flex", f"2027-03-01T1{number % 3}:30"), world.principal("q"))
        for number in range(9)
    ]
    answers = await asyncio.gather(*asked)
    assert {one.code for one in answers if isinstance(one, Refused)} <= {"space-taken"}
    overlaps = await world.rows("""
        SELECT a.id FROM booking a JOIN booking b ON a.id < b.id AND a.units && b.units
          AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
    """)
    assert overlaps == []


async def test_only_an_operator_moves_an_imported_entry_against_the_rules(world: World) -> None:
    await world.space("room", rules=GivenRules.model_validate({"opening_hours": {}}))
    source = {"calendar": "town", "uid": "1"}
    made = await world.ask(
        world.wish("room", source=source, person=world.person("ann")), "olga", Role.OPERATOR
    )
    assert (await world.refusal(to(made, **LATER), "ann")).code == "closed"
    assert (await world.refusal(to(made, **LATER), "hanna", Role.HOST)).code == "closed"
    moved = await world.ask(to(made, **LATER), "olga", Role.OPERATOR)
    assert moved.source == made.source
