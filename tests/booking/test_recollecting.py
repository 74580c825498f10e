"""Booking's database has gone back in time: what the world was told of spaces and bookings is stated again as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.booking.commands.recollecting import THE_HUB, recollect
from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    BookingCancelledV1,
    BookingMovedV1,
    BookingSnapshotV1,
    SpaceOpenedV1,
    SpaceSnapshotV1,
)
from shared.contracts.booking.requests import CancelBooking, ChangeSpace, MoveBooking
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, World


async def recollected(world: World, *told: Fact) -> Sequence[Fact]:
    """What is stated when these are found in the stream and not in the database."""
    before = len(await world.facts())
    async with world.database.transaction() as session:
        await recollect(session, told, clock=world.clock, ids=world.ids)
    return await world.facts(after=before)


async def test_a_booking_that_is_at_an_older_time_again_is_stated_after_what_was_told(world: World) -> None:
    await world.space("studio")
    booked = await world.book("studio", "2027-03-01T10:00")
    move = MoveBooking(
        hub=HUB, booking=booked.id, start="2027-03-01T14:00", end="2027-03-01T15:00", version=1
    )
    await world.ask(move)
    told = await world.goes_back(
        "UPDATE booking SET version = 1, starts_at = starts_at - interval '4 h', ends_at = ends_at - interval '4 h',"
        " kept_until = kept_until - interval '4 h'"
    )
    (snapshot,) = await recollected(world, told[-1])
    assert isinstance(snapshot, BookingSnapshotV1)
    assert (snapshot.subject_version, snapshot.start, snapshot.status) == (
        3,
        booked.start,
        BookingStatus.CONFIRMED,
    )
    await world.ask(move.model_copy(update={"version": 3}))
    moved = (await world.facts(BookingMovedV1))[-1]
    assert moved.subject_version == 4, "whoever heard of the snapshot goes on from there"


async def test_a_booking_nobody_remembers_is_cancelled_for_those_who_heard_of_it(world: World) -> None:
    await world.space("studio")
    booked = await world.book("studio", "2027-03-01T10:00")
    told = await world.goes_back("DELETE FROM booking")
    (cancelled,) = await recollected(world, told[-1])
    assert isinstance(cancelled, BookingCancelledV1)
    assert (cancelled.subject, cancelled.subject_version) == (str(booked.id), 2)
    assert (cancelled.person, cancelled.by, cancelled.start) == (world.person("ann"), THE_HUB, booked.start)
    (again,) = await recollected(world, told[-1])
    assert again.subject_version == 2, "found twice, it is still one thing to those who hear it"
    await world.book("studio", "2027-03-01T10:00", by="ben")


async def test_what_was_over_when_it_was_told_needs_no_word(world: World) -> None:
    await world.space("studio")
    booked = await world.book("studio", "2027-03-01T10:00")
    await world.ask(CancelBooking(hub=HUB, booking=booked.id))
    *_, confirmed, cancelled = await world.goes_back("DELETE FROM booking")
    assert await recollected(world, cancelled) == []
    world.now += timedelta(days=1)
    assert await recollected(world, confirmed) == []


async def test_a_space_counts_on_from_what_was_told(world: World) -> None:
    space = await world.space("studio", capacity=12)
    change = ChangeSpace(hub=HUB, space="studio", name="Atelier", version=space.version)
    await world.ask(change, "olga", Role.OPERATOR)
    told = await world.goes_back("UPDATE space SET name = 'Studio', version = 1, stated = 1")
    (snapshot,) = await recollected(world, told[-1])
    assert isinstance(snapshot, SpaceSnapshotV1)
    assert (snapshot.subject_version, snapshot.name) == (3, "Studio")


async def test_a_space_nobody_remembers_comes_back_closed_with_its_own_units(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=4)
    told = await world.goes_back(
        "DELETE FROM space_terms", "DELETE FROM space", "UPDATE hub SET next_unit = 1"
    )
    (snapshot,) = await recollected(world, told[-1])
    assert isinstance(snapshot, SpaceSnapshotV1)
    assert (snapshot.subject_version, snapshot.units, snapshot.capacity) == (2, (1, 2, 3, 4), 4)
    refused = await world.refusal(world.wish("flex"))
    assert refused.status in (404, 409, 422)
    await world.space("studio")
    opened = (await world.facts(SpaceOpenedV1))[-1]
    assert isinstance(opened, SpaceOpenedV1)
    assert not {*opened.units} & {*snapshot.units}
    version = (await world.rows("SELECT version FROM space WHERE slug = 'flex'"))[0].version
    await world.ask(ChangeSpace(hub=HUB, space="flex", active=True, version=version), "olga", Role.OPERATOR)
    await world.book("flex")


async def test_a_space_of_a_hub_that_is_gone_too_is_left_alone(world: World) -> None:
    told = SpaceOpenedV1(
        id=UUID(int=1), hub="elsewhere", occurred_at=world.now, subject="elsewhere/studio", subject_version=1,
        space="studio", name="Studio", kind=SpaceKind.ROOM, units=(1,), capacity=1,
    )  # fmt: skip
    assert await recollected(world, told) == []
