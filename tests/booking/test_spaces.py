"""Opening and changing spaces."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.booking.facts import SpaceOpenedV1, SpaceRulesChangedV1
from shared.contracts.booking.requests import ChangeSpace, GetSpace, ListSpaces, OpenSpace
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, OPEN_ALWAYS, Refused, World


def opening(id: str, **more: object) -> OpenSpace:
    return OpenSpace.model_validate({"hub": HUB, "id": id, "name": "A place", "kind": "room", **more})


async def refused(world: World, request: OpenSpace | ChangeSpace) -> Refused:
    return await world.refusal(request, "olga", Role.OPERATOR)


async def test_units_are_numbered_per_hub(world: World) -> None:
    await world.hub("sydviken")
    assert (await world.space("room")).units == (1,)
    assert (await world.space("flex", SpaceKind.FLEX, seats=3)).units == (2, 3, 4)
    assert (await world.space("printer", SpaceKind.EQUIPMENT)).units == (5,)
    assert (await world.space("room", hub="sydviken")).units == (1,)
    seen = await world.ask(ListSpaces(hub=HUB), None)
    assert [(one.id, one.seats, one.capacity) for one in seen.items] == [
        ("flex", 3, 3),
        ("printer", 1, 1),
        ("room", 1, 1),
    ]


async def test_spaces_come_in_pages(world: World) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await world.space(name, SpaceKind.DESK if name < "d" else SpaceKind.ROOM)
    first = await world.ask(ListSpaces(hub=HUB, limit=2), None)
    second = await world.ask(ListSpaces(hub=HUB, limit=2, cursor=first.cursor), None)
    third = await world.ask(ListSpaces(hub=HUB, limit=2, cursor=second.cursor), None)
    assert [one.id for page in (first, second, third) for one in page.items] == ["a", "b", "c", "d", "e"]
    assert third.cursor is None
    desks = await world.ask(ListSpaces(hub=HUB, kind=SpaceKind.DESK, limit=3), None)
    assert ([one.id for one in desks.items], desks.cursor) == (["a", "b", "c"], None)
    assert (await world.refusal(ListSpaces(hub="nowhere"), None)).status == 404
    assert (await world.refusal(GetSpace(hub=HUB, space="nowhere"), None)).status == 404


async def test_what_makes_no_sense_is_refused(world: World) -> None:
    await world.space("room")
    assert (await refused(world, opening("room"))).code == "space-exists"
    assert (await refused(world, opening("all"))).problem["field"] == "id"
    assert (await refused(world, opening("big", seats=3))).problem["field"] == "seats"
    assert (await refused(world, opening("mix", made_of=["room", "nowhere"]))).problem["field"] == "made_of"
    assert (await refused(world, opening("mix", made_of=["room"], seats=2))).problem["field"] == "seats"
    elsewhere = opening("room").model_copy(update={"hub": "nowhere"})
    olga = world.principal("olga", Role.OPERATOR, "nowhere")
    assert (await world.refusal(elsewhere, olga)).status == 404


@pytest.mark.parametrize(
    "field", [{"seats": 2001}, {"seats": 0}, {"capacity": 0}, {"made_of": ["a"] * 101}, {"id": "A"}]
)
def test_what_is_out_of_bounds_never_reaches_the_service(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        opening("place", kind="flex", **field) if "id" not in field else opening(str(field["id"]))


async def test_two_who_open_the_same_space(world: World) -> None:
    olga = world.principal("olga", Role.OPERATOR)
    answers = await asyncio.gather(*(world.answer(opening("room"), olga) for _ in range(5)))
    assert sum(isinstance(one, Refused) and one.code == "space-exists" for one in answers) == 4


async def test_a_change_needs_the_version_it_was_decided_on(world: World) -> None:
    space = await world.space("room")
    change = ChangeSpace(hub=HUB, space="room", version=space.version, name="Better room", capacity=9)
    changed = await world.ask(change, "olga", Role.OPERATOR)
    assert (changed.name, changed.capacity, changed.version) == ("Better room", 9, 2)
    assert changed.rules.model_dump() == OPEN_ALWAYS.model_dump()
    stale = await refused(world, change)
    assert (stale.status, stale.code) == (412, "version-mismatch")
    [opened] = await world.facts(SpaceOpenedV1)
    [told] = await world.facts(SpaceRulesChangedV1)
    assert (opened.subject, opened.subject_version) == (f"{HUB}/room", 1)
    assert (told.subject, told.subject_version) == (f"{HUB}/room", 2)


async def test_a_space_that_is_closed_for_good_keeps_its_bookings(world: World) -> None:
    space = await world.space("room")
    booking = await world.book("room")
    await world.ask(
        ChangeSpace(hub=HUB, space="room", version=space.version, active=False), "olga", Role.OPERATOR
    )
    assert (await world.refusal(world.wish("room", "2027-03-02T10:00"), "ben")).status == 404
    assert (await world.rows("SELECT status FROM booking WHERE id = :id", id=booking.id))[
        0
    ].status == "confirmed"
    assert not (await world.ask(GetSpace(hub=HUB, space="room"), None)).active


def test_a_misspelt_rule_is_refused_and_not_dropped_in_silence() -> None:
    asked = {"hub": HUB, "id": "room", "name": "Room", "kind": "room"}
    misspelt: list[dict[str, Any]] = [
        {"shortest_minute": 30},
        {"opening_hours": {"mon": [{"opens": "08:00", "closes": "17:00", "close": "16:00"}]}},
        {"opening_hours": {"monday": []}},
    ]
    for wrong in misspelt:
        with pytest.raises(ValidationError):
            OpenSpace.model_validate({**asked, "rules": wrong})
