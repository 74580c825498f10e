"""Cancelling, checking in and out: when it is possible, and that twice is once."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.booking.facts import BookingCancelledV1, BookingCheckedInV1, BookingCheckedOutV1
from shared.contracts.booking.requests import CancelBooking, CheckIn, CheckOut, ConfirmBooking, GetBooking
from shared.contracts.booking.words import BookingStatus
from tests.booking.world import HUB, World


async def test_cancelling_gives_the_place_back_and_twice_is_once(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")
    for _ in range(2):
        cancelled = await world.ask(CancelBooking(hub=HUB, booking=booking.id, reason="ill"))
        assert (cancelled.status, cancelled.version, cancelled.cancel_reason) == (
            BookingStatus.CANCELLED,
            2,
            "ill",
        )
    [fact] = await world.facts(BookingCancelledV1)
    assert "ill" not in fact.model_dump_json()
    await world.book("room", by="ben")
    for request in (CheckIn(hub=HUB, booking=booking.id), ConfirmBooking(hub=HUB, booking=booking.id)):
        assert (await world.refusal(request)).code == "wrong-state"


async def test_checking_in_opens_half_an_hour_before(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")  # 10:00, and it is 9:00
    world.now += timedelta(minutes=29)
    early = await world.refusal(CheckIn(hub=HUB, booking=booking.id))
    assert (early.status, early.code) == (409, "wrong-state")
    assert "early" in early.problem["detail"]
    world.now += timedelta(minutes=1)
    for _ in range(2):
        there = await world.ask(CheckIn(hub=HUB, booking=booking.id))
        assert (there.status, there.version) == (BookingStatus.CHECKED_IN, 2)
    assert len(await world.facts(BookingCheckedInV1)) == 1
    assert (await world.refusal(CancelBooking(hub=HUB, booking=booking.id))).code == "wrong-state"


async def test_checking_in_ends_with_the_booking(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")
    world.now += timedelta(hours=2)
    over = await world.refusal(CheckIn(hub=HUB, booking=booking.id))
    assert (over.code, "over" in over.problem["detail"]) == ("wrong-state", True)
    assert (await world.ask(GetBooking(hub=HUB, booking=booking.id))).status == BookingStatus.CONFIRMED


async def test_checking_out_frees_the_rest_of_the_time(world: World) -> None:
    await world.space("room")
    booking = await world.book("room", "2027-03-01T09:00", "2027-03-01T17:00")
    assert (await world.refusal(CheckOut(hub=HUB, booking=booking.id))).code == "wrong-state"
    await world.ask(CheckIn(hub=HUB, booking=booking.id))
    world.now += timedelta(hours=1)
    for _ in range(2):
        gone = await world.ask(CheckOut(hub=HUB, booking=booking.id))
        assert (gone.status, gone.version) == (BookingStatus.CHECKED_OUT, 3)
    assert len(await world.facts(BookingCheckedOutV1)) == 1
    await world.book("room", "2027-03-01T10:00", by="ben")


async def test_a_hold_is_confirmed_before_somebody_checks_in(world: World) -> None:
    await world.space("room")
    held = await world.book("room", "2027-03-01T09:00", hold=True)
    assert (await world.refusal(CheckIn(hub=HUB, booking=held.id))).code == "wrong-state"
