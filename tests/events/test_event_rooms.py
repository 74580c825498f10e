"""An event and its room as its organisers see it: asked for, refused, moved, lost, given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.booking.words import VenueRefusal
from shared.contracts.events.facts import EventChangedV1, VenueReleasedV1, VenueWantedV1
from shared.contracts.events.requests import CancelEvent, ChangeEvent
from shared.contracts.events.views import EventView
from shared.contracts.events.words import EventPart
from tests.events.world import HUB, Refused, World


async def changed(world: World, event: EventView, **what: Any) -> EventView:
    """The organiser changes the event as it is now."""
    present = await world.seen(event)
    request = {"hub": HUB, "event": event.id, "version": present.version} | what
    return await world.ask(ChangeEvent.model_validate(request))


async def agreed(world: World, **more: Any) -> EventView:
    """A published event that has its room."""
    event = await world.event(place={"space": "floor"}, **more)
    await world.agreed(event.id)
    return await world.seen(event)


async def names(world: World, event: EventView) -> list[str]:
    """What has been stated about the event's room."""
    return [fact.fact for fact in await world.wishes(event.id)]


async def test_an_event_with_a_room_is_published_when_booking_has_confirmed_it(world: World) -> None:
    event = await world.event(place={"space": "floor"}, capacity=30)
    assert (event.status, event.venue.state if event.venue else None) == ("publishing", "wanted")
    with pytest.raises(Refused):
        await world.seen(event, "ben")
    wish = await world.wanted(event.id)
    assert (wish.space, wish.seats, wish.person, wish.edition) == ("floor", 30, world.person("ann"), 1)
    assert (wish.start, wish.end) == (event.start, event.end)
    await world.held(event.id)
    assert (await world.seen(event)).status == "publishing"
    await world.confirmed(event.id)
    seen = await world.seen(event)
    assert seen.venue is not None
    assert (seen.status, seen.venue.state, seen.venue.booking) == (
        "published",
        "confirmed",
        world.booking_of(event.id),
    )
    assert (await world.seen(event, "ben")).venue is None
    assert await names(world, event) == ["venue-wanted", "venue-accepted"]


async def test_a_refused_room_leaves_a_draft_that_says_what_is_free(world: World) -> None:
    event = await world.event(place={"space": "floor"})
    free = event.start + timedelta(hours=3)
    await world.refused(event.id, free_starts=(free,), free_spaces=("studio",))
    draft = await world.seen(event)
    assert draft.status == "draft"
    assert draft.venue is not None
    assert (draft.venue.state, draft.venue.because, draft.venue.free_spaces) == (
        "refused",
        "space-taken",
        ("studio",),
    )
    assert [one.start for one in draft.venue.free_times] == [free]
    await changed(world, event, place={"space": "studio"})
    again = await world.publish(event)
    assert (again.status, (await world.wanted(event.id)).space) == ("publishing", "studio")
    await world.agreed(event.id)
    assert (await world.seen(event, "ben")).place.space == "studio"


async def test_a_new_time_waits_until_booking_has_agreed(world: World) -> None:
    event = await agreed(world)
    later = event.start + timedelta(hours=1)
    asked = await changed(
        world, event, start=later.isoformat(), end=(event.end + timedelta(hours=1)).isoformat()
    )
    assert (asked.start, asked.status) == (event.start, "published")
    assert asked.venue is not None
    assert (asked.venue.state, asked.venue.start) == ("wanted", later)
    assert asked.version > event.version
    await world.confirmed(event.id)
    seen = await world.seen(event)
    assert (seen.start, seen.status) == (later, "changed")
    fact = (await world.facts(EventChangedV1))[-1]
    assert isinstance(fact, EventChangedV1)
    assert (fact.changed, fact.previous_start, fact.venue_lost) == ((EventPart.TIME,), event.start, False)


async def test_what_a_second_change_leaves_out_stays_as_last_asked(world: World) -> None:
    event = await agreed(world)
    later = event.start + timedelta(hours=1)
    await changed(world, event, start=later.isoformat())
    await changed(world, event, place={"space": "studio"}, title="Moved")
    wish = await world.wanted(event.id)
    assert (wish.space, wish.start, wish.end, wish.edition) == ("studio", later, event.end, 3)
    seen = await world.seen(event)
    assert (seen.title, seen.place.space, seen.start) == ("Moved", "floor", event.start)
    same = await changed(world, event, place={"space": "studio"})
    assert len([one for one in await world.wishes(event.id) if isinstance(one, VenueWantedV1)]) == 3
    assert same.version == seen.version or same.venue is not None


