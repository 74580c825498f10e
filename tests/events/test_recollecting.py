"""Events' database has gone back in time: events and places are stated again as they are."""

from __future__ import annotations

from collections.abc import Sequence

from services.events.commands.recollecting import recollect
from shared.contracts.base import Fact
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import (
    EventCancelledV1,
    EventHiddenV1,
    EventPublishedV1,
    EventSnapshotV1,
    PlaceGivenBackV1,
    PlaceTakenV1,
    SignUpSnapshotV1,
    VenueWantedV1,
    VenueWishSnapshotV1,
)
from shared.contracts.events.requests import HideEvent
from shared.contracts.events.words import EventStatus, SignUpStatus
from tests.events.world import HUB, World, cancel


async def recollected(world: World, *told: Fact) -> Sequence[Fact]:
    """What is stated when these are found in the stream and not in the database."""
    before = len(await world.facts())
    async with world.database.transaction() as session:
        await recollect(session, told, clock=world.clock, ids=world.ids)
    return await world.facts(after=before)


def of(kind: type[Fact], told: Sequence[Fact]) -> Fact:
    return [fact for fact in told if isinstance(fact, kind)][-1]


async def test_an_event_that_was_cancelled_takes_place_again(world: World) -> None:
    event = await world.event()
    await world.ask(cancel(event))
    told = await world.goes_back("UPDATE event SET status = 'published', cancelled_at = NULL, stated = 1")
    (snapshot,) = await recollected(world, of(EventCancelledV1, told))
    assert isinstance(snapshot, EventSnapshotV1)
    assert (snapshot.subject_version, snapshot.status) == (3, EventStatus.PUBLISHED)


async def test_an_event_that_was_hidden_stays_hidden(world: World) -> None:
    event = await world.event()
    await world.ask(HideEvent(hub=HUB, event=event.id, reason="An advertisement."), "host", Role.HOST)
    told = await world.goes_back(
        "UPDATE event SET hidden_at = NULL, hidden_by = NULL, hidden_reason = NULL, stated = 1",
        "UPDATE places SET open = true",
    )
    (snapshot,) = await recollected(world, of(EventHiddenV1, told))
    assert isinstance(snapshot, EventSnapshotV1)
    assert (snapshot.subject_version, snapshot.hidden, snapshot.titles) == (3, True, {})
    assert [row.open for row in await world.rows("SELECT open FROM places")] == [False]


async def test_an_event_and_the_places_at_it_that_nobody_remembers_are_gone(world: World) -> None:
    event = await world.event()
    await world.sign_up(event)
    tables = ("sign_up", "places", "organiser", "event")
    told = await world.goes_back(*(f"DELETE FROM {table}" for table in tables))
    published, taken = of(EventPublishedV1, told), of(PlaceTakenV1, told)
    given_back, cancelled = await recollected(world, published, taken)
    assert isinstance(given_back, PlaceGivenBackV1)
    assert isinstance(cancelled, EventCancelledV1)
    assert (given_back.person, given_back.subject_version) == (world.person("ben"), taken.subject_version + 1)
    assert (cancelled.subject_version, cancelled.titles) == (2, {"sv": "Evening talk"})
    assert await recollected(world, cancelled, given_back) == []


async def test_a_place_that_was_given_back_is_taken_again(world: World) -> None:
    event = await world.event()
    await world.sign_up(event)
    taken = of(PlaceTakenV1, await world.goes_back())
    (snapshot,) = await recollected(world, taken.model_copy(update={"subject_version": 5}))
    assert isinstance(snapshot, SignUpSnapshotV1)
    assert (snapshot.subject_version, snapshot.status) == (6, SignUpStatus.ATTENDING)


async def test_a_wish_for_a_room_counts_on_and_is_compared(world: World) -> None:
    await world.event(place={"space": "studio"})
    wanted = of(VenueWantedV1, await world.goes_back())
    (snapshot,) = await recollected(world, wanted.model_copy(update={"subject_version": 4}))
    assert isinstance(snapshot, VenueWishSnapshotV1)
    assert (snapshot.subject_version, snapshot.wants) == (4, True)
