"""Imported bookings: free of the rules, never of clashes, and each entry once."""

from __future__ import annotations

import asyncio
from typing import Any

from shared.contracts.booking.requests import CancelBooking, ListBookings
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, Refused, World

NEVER_OPEN = GivenRules.model_validate({"opening_hours": {}, "longest_minutes": 60, "days_ahead": 1})


def entry(uid: str, recurrence_id: str = "") -> dict[str, Any]:
    return {"source": {"calendar": "town", "uid": uid, "recurrence_id": recurrence_id}}


async def test_an_import_may_lie_in_the_past_and_outside_opening_hours_but_still_clashes(
    world: World,
) -> None:
    await world.space("room", rules=NEVER_OPEN)
    operator = world.principal("olga", Role.OPERATOR)
    for start, uid in (("2019-05-01T03:00", "a"), ("2027-03-01T10:00", "b"), ("2031-05-01T03:00", "c")):
        made = await world.ask(world.wish("room", start, minutes=600, **entry(uid)), operator)
        assert made.source is not None
        assert made.source.uid == uid
        refused = await world.refusal(world.wish("room", start, **entry(f"{uid}2")), operator)
        assert refused.code == "space-taken"
        assert refused.problem["in_the_way"][0]["start"] == made.start.isoformat()


async def test_an_entry_is_booked_once_until_it_is_cancelled(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=5)
    operator = world.principal("olga", Role.OPERATOR)
    first = await world.ask(world.wish("flex", **entry("a")), operator)
    again = await world.refusal(world.wish("flex", "2027-03-02T10:00", **entry("a")), operator)
    assert (again.status, again.code, again.problem["booking"]) == (409, "already-imported", str(first.id))
    await world.ask(world.wish("flex", **entry("a", "20270308T100000")), operator)
    await world.ask(CancelBooking(hub=HUB, booking=first.id), operator)
    await world.ask(world.wish("flex", **entry("a")), operator)
    of_calendar = await world.ask(ListBookings(hub=HUB, calendar="town"), operator)
    assert len(of_calendar.items) == 3
    assert (await world.ask(ListBookings(hub=HUB, calendar="other"), operator)).items == ()


async def test_two_imports_at_once_book_an_entry_once(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=20)
    operator = world.principal("olga", Role.OPERATOR)
    answers = await asyncio.gather(
        *(world.answer(world.wish("flex", **entry("a")), operator) for _ in range(8))
    )
    losers = [one for one in answers if isinstance(one, Refused)]
    assert [one.code for one in losers] == ["already-imported"] * 7


async def test_other_hubs_have_entries_of_their_own(world: World) -> None:
    await world.hub("sydviken")
    for hub in (HUB, "sydviken"):
        await world.space("room", hub=hub)
        await world.ask(
            world.wish("room", hub=hub, **entry("a")), world.principal("olga", Role.OPERATOR, hub)
        )