async def test_a_refused_move_leaves_all_as_it_was(world: World) -> None:
    event = await agreed(world)
    await changed(world, event, start=(event.start + timedelta(hours=1)).isoformat())
    await world.refused(event.id, kept=True)
    seen = await world.seen(event)
    assert (seen.start, seen.status) == (event.start, "published")
    assert seen.venue is not None
    assert (seen.venue.state, seen.venue.because) == ("confirmed", "space-taken")


async def test_more_people_need_a_larger_room(world: World) -> None:
    event = await agreed(world, capacity=10)
    asked = await changed(world, event, capacity=50)
    assert (asked.places[0].capacity, (await world.wanted(event.id)).seats) == (50, 50)
    await world.confirmed(event.id)
    assert (await world.seen(event)).start == event.start


async def test_an_event_with_an_address_gains_a_room(world: World) -> None:
    event = await world.event()
    asked = await changed(world, event, place={"space": "floor", "online_url": "https://meet.example.org/x"})
    assert (asked.place.address, asked.place.space, asked.place.online) == ("Harbour 1", None, True)
    await world.agreed(event.id)
    seen = await world.seen(event, "ben")
    assert (seen.place.address, seen.place.space, seen.place.online) == (None, "floor", True)


async def test_an_event_that_moves_out_gives_its_room_back(world: World) -> None:
    event = await agreed(world)
    moved = await changed(world, event, place={"address": "Harbour 2"}, start="2027-03-08T19:00")
    assert (moved.place.address, moved.place.space, moved.status) == ("Harbour 2", None, "changed")
    assert f"{moved.start:%H:%M}" == "19:00"
    assert isinstance((await world.wishes(event.id))[-1], VenueReleasedV1)
    await world.freed(event.id)
    assert (await world.seen(event)).place.address == "Harbour 2"


async def test_a_cancelled_event_gives_its_room_back(world: World) -> None:
    event = await agreed(world)
    await world.ask(CancelEvent(hub=HUB, event=event.id))
    assert await names(world, event) == ["venue-wanted", "venue-accepted", "venue-released"]
    await world.ask(CancelEvent(hub=HUB, event=event.id))
    assert len(await world.wishes(event.id)) == 3


async def test_an_event_follows_its_room_and_says_when_it_has_lost_it(world: World) -> None:
    event = await agreed(world)
    later = event.start + timedelta(days=1)
    await world.moved(event.id, "studio", later, later + timedelta(hours=2))
    seen = await world.seen(event, "ben")
    assert (seen.place.space, seen.start, seen.status) == ("studio", later, "changed")
    await world.lost(event.id)
    mine = await world.seen(event)
    assert mine.venue is not None
    assert (mine.venue.state, mine.status) == ("lost", "changed")
    fact = (await world.facts(EventChangedV1))[-1]
    assert isinstance(fact, EventChangedV1)
    assert (fact.venue_lost, fact.by) == (True, world.person("olga"))
    assert (await changed(world, event, title="Still on")).venue == mine.venue
    asked = await world.publish(event)
    assert asked.venue is not None
    assert asked.venue.state == "wanted"
    await world.agreed(event.id)
    regained = (await world.facts(EventChangedV1))[-1]
    assert isinstance(regained, EventChangedV1)
    assert (regained.venue_lost, regained.changed) == (False, (EventPart.PLACE,))


async def test_an_event_in_the_past_needs_no_room(world: World) -> None:
    from shared.contracts.directory.words import Role  # noqa: PLC0415

    source = {"calendar": "c", "uid": "u"}
    event = await world.event(
        start="2026-03-08T18:00", place={"space": "floor"}, source=source, by="olga", role=Role.OPERATOR
    )
    assert (event.status, event.venue) == ("held", None)
    assert await world.wishes(event.id) == []


async def test_a_changed_mind_while_publishing(world: World) -> None:
    event = await world.event(place={"space": "floor"})
    asked = await changed(world, event, start=(event.start + timedelta(hours=1)).isoformat())
    assert (asked.status, asked.start) == ("publishing", event.start + timedelta(hours=1))
    assert (await world.wanted(event.id)).start == asked.start
    await world.agreed(event.id)
    assert (await world.seen(event, "ben")).start == asked.start


async def test_a_series_asks_for_each_of_its_rooms(world: World) -> None:
    first = await world.event(place={"space": "floor"}, repeat={"rule": "FREQ=WEEKLY;COUNT=3"})
    rows = await world.rows("SELECT id FROM event ORDER BY starts_at")
    await world.agreed(rows[0].id)
    await world.refused(rows[1].id, VenueRefusal.CLOSED)
    await world.agreed(rows[2].id)
    found = [await world.seen(row.id) for row in rows]
    assert [one.status for one in found] == ["published", "draft", "published"]
    assert found[0].id == first.id
