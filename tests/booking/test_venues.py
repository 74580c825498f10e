"""Rooms of events, as booking sees them: wishes come as facts, in any order, and each is answered by one."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    BookingCancelledV1,
    BookingConfirmedV1,
    BookingHeldV1,
    BookingMovedV1,
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueMovedV1,
    VenueRefusedV1,
)
from shared.contracts.booking.requests import (
    CancelBooking,
    CheckIn,
    CheckOut,
    GetBooking,
    ListBookings,
    MoveBooking,
)
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind, VenueLoss, VenueRefusal
from shared.contracts.directory.words import Role
from tests.booking.asking import EVENT, NINE, OTHER, Asking, live
from tests.booking.world import HUB, MONDAY, World


async def test_a_wish_is_held_then_confirmed(world: World, asking: Asking) -> None:
    await world.hear(asking.wants())
    held = await asking.last()
    assert isinstance(held, VenueHeldV1)
    assert (held.space, held.start, held.edition) == ("studio", NINE, 1)
    assert held.expires_at == MONDAY + timedelta(minutes=10)
    [kept] = await world.facts(BookingHeldV1)
    assert str(held.booking) == kept.subject
    await world.hear(asking.accepts())
    assert isinstance(await asking.last(), VenueConfirmedV1)
    assert len(await world.facts(BookingConfirmedV1)) == 1
    await world.let_time_pass(hours=1)
    [row] = await live(world)
    assert (row.status, row.seats, row.person, row.title) == ("confirmed", 12, world.person("ann"), None)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_wishes_in_any_order_and_twice(world: World, asking: Asking, order: tuple[int, ...]) -> None:
    facts: list[Fact] = [asking.wants(), asking.accepts(), asking.wants("lab")]
    for number in order:
        await world.hear(facts[number])
        await world.hear(facts[number])
    [row] = await live(world)
    assert (row.space, row.status) == ("lab", "confirmed")
    kinds = [type(one) for one in await asking.answers()]
    assert kinds == [VenueHeldV1, VenueConfirmedV1, VenueConfirmedV1]


async def test_a_room_given_back_before_it_was_held(world: World, asking: Asking) -> None:
    wanted, released = asking.wants(), asking.releases()
    await world.hear(released, wanted)
    assert [type(one) for one in await asking.answers()] == [VenueHeldV1, VenueFreedV1]
    assert await live(world) == []


async def test_giving_back_what_was_never_had_is_answered_too(world: World, asking: Asking) -> None:
    await world.hear(asking.releases())
    assert isinstance(await asking.last(), VenueFreedV1)


async def test_the_booking_shows_its_event(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.accepts())
    [row] = await live(world)
    seen = await world.ask(GetBooking(hub=HUB, booking=row.id))
    assert seen.event == EVENT
    page = await world.ask(ListBookings(hub=HUB), "olga", Role.HOST)
    assert [one.event for one in page.items] == [EVENT]
    assert (await world.book("lab")).event is None


async def test_moving_keeps_the_booking(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.accepts())
    [before] = await live(world)
    await world.hear(asking.wants("lab", NINE + timedelta(hours=1), seats=20))
    [after] = await live(world)
    assert (after.id, after.space, after.seats) == (before.id, "lab", 20)
    [moved] = await world.facts(BookingMovedV1)
    assert isinstance(moved, BookingMovedV1)
    assert (moved.previous_space, moved.by) == ("studio", world.person("ann"))
    confirmed = await asking.last()
    assert isinstance(confirmed, VenueConfirmedV1)
    assert (confirmed.edition, confirmed.space) == (2, "lab")


async def test_a_room_that_is_only_held_is_moved_and_stays_held(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.wants("lab"))
    held = await asking.last()
    assert isinstance(held, VenueHeldV1)
    assert (held.edition, held.space) == (2, "lab")
    await world.hear(asking.accepts())
    assert isinstance(await asking.last(), VenueConfirmedV1)


async def test_what_cannot_be_moved_stays(world: World, asking: Asking) -> None:
    await world.book("lab", NINE, NINE + timedelta(hours=3), by="ben")
    await world.hear(asking.wants(), asking.accepts(), asking.wants("lab"))
    refused = await asking.last()
    assert isinstance(refused, VenueRefusedV1)
    assert (refused.because, refused.kept, refused.edition) == (VenueRefusal.SPACE_TAKEN, True, 2)
    assert refused.free_starts[0] == NINE - timedelta(hours=2)
    assert refused.free_spaces == ()
    [row] = await live(world)
    assert (row.space, row.status) == ("studio", "confirmed")


async def test_a_hold_that_cannot_be_moved_is_confirmed_for_the_event(world: World, asking: Asking) -> None:
    """Otherwise nobody would accept it any more, and it would lapse."""
    await world.book("lab", NINE, NINE + timedelta(hours=3), by="ben")
    await world.hear(asking.wants(), asking.wants("lab"))
    refused = await asking.last()
    assert isinstance(refused, VenueRefusedV1)
    assert refused.kept
    await world.let_time_pass(minutes=30)
    [row] = await live(world)
    assert row.status == "confirmed"


async def test_two_events_want_the_same_room(world: World, asking: Asking) -> None:
    other = Asking(world, OTHER)
    await world.hear(asking.wants(), other.wants())
    refused = await other.last()
    assert isinstance(refused, VenueRefusedV1)
    assert (refused.kept, refused.booking, refused.free_spaces) == (False, None, ("lab",))
    # Accepting what was refused changes nothing.
    await world.hear(other.accepts())
    assert len(await other.answers()) == 1


async def test_a_wish_takes_the_place_of_a_hold_whose_time_is_up(world: World, asking: Asking) -> None:
    await world.book("studio", NINE, hold=True)
    world.now += timedelta(minutes=40)
    await world.hear(asking.wants())
    assert isinstance(await asking.last(), VenueHeldV1)


async def test_a_lapsed_hold_is_lost_and_said_to_be(world: World, asking: Asking) -> None:
    await world.hear(asking.wants())
    await world.let_time_pass(minutes=10)
    lost = await asking.last()
    assert isinstance(lost, VenueLostV1)
    assert (lost.because, lost.by) == (VenueLoss.LAPSED, None)
    await world.hear(asking.accepts())
    assert await asking.last() == lost
    assert await live(world) == []


async def test_somebody_who_takes_a_lapsed_hold_makes_it_lost(world: World, asking: Asking) -> None:
    await world.hear(asking.wants())
    world.now += timedelta(minutes=10)
    await world.book("studio", NINE, by="ben")
    assert isinstance(await asking.last(), VenueLostV1)


async def test_a_new_wish_while_the_hold_has_lapsed_unnoticed(world: World, asking: Asking) -> None:
    await world.hear(asking.wants())
    world.now += timedelta(minutes=10)
    await world.hear(asking.wants())
    held = await asking.last()
    assert isinstance(held, VenueHeldV1)
    assert (held.edition, held.expires_at) == (2, world.now + timedelta(minutes=10))
    assert not [one for one in await asking.answers() if isinstance(one, VenueLostV1)]


async def test_a_host_cancels_and_moves(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(), asking.accepts())
    [row] = await live(world)
    start, end = NINE + timedelta(hours=1), NINE + timedelta(hours=3)
    move = MoveBooking(
        hub=HUB, booking=row.id, version=row.version, start=start.isoformat(), end=end.isoformat()
    )
    await world.ask(move, "olga", Role.HOST)
    moved = await asking.last()
    assert isinstance(moved, VenueMovedV1)
    assert (moved.start, moved.end, moved.by) == (start, end, world.person("olga"))
    await world.ask(CancelBooking(hub=HUB, booking=row.id), "olga", Role.HOST)
    lost = await asking.last()
    assert isinstance(lost, VenueLostV1)
    assert (lost.because, lost.by, lost.booking) == (VenueLoss.CANCELLED, world.person("olga"), None)
    # The event gives up what it has lost already.
    await world.hear(asking.releases())
    assert isinstance(await asking.last(), VenueFreedV1)
    assert len(await world.facts(BookingCancelledV1)) == 1


async def test_people_leaving_the_room_early_lose_nothing(world: World, asking: Asking) -> None:
    await world.hear(asking.wants(start=MONDAY), asking.accepts())
    [row] = await live(world)
    await world.ask(CheckIn(hub=HUB, booking=row.id))
    await world.let_time_pass(minutes=30)
    await world.ask(CheckOut(hub=HUB, booking=row.id))
    said = len(await asking.answers())
    await world.let_time_pass(minutes=30)
    await world.hear(asking.snapshot(answered=said))
    assert len(await asking.answers()) == said
    assert await live(world) == []


async def test_nobody_is_exempt_from_the_rules(world: World, asking: Asking) -> None:
    await world.space("den", rules=GivenRules(days_ahead=3, longest_minutes=90, shortest_minutes=30))
    tries = {
        VenueRefusal.TOO_LONG: asking.wants("den", hours=2),
        VenueRefusal.TOO_SHORT: asking.wants("den", hours=0.25),
        VenueRefusal.TOO_FAR_AHEAD: asking.wants("den", NINE + timedelta(days=20), hours=1),
        VenueRefusal.IN_THE_PAST: asking.wants("den", NINE - timedelta(days=2), hours=1),
        VenueRefusal.TOO_SMALL: asking.wants("den", hours=1, seats=99),
        VenueRefusal.NO_SUCH_SPACE: asking.wants("moon", hours=1),
    }
    for because, wish in tries.items():
        await world.hear(wish)
        refused = await asking.last()
        assert isinstance(refused, VenueRefusedV1)
        assert (refused.because, refused.kept) == (because, False)
        if because is VenueRefusal.TOO_FAR_AHEAD:
            assert refused.bookable_from == datetime.fromisoformat("2027-03-19T00:00:00+01:00")
    assert await world.facts(BookingHeldV1) == []


async def test_flex_seats_are_taken_one_by_one_or_all(world: World, asking: Asking) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=5)
    await world.book("flex", NINE, NINE + timedelta(hours=2), seats=2, by="ben")
    await world.hear(asking.wants("flex", seats=3))
    assert isinstance(await asking.last(), VenueHeldV1)
    other = Asking(world, OTHER)
    await world.hear(other.wants("flex"))
    refused = await other.last()
    assert isinstance(refused, VenueRefusedV1)
    assert refused.because is VenueRefusal.SPACE_TAKEN


async def test_the_floor_cannot_be_had_while_somebody_sits_on_it(world: World, asking: Asking) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=5)
    await world.space("floor", SpaceKind.EVENT, made_of=("studio", "flex"))
    await world.book("flex", NINE, NINE + timedelta(hours=1), by="ben")
    await world.hear(asking.wants("floor"))
    refused = await asking.last()
    assert isinstance(refused, VenueRefusedV1)
    assert NINE + timedelta(hours=1) in refused.free_starts
