"""Reservations made at the same moment are one statement, and yet each is answered for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.booking.commands.attempts import BATCH
from services.booking.rules.claims import to_multirange
from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.booking.requests import BookingView, CancelBooking, ChangeSpace
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.words import Role
from shared.kit.idempotency import Answer
from tests.booking.world import HUB, Refused, World
from tests.waiting import eventually


@pytest_asyncio.fixture
async def one_at_a_time(world: World) -> World:
    """A replica that sends one statement at a time, so that whoever comes meanwhile is in the next one."""
    world.reservations.attempts.at_once = 1
    for number in range(12):
        await world.space(f"room-{number}")
        await world.book(
            f"room-{number}", "2027-03-20T10:00"
        )  # whose rules the replica remembers from now on
    return world


def views(answers: Iterable[Answer | Refused]) -> list[BookingView]:
    return [BookingView.model_validate_json(one.body) for one in answers if isinstance(one, Answer)]


async def transactions(world: World, booked: Iterable[BookingView]) -> int:
    """By how many transactions these were stated."""
    rows = await world.rows("SELECT xid::text AS xid, body::jsonb->>'subject' AS subject FROM outbox")
    ids = {str(one.id) for one in booked}
    return len({row.xid for row in rows if row.subject in ids})


async def test_many_at_once_are_one_transaction_and_all_are_booked(one_at_a_time: World) -> None:
    world = one_at_a_time
    wishes = [world.wish(f"room-{number}", title=f"Talk {number}") for number in range(12)]
    answers = await asyncio.gather(
        *(world.answer(wish, world.principal(f"p{n}"), key=f"k{n}") for n, wish in enumerate(wishes))
    )
    booked = views(answers)
    assert [one.space for one in booked] == [wish.space for wish in wishes]
    assert [one.title for one in booked] == [wish.title for wish in wishes]
    stated = [UUID(fact.subject) for fact in await world.facts(BookingConfirmedV1)]
    assert set(stated[12:]) == {one.id for one in booked}
    kept = await world.rows("SELECT answer FROM idempotency_key WHERE operation = 'reserve'")
    assert {row.answer for row in kept} == {one.body for one in answers if isinstance(one, Answer)}
    assert await transactions(world, views(answers)) == 1


async def test_rivals_in_one_statement_are_told_apart(one_at_a_time: World) -> None:
    world = one_at_a_time
    answers = await asyncio.gather(
        *(world.answer(world.wish(f"room-{n % 3}"), world.principal(f"p{n}"), key="k") for n in range(30))
    )
    assert sorted(one.space for one in views(answers)) == ["room-0", "room-1", "room-2"]
    assert {one.code for one in answers if isinstance(one, Refused)} == {"space-taken"}
    assert len(await world.rows("SELECT id FROM booking")) == 12 + 3


async def test_only_holds_get_a_timer_and_only_keys_are_kept(one_at_a_time: World) -> None:
    world = one_at_a_time
    answers = await asyncio.gather(
        *(
            world.answer(
                world.wish(f"room-{n}", hold=n % 2 == 0),
                world.principal("ann"),
                key=f"k{n}" if n % 3 == 0 else None,
            )
            for n in range(12)
        )
    )
    held = {one.id for one in views(answers) if one.status is BookingStatus.HELD}
    assert len(held) == 6
    timers = await world.rows("SELECT key, due_at FROM timer WHERE kind = 'hold-expires'")
    due = {one.id: one.expires_at for one in views(answers) if one.expires_at}
    assert {UUID(row.key): row.due_at for row in timers} == due
    kept = await world.rows("SELECT key FROM idempotency_key WHERE operation = 'reserve'")
    assert {row.key for row in kept} == {"k0", "k3", "k6", "k9"}
    assert await transactions(world, views(answers)) == 1


async def test_a_calendar_entry_that_is_booked_already_does_not_undo_the_others(one_at_a_time: World) -> None:
    world = one_at_a_time
    source = {"calendar": "https://ex.org/a.ics", "uid": "a@ex.org", "recurrence_id": ""}
    olga = world.principal("olga", Role.OPERATOR)
    await world.ask(world.wish("room-11", source=source), olga)
    answers = await asyncio.gather(
        world.answer(world.wish("room-0", source=source), olga),
        *(world.answer(world.wish(f"room-{n}"), world.principal("ann")) for n in range(1, 11)),
    )
    assert isinstance(answers[0], Refused)
    assert answers[0].code == "already-imported"
    assert len(views(answers)) == 10


async def test_a_space_that_has_changed_is_looked_at_again_and_the_others_are_booked(
    one_at_a_time: World,
) -> None:
    world = one_at_a_time
    ann = world.principal("ann")
    for number in (0, 1):
        change = ChangeSpace(hub=HUB, space=f"room-{number}", version=1, active=number == 0, name="Renamed")
        await world.ask(change, "olga", Role.OPERATOR)
    answers = await asyncio.gather(
        *(world.answer(world.wish(f"room-{n}", "2027-03-02T10:00"), ann) for n in range(3))
    )
    assert [one.space for one in views(answers)] == ["room-0", "room-2"]
    assert isinstance(answers[1], Refused)
    assert answers[1].code == "not-found"


async def test_a_place_somebody_is_just_taking_holds_up_nobody_else(one_at_a_time: World) -> None:
    world = one_at_a_time
    taken = await world.book("room-0")
    await world.ask(CancelBooking(hub=HUB, booking=taken.id), "ann")
    async with world.database.engine.connect() as somebody:
        # They have the room, and have not committed yet.
        again = text("UPDATE booking SET status = 'confirmed' WHERE id = :id")
        await somebody.execute(again, {"id": taken.id})
        mine = asyncio.create_task(world.answer(world.wish("room-0"), world.principal("ben"), key="k"))
        others = [
            asyncio.create_task(world.answer(world.wish(f"room-{n}"), world.principal("ann")))
            for n in range(1, 8)
        ]
        assert len(views(await asyncio.wait_for(asyncio.gather(*others), timeout=10))) == 7
        assert not mine.done()
        await somebody.rollback()
    (booked,) = views([await mine])
    assert booked.space == "room-0"


async def test_who_comes_in_the_moment_the_last_statement_ended_does_not_wait_for_another(
    one_at_a_time: World,
) -> None:
    world = one_at_a_time

    async def one_after_the_other() -> None:
        for number in range(4):  # nothing is awaited between an answer and the next attempt
            await world.book(f"room-{number}")

    await asyncio.wait_for(one_after_the_other(), timeout=10)


async def test_who_has_gone_is_not_booked(one_at_a_time: World) -> None:
    world = one_at_a_time
    attempts = world.reservations.attempts
    async with world.database.engine.connect() as somebody:
        await somebody.execute(text("LOCK booking IN ACCESS EXCLUSIVE MODE"))
        asked = [
            asyncio.create_task(world.answer(world.wish(f"room-{n}"), world.principal("ann")))
            for n in range(5)
        ]
        await eventually(lambda: len(attempts._waiting) == 0 and attempts._under_way)
        late = [
            asyncio.create_task(world.answer(world.wish(f"room-{n}"), world.principal("ann")))
            for n in range(5, 9)
        ]
        await eventually(lambda: len(attempts._waiting) == 4)
        for task in late[:2]:
            task.cancel()
        await somebody.rollback()
    assert len(views(await asyncio.gather(*asked, *late[2:]))) == 7
    assert len(await world.rows("SELECT id FROM booking")) == 12 + 7


async def test_the_statement_for_many_finds_spaces_and_rivals_by_index(one_at_a_time: World) -> None:
    async with one_at_a_time.reservations.attempts.pool.acquire() as connection:
        statement = await connection.prepare(BATCH)
        found = str(await statement.explain(*([[]] * len(statement.get_parameters()))))
    assert "space_place" in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize("number", [1, 2, 50, 51, 120])
async def test_any_number_at_once_is_answered(world: World, number: int) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=number)
    units = "SELECT units::text AS units FROM booking"
    answers = await asyncio.gather(
        *(world.answer(world.wish("flex"), world.principal(f"p{n}"), key="k") for n in range(number))
    )
    booked = views(answers)
    assert sorted(unit for one in booked for unit in one.units) == list(range(1, number + 1))
    assert {row.units for row in await world.rows(units)} == {to_multirange(one.units) for one in booked}
