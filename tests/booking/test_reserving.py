"""Reserving: every kind of space, one winner, and what the loser is told."""

from __future__ import annotations

from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.booking.words import BookingStatus
from tests.booking.world import HUB, World


async def test_a_room_is_booked_and_the_world_is_told(world: World) -> None:
    await world.space("room")
    booking = await world.book("room", title="Board meeting")
    assert booking.status == BookingStatus.CONFIRMED
    assert booking.start.isoformat() == "2027-03-01T10:00:00+01:00"
    [fact] = await world.facts(BookingConfirmedV1)
    assert isinstance(fact, BookingConfirmedV1)
    assert (fact.hub, fact.space, fact.start, fact.end) == (HUB, "room", booking.start, booking.end)
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
