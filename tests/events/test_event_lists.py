"""Lists of events: a hub's by time and filter, and what somebody takes part in or runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.directory.words import Role
from shared.contracts.events.requests import CancelEvent, ListEvents, ListMyEvents
from tests.events.world import HUB, World


async def titles(
    world: World, by: str | None = "ben", role: Role | None = Role.MEMBER, **asked: Any
) -> list[str]:
    page = await world.ask(ListEvents.model_validate({"hub": HUB} | asked), by, role)
    return [one.title for one in page.items]


async def programme(world: World) -> None:
    for day, (title, kind, tags) in enumerate(
        (("Bread", "training", ["Food"]), ("Boats", "talk", []), ("Soup", "my own word", ["Food", "Warm"])),
        start=8,
    ):
        await world.event(title, start=f"2027-03-{day:02}T18:00", kind=kind, tags=tags)


async def test_events_come_in_the_order_of_their_start(world: World) -> None:
    await world.event("Last", start="2027-03-20T18:00")
    await programme(world)
    assert await titles(world) == ["Bread", "Boats", "Soup", "Last"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"kind": "talk"}, ["Boats"]),
        ({"kind": "my own word"}, ["Soup"]),
        ({"tag": "Food"}, ["Bread", "Soup"]),
        ({"start": "2027-03-09T19:00"}, ["Boats", "Soup"]),
        ({"start": "2027-03-08T20:00", "end": "2027-03-10T18:00"}, ["Boats"]),
        ({"status": ["draft", "held"]}, []),
        ({"calendar": "none"}, []),
        ({"mine": True}, []),
        ({"series": str(uuid4())}, []),
    ],
)
async def test_a_list_can_be_narrowed(world: World, asked: dict[str, Any], expected: list[str]) -> None:
    await programme(world)
    assert await titles(world, **asked) == expected


async def test_mine_are_those_i_run_drafts_included(world: World) -> None:
    await programme(world)
    await world.draft("Not yet", start="2027-03-07T18:00")
    assert await titles(world, "ann", mine=True) == ["Not yet", "Bread", "Boats", "Soup"]
    assert await titles(world, "ann", mine=True, status=["draft"]) == ["Not yet"]
    assert await titles(world, "hanna", Role.HOST, status=["draft"]) == ["Not yet"]
    assert await titles(world, "ben", status=["draft"]) == []


async def test_pages_show_each_event_once(world: World) -> None:
    for number in range(5):
        await world.event(f"At once {number}")
    cursor, found = None, []
    while True:
        page = await world.ask(ListEvents(hub=HUB, limit=2, cursor=cursor), None)
        found += [one.title for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(found) == [f"At once {number}" for number in range(5)]


async def test_long_texts_make_short_pages_not_unreadable_ones(world: World) -> None:
    texts = {f"{letter}a": {"title": "Bread", "text": "\u2603" * 8000} for letter in "abcdefghij"}
    for _ in range(5):
        await world.event(texts=texts)
    seen, cursor = set(), None
    while True:
        page = await world.ask(ListEvents(hub=HUB, cursor=cursor), None)
        assert 0 < len(page.model_dump_json().encode()) < 1024 * 1024
        seen |= {one.id for one in page.items}
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == 5


SOMEBODY = "01a200cf-e3d1-7354-9359-7496f0a94747"


@pytest.mark.parametrize(
    "cursor", ["x", "2027-03-01T10:00_x", f"2027-03-01T10:00_{SOMEBODY}", f"0001-01-01T00:00Z_{SOMEBODY}"]
)
async def test_a_foreign_cursor_is_refused(world: World, cursor: str) -> None:
    refused = await world.refusal(ListEvents(hub=HUB, cursor=cursor))
    assert (refused.status, refused.problem["field"]) == (422, "cursor")


async def test_another_hub_has_its_own_programme(world: World) -> None:
    await programme(world)
    await world.hub("sydviken")
    page = await world.ask(ListEvents(hub="sydviken"), None)
    assert page.items == ()
    assert (await world.refusal(ListEvents(hub="nowhere"), None)).status == 404


async def test_what_i_take_part_in_and_run(world: World) -> None:
    one = await world.event("Bread")
    two = await world.event("Boats", visibility="hub", start="2027-03-09T18:00")
    await world.event("Soup")
    mine = await world.draft("Mine", by="ben", start="2027-03-07T18:00")
    await world.sign_up(one, "ben")
    await world.sign_up(two, "ben")
    nobody_in_particular = world.principal("ben", None)
    page = await world.ask(ListMyEvents(), nobody_in_particular)
    assert [one.title for one in page.items] == ["Mine", "Bread", "Boats"]
    assert [one.my_status for one in page.items] == [None, "attending", "attending"]
    await world.ask(CancelEvent(hub=HUB, event=one.id))
    page = await world.ask(ListMyEvents(start=one.end - timedelta(days=1)), nobody_in_particular)
    assert [(one.title, one.status) for one in page.items] == [("Bread", "cancelled"), ("Boats", "published")]
    assert mine.id not in {one.id for one in page.items}
    assert (await world.refusal(ListMyEvents(), None)).status == 401


async def test_a_list_shows_the_agreement_on_the_room_to_those_who_run_the_event(world: World) -> None:
    event = await world.event(place={"space": "floor"})
    await world.agreed(event.id)
    seen = await world.seen(event)
    assert seen.venue is not None
    everybody = ListEvents(hub=HUB)
    for who, role in (("ann", Role.MEMBER), ("hanna", Role.HOST)):
        assert [one.venue for one in (await world.ask(everybody, who, role)).items] == [seen.venue]
    assert [one.venue for one in (await world.ask(ListMyEvents(), "ann")).items] == [seen.venue]
    for stranger in ("ben", None):
        assert [one.venue for one in (await world.ask(everybody, stranger)).items] == [None]
