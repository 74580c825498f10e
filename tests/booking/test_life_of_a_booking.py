"""What can happen to a booking after it was made."""

from __future__ import annotations

from shared.contracts.booking.requests import (
    CancelBooking,
    ChangeSpace,
    CheckIn,
    CheckOut,
    ConfirmBooking,
    GetAvailability,
    GetBooking,
    GetOccupancy,
    GetSpace,
    ListBookings,
    ListMyBookings,
    ListSpaces,
    MoveBooking,
)
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, World


async def test_smoke(world: World) -> None:
    await world.space("room")
    await world.space("flex", SpaceKind.FLEX, seats=5)
    held = await world.book("room", hold=True)
    assert held.status == BookingStatus.HELD
    await world.ask(ConfirmBooking(hub=HUB, booking=held.id))
    moved = await world.ask(
        MoveBooking(hub=HUB, booking=held.id, version=2, start="2027-03-01T09:15", end="2027-03-01T12:00")
    )
    assert moved.version == 3
    await world.listen_to_itself()
    await world.let_time_pass(minutes=20)
    await world.ask(CheckIn(hub=HUB, booking=held.id))
    await world.listen_to_itself()
    occ = await world.ask(GetOccupancy(hub=HUB), "olga", Role.HOST)
    assert occ.total.present == 1
    assert (await world.ask(GetOccupancy(hub=HUB), None)).total.present is None
    await world.ask(CheckOut(hub=HUB, booking=held.id))
    b = await world.book("flex", "2027-03-02T10:00")
    await world.ask(CancelBooking(hub=HUB, booking=b.id))
    await world.ask(GetBooking(hub=HUB, booking=b.id))
    assert len((await world.ask(ListBookings(hub=HUB), "olga", Role.HOST)).items) == 2
    assert len((await world.ask(ListMyBookings())).items) == 2
    assert len((await world.ask(ListSpaces(hub=HUB), None)).items) == 2
    s = await world.ask(GetSpace(hub=HUB, space="room"), None)
    a = await world.ask(GetAvailability(hub=HUB, start="2027-03-01T10:00", end="2027-03-01T11:00"), None)
    assert all(i.free for i in a.items)
    await world.ask(
        ChangeSpace(hub=HUB, space="room", version=s.version, name="Big room"), "olga", Role.OPERATOR
    )
