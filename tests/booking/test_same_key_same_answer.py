"""Idempotency keys: through reserving, refusals, twins at the same moment, and any seat."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.booking.requests import CancelBooking, ChangeSpace, Reserve
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from shared.kit.idempotency import Answer
from tests.booking.world import HUB, Refused, World, make_world
from tests.connections import Connections


@pytest_asyncio.fixture
async def world(connections: Connections, booking_database: str, empty: World) -> World:
    """A world whose time is now: keys are remembered by the database's own clock."""
    made = await make_world(connections, booking_database, now=datetime.now(UTC))
    await made.hub()
    return made


def tomorrow(world: World, space: str, hour: int = 10, **more: Any) -> Reserve:
    day = (world.now + timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return world.wish(space, day, **more)


async def test_the_same_key_gets_the_same_answer(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=20)
    by = world.principal("ann")
    first = await world.answer(tomorrow(world, "flex"), by, key="k1")
    assert isinstance(first, Answer)
    assert first.status == 201
    for _ in range(3):  # any seat would do for a repeat, and must not be taken
        assert await world.answer(tomorrow(world, "flex"), by, key="k1") == first
    assert len(await world.facts(BookingConfirmedV1)) == 1
    other = await world.answer(tomorrow(world, "flex"), world.principal("ben"), key="k1")
    assert isinstance(other, Answer)
    assert other != first


async def test_twins_at_the_same_moment_are_one(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=20)
    await world.space("room")
    by = world.principal("ann")
    for space in ("flex", "room"):
        twins = await asyncio.gather(
            *(world.answer(tomorrow(world, space, hold=True), by, key=space) for _ in range(12))
        )
        assert len({one.body if isinstance(one, Answer) else one.code for one in twins}) == 1
        assert isinstance(twins[0], Answer)
    assert len(await world.rows("SELECT id FROM booking")) == 2


async def test_who_repeats_a_key_does_not_undo_those_who_book_in_the_same_statement(world: World) -> None:
    world.reservations.attempts.at_once = 1
    await world.space("flex", SpaceKind.FLEX, seats=40)
    ann = world.principal("ann")
    first = await world.answer(tomorrow(world, "flex"), ann, key="mine")
    answers = await asyncio.gather(
        *(world.answer(tomorrow(world, "flex"), world.principal(f"p{n}"), key="k") for n in range(6)),
        *(world.answer(tomorrow(world, "flex"), ann, key="mine") for _ in range(3)),
        *(world.answer(tomorrow(world, "flex"), world.principal(f"q{n}"), key="k") for n in range(6)),
    )
    assert answers[6:9] == [first] * 3
    bodies = {one.body for one in answers if isinstance(one, Answer)}
    assert len(bodies) == 13
    assert len(await world.rows("SELECT id FROM booking")) == 13


async def test_a_refusal_is_remembered_too(world: World) -> None:
    await world.space("room")
    taken = await world.ask(tomorrow(world, "room"), "ben")
    first = await world.answer(tomorrow(world, "room"), world.principal("ann"), key="k")
    assert isinstance(first, Refused)
    assert first.code == "space-taken"
    await world.ask(CancelBooking(hub=HUB, booking=taken.id), "ben")
    again = await world.answer(tomorrow(world, "room"), world.principal("ann"), key="k")
    assert isinstance(again, Refused)
    assert again.problem == first.problem
    await world.ask(tomorrow(world, "room"), "ann", key="another")


async def test_refused_twins_hear_the_same(world: World) -> None:
    await world.space("room")
    await world.ask(tomorrow(world, "room"), "ben")
    twins = await asyncio.gather(
        *(world.answer(tomorrow(world, "room"), world.principal("ann"), key="k") for _ in range(8))
    )
    problems = [one.problem for one in twins if isinstance(one, Refused)]
    assert len(problems) == 8
    assert all(one == problems[0] for one in problems)


async def test_a_success_is_repeated_although_the_rules_would_refuse_it_now(world: World) -> None:
    space = await world.space("room")
    first = await world.answer(tomorrow(world, "room"), world.principal("ann"), key="k")
    shut = ChangeSpace(hub=HUB, space="room", version=space.version, active=False)
    await world.ask(shut, "olga", Role.OPERATOR)
    assert await world.answer(tomorrow(world, "room"), world.principal("ann"), key="k") == first


async def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    await world.space("room")
    await world.ask(tomorrow(world, "room"), "ann", key="k")
    for other in (
        tomorrow(world, "room", 14),
        tomorrow(world, "room", title="x"),
        tomorrow(world, "nowhere"),
    ):
        refused = await world.refusal(other, "ann", key="k")
        assert (refused.status, refused.code) == (422, "idempotency-key-reused")


async def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=20)
    day_after = world.wish("flex", (world.now + timedelta(days=3)).replace(microsecond=0))
    first = await world.ask(day_after, "ann", key="k")
    world.now += timedelta(hours=24, minutes=1)
    assert (await world.ask(day_after, "ann", key="k")).id != first.id


@pytest.mark.parametrize("key", ["", "x" * 256, "new\nline"])
async def test_what_is_no_key_is_refused(world: World, key: str) -> None:
    await world.space("room")
    with pytest.raises(Exception, match="idempotency key"):
        await world.answer(tomorrow(world, "room"), world.principal("ann"), key=key)


async def test_other_orders_keep_their_answers_too(world: World) -> None:
    await world.space("room")
    booking = await world.ask(tomorrow(world, "room"), "ann")
    cancel = CancelBooking(hub=HUB, booking=booking.id)
    answers = await asyncio.gather(*(world.answer(cancel, world.principal("ann"), key="c") for _ in range(5)))
    assert len({one.body for one in answers if isinstance(one, Answer)}) == 1
