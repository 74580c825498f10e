"""Text and numbers that only somebody hostile or broken sends: refused with a problem, never an error of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.base import Request
from shared.contracts.booking.requests import (
    CancelBooking,
    ListBookings,
    ListSpaces,
    MoveBooking,
    OpenSpace,
    Reserve,
)
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, World

WISH = {"hub": HUB, "space": "room", "start": "2027-03-01T10:00", "end": "2027-03-01T11:00"}
ONE = {"hub": HUB, "booking": "00000000-0000-7000-8000-000000000001"}
SOURCE = {"calendar": "c", "uid": "u", "recurrence_id": ""}
BAD = ["\u0000", "a\u0000b", "\u001b[2J", "\u202egnp.exe", "\u0085"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    ("request_type", "body", "path"),
    [
        (Reserve, WISH, ("title",)),
        (Reserve, WISH, ("space",)),
        (Reserve, {**WISH, "source": SOURCE}, ("source", "calendar")),
        (Reserve, {**WISH, "source": SOURCE}, ("source", "uid")),
        (Reserve, {**WISH, "source": SOURCE}, ("source", "recurrence_id")),
        (CancelBooking, ONE, ("reason",)),
        (MoveBooking, {**ONE, "version": 1}, ("title",)),
        (ListBookings, {"hub": HUB}, ("calendar",)),
        (ListBookings, {"hub": HUB}, ("cursor",)),
        (ListSpaces, {"hub": HUB}, ("cursor",)),
        (OpenSpace, {"hub": HUB, "id": "x", "name": "X", "kind": "room"}, ("name",)),
    ],
)
def test_control_characters_are_refused_in_every_text(
    request_type: type[Request[Any]], body: dict[str, Any], path: tuple[str, ...], bad: str
) -> None:
    hostile = json.loads(json.dumps(body))
    inner = hostile
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = bad
    with pytest.raises(ValidationError):
        request_type.model_validate_json(json.dumps(hostile))


@pytest.mark.parametrize("path", ["title", "space", "start"])
def test_half_a_character_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        Reserve.model_validate_json(json.dumps({**WISH, path: "\ud800"}))


@pytest.mark.parametrize(
    "field",
    [
        {"seats": 2001},
        {"seats": 0},
        {"seats": 10**30},
        {"seats": 1.5},
        {"title": "x" * 201},
        {"title": " "},
        {"start": "x" * 41},
        {"colour": "blue"},
    ],
)
def test_what_is_out_of_bounds_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Reserve.model_validate_json(json.dumps({**WISH, **field}))


async def test_words_of_every_language_pass(world: World) -> None:
    await world.space("room")
    title = "Frukost på Ölön — 朝ごはん 👩🏽‍💻 'x'; DROP TABLE booking"
    assert (await world.book("room", title=title)).title == title


async def test_the_largest_area_is_booked_and_measured(world: World) -> None:
    await world.space("hall", SpaceKind.FLEX, seats=2000)
    booking = await world.book("hall", "2027-03-01T09:00", seats=1999)
    assert len(booking.units) == 1999
    await world.listen_to_itself()
    last = await world.book("hall", "2027-03-01T09:00")
    assert not set(last.units) & set(booking.units)
    assert (await world.refusal(world.wish("hall", "2027-03-01T09:00"))).code == "space-taken"


@pytest.mark.parametrize(
    ("start", "end"),
    [("1990-01-01T00:00", "1990-01-02T00:00"), ("2199-12-30T00:00", "2199-12-31T23:59")],
)
async def test_imports_at_the_limits_of_years(world: World, start: str, end: str) -> None:
    await world.space("room", rules=GivenRules(buffer_before_minutes=1440, buffer_after_minutes=1440))
    operator = world.principal("olga", Role.OPERATOR)
    await world.ask(world.wish("room", start, end, source=SOURCE), operator)
    refused = await world.refusal(world.wish("room", start, end, source={**SOURCE, "uid": "other"}), operator)
    assert refused.code == "space-taken"
