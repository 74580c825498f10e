"""Holds: kept for a while, confirmed in time, or ended by their timer or by somebody who wants the place."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.booking.facts import BookingConfirmedV1, BookingExpiredV1, BookingHeldV1
from shared.contracts.booking.requests import CancelBooking, ConfirmBooking, GetBooking
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import BookingStatus, SpaceKind
from tests.booking.world import HUB, MONDAY, World

HELD_FOR = GivenRules(hold_minutes=10)


async def test_a_held_place_is_nobody_elses(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    assert (held.status, held.expires_at) == (BookingStatus.HELD, MONDAY + timedelta(minutes=10))
    assert (await world.refusal(world.wish("room"), "ben")).code == "space-taken"
    [fact] = await world.facts(BookingHeldV1)
    assert isinstance(fact, BookingHeldV1)
    assert fact.expires_at == held.expires_at


async def test_a_hold_confirmed_in_time_stays(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    await world.let_time_pass(minutes=9)
    for _ in range(2):  # confirming twice changes nothing
        confirmed = await world.ask(ConfirmBooking(hub=HUB, booking=held.id))
        assert (confirmed.status, confirmed.expires_at, confirmed.version) == (
            BookingStatus.CONFIRMED,
            None,
            2,
        )
    await world.let_time_pass(minutes=60)
    assert (await world.ask(GetBooking(hub=HUB, booking=held.id))).status == BookingStatus.CONFIRMED
    assert await world.facts(BookingExpiredV1) == []
    [fact] = await world.facts(BookingConfirmedV1)
    assert (fact.subject, fact.subject_version) == (str(held.id), 2)


async def test_a_hold_ends_by_its_timer(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    await world.let_time_pass(minutes=10)
    assert (await world.ask(GetBooking(hub=HUB, booking=held.id))).status == BookingStatus.EXPIRED
    [fact] = await world.facts(BookingExpiredV1)
    assert (fact.subject, fact.subject_version) == (str(held.id), 2)
    await world.book("room", by="ben")


async def test_a_lapsed_hold_ends_when_somebody_wants_the_place(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    world.now += timedelta(minutes=10)  # no timer has come round yet
    await world.book("room", by="ben")
    assert (await world.ask(GetBooking(hub=HUB, booking=held.id))).status == BookingStatus.EXPIRED
    await world.let_time_pass(minutes=1)
    assert len(await world.facts(BookingExpiredV1)) == 1


async def test_lapsed_holds_on_seats_end_when_somebody_wants_one(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=3, rules=HELD_FOR)
    for _ in range(3):
        await world.book("flex", hold=True)
    world.now += timedelta(minutes=11)
    await world.book("flex", by="ben", seats=3)


async def test_confirming_too_late(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    world.now += timedelta(minutes=10)
    for _ in range(2):
        refused = await world.refusal(ConfirmBooking(hub=HUB, booking=held.id))
        assert (refused.status, refused.code) == (409, "hold-expired")
        await world.let_time_pass(minutes=1)


async def test_a_cancelled_hold_is_not_ended_again(world: World) -> None:
    await world.space("room", rules=HELD_FOR)
    held = await world.book("room", hold=True)
    await world.ask(CancelBooking(hub=HUB, booking=held.id))
    await world.let_time_pass(minutes=30)
    assert (await world.ask(GetBooking(hub=HUB, booking=held.id))).status == BookingStatus.CANCELLED
    assert await world.facts(BookingExpiredV1) == []
    assert await world.rows("SELECT * FROM timer WHERE kind = 'hold-expires'") == []
