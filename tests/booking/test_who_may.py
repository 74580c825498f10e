"""Who may do what: by role in the hub, by being the person, and never across hubs."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.base import Request
from shared.contracts.booking.requests import (
    CancelBooking,
    ChangeSpace,
    CheckIn,
    CheckOut,
    ConfirmBooking,
    GetBooking,
    ListBookings,
    ListMyBookings,
    MoveBooking,
    OpenSpace,
)
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from tests.booking.world import HUB, World

OTHER = "sydviken"


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_who_belongs_to_the_hub_books_for_themselves(world: World, role: Role) -> None:
    await world.space("room")
    booking = await world.book("room", role=role)
    assert booking.person == booking.booked_by == world.person("ann")


async def test_without_a_role_in_the_hub_nobody_books(world: World) -> None:
    await world.space("room")
    refused = await world.refusal(world.wish("room"), "ann", None)
    assert (refused.status, refused.code) == (403, "not-a-member")
    of_another_hub = world.principal("ann", Role.ADMIN, OTHER)
    assert (await world.refusal(world.wish("room"), of_another_hub)).code == "not-a-member"
    assert (await world.refusal(world.wish("room"), None)).status == 401


@pytest.mark.parametrize("role", list(Role))
async def test_only_staff_book_for_others(world: World, role: Role) -> None:
    await world.space("room")
    wish = world.wish("room", person=world.person("guest"))
    if role in STAFF:
        booking = await world.ask(wish, "hanna", role)
        assert (booking.person, booking.booked_by) == (world.person("guest"), world.person("hanna"))
        assert (await world.ask(GetBooking(hub=HUB, booking=booking.id), "guest", None)).id == booking.id
    else:
        assert (await world.refusal(wish, "hanna", role)).status == 403


@pytest.mark.parametrize("role", list(Role))
async def test_only_operators_import(world: World, role: Role) -> None:
    await world.space("room")
    wish = world.wish("room", source={"calendar": "town", "uid": "1"})
    if role in OPERATORS:
        assert (await world.ask(wish, "olga", role)).source
    else:
        assert (await world.refusal(wish, "olga", role)).status == 403


@pytest.mark.parametrize("role", list(Role))
async def test_only_operators_open_and_change_spaces(world: World, role: Role) -> None:
    await world.space("room")
    asked: list[Request[Any]] = [
        OpenSpace(hub=HUB, id="new", name="New", kind=SpaceKind.ROOM),
        ChangeSpace(hub=HUB, space="room", version=1, name="Renamed"),
    ]
    for request in asked:
        if role in OPERATORS:
            await world.ask(request, "olga", role)
        else:
            assert (await world.refusal(request, "olga", role)).status == 403
        assert (await world.refusal(request, world.principal("olga", role, OTHER))).status == 403


@pytest.mark.parametrize("role", list(Role))
async def test_only_staff_see_the_hubs_bookings(world: World, role: Role) -> None:
    if role in STAFF:
        assert (await world.ask(ListBookings(hub=HUB), "hanna", role)).items == ()
    else:
        assert (await world.refusal(ListBookings(hub=HUB), "hanna", role)).status == 403
    assert (await world.refusal(ListBookings(hub=HUB), world.principal("x", role, OTHER))).status == 403


def _about(hub: str, booking: Any) -> list[Request[Any]]:
    one = {"hub": hub, "booking": booking}
    return [
        GetBooking(**one),
        ConfirmBooking(**one),
        CheckIn(**one),
        CheckOut(**one),
        MoveBooking(**one, version=1, title="Mine now"),
        MoveBooking(**one, version=1, space="nowhere"),
        CancelBooking(**one),
    ]


async def test_a_booking_of_another_hub_is_not_there(world: World) -> None:
    await world.space("room")
    await world.hub(OTHER)
    booking = await world.book("room")
    for request in _about(OTHER, booking.id):
        refused = await world.refusal(request, world.principal("root", Role.ADMIN, OTHER))
        assert (refused.status, refused.code) == (404, "not-found")
    for request in _about(HUB, booking.id):
        refused = await world.refusal(request, world.principal("root", Role.ADMIN, OTHER))
        assert refused.status == 404
        assert str(booking.id) in refused.problem["detail"]


async def test_a_booking_of_somebody_else_is_not_there_for_members(world: World) -> None:
    await world.space("room")
    booking = await world.book("room")
    for request in _about(HUB, booking.id):
        assert (await world.refusal(request, "ben")).status == 404
        assert (await world.refusal(request, None)).status == 401


async def test_the_hubs_staff_act_for_its_members(world: World) -> None:
    await world.space("room")
    booking = await world.book("room", "2027-03-01T09:00")
    for request in (CheckIn(hub=HUB, booking=booking.id), CheckOut(hub=HUB, booking=booking.id)):
        await world.ask(request, "hanna", Role.HOST)


async def test_who_made_a_booking_for_another_sees_it_but_does_not_check_in(world: World) -> None:
    await world.space("room")
    booking = await world.book(
        "room", "2027-03-01T09:00", by="hanna", role=Role.HOST, person=world.person("guest")
    )
    assert (await world.ask(GetBooking(hub=HUB, booking=booking.id), "hanna", Role.MEMBER)).id == booking.id
    assert (await world.refusal(CheckIn(hub=HUB, booking=booking.id), "hanna", Role.MEMBER)).status == 403


async def test_mine_are_mine_in_all_hubs(world: World) -> None:
    await world.hub(OTHER)
    await world.space("room")
    await world.space("room", hub=OTHER)
    first = await world.book("room")
    second = await world.book(
        "room", hub=OTHER, start="2027-03-01T12:00", by=world.principal("ann", hub=OTHER)
    )
    await world.book("room", "2027-03-01T13:00", by="ben")
    mine = await world.ask(ListMyBookings(), "ann", None)
    assert [one.id for one in mine.items] == [first.id, second.id]
    assert (await world.refusal(ListMyBookings(), None)).status == 401
