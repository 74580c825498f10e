"""Buffers: after, before, and of two neighbours' the longer; arithmetic and database must agree."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.booking.rules.claims import Claim
from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.booking.requests import ChangeSpace
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, Refused, World


def buffered(before: int = 0, after: int = 0) -> GivenRules:
    return GivenRules(
        buffer_before_minutes=before, buffer_after_minutes=after, days_ahead=400, shortest_minutes=1
    )


async def test_a_buffer_after_keeps_the_next_one_away(world: World) -> None:
    await world.space("room", rules=buffered(after=30))
    await world.book("room", "2027-03-01T10:00")
    assert (await world.refusal(world.wish("room", "2027-03-01T11:29"))).code == "space-taken"
    await world.book("room", "2027-03-01T11:30")
    # The one before keeps its own half hour too.
    assert (
        await world.refusal(world.wish("room", "2027-03-01T08:45", "2027-03-01T09:31"))
    ).code == "space-taken"
    await world.book("room", "2027-03-01T08:45", "2027-03-01T09:30")


async def test_a_buffer_before_keeps_the_one_before_away(world: World) -> None:
    await world.space("room", rules=buffered(before=30))
    await world.book("room", "2027-03-01T12:00")
    assert (
        await world.refusal(world.wish("room", "2027-03-01T10:45", "2027-03-01T11:31"))
    ).code == "space-taken"
    await world.book("room", "2027-03-01T10:45", "2027-03-01T11:30")
    assert (await world.refusal(world.wish("room", "2027-03-01T13:29"))).code == "space-taken"
    await world.book("room", "2027-03-01T13:30")


async def test_of_two_neighbours_buffers_the_longer_counts_not_their_sum(world: World) -> None:
    await world.space("room", rules=buffered(before=20, after=30))
    await world.book("room", "2027-03-01T10:00")
    assert (await world.refusal(world.wish("room", "2027-03-01T11:29"))).code == "space-taken"
    await world.book("room", "2027-03-01T11:30")


@pytest.mark.parametrize("first", ["kitchen", "hall"])
async def test_a_buffer_before_counts_between_a_combined_space_and_its_parts(
    world: World, first: str
) -> None:
    await world.space("hall")
    await world.space("kitchen", rules=buffered(before=60), made_of=["hall"])
    if first == "kitchen":
        await world.book("kitchen", "2027-03-01T12:00")
        assert (await world.refusal(world.wish("hall", "2027-03-01T10:30"))).code == "space-taken"
    else:
        await world.book("hall", "2027-03-01T10:30")
        assert (await world.refusal(world.wish("kitchen", "2027-03-01T12:00"))).code == "space-taken"
    await world.book("hall", "2027-03-01T13:00")


async def test_turning_a_buffer_before_on_counts_for_bookings_made_earlier(world: World) -> None:
    room = await world.space("room")
    await world.space("floor", SpaceKind.EVENT, made_of=["room"])
    await world.book("floor", "2027-03-01T10:00")
    change = ChangeSpace(hub=HUB, space="room", version=room.version, rules=buffered(before=30))
    await world.ask(change, "olga", Role.OPERATOR)
    assert (await world.refusal(world.wish("room", "2027-03-01T11:29"))).code == "space-taken"
    await world.book("room", "2027-03-01T11:30")
    # The floor, too, stands under the second constraint now.
    assert (await world.refusal(world.wish("floor", "2027-03-01T10:45"))).code == "space-taken"


async def test_a_reservation_racing_with_the_turning_on_of_a_buffer_cannot_slip_through(world: World) -> None:
    room = await world.space("room")
    await world.book("room", "2027-03-01T09:00")  # the space is remembered as one without a buffer
    change = ChangeSpace(hub=HUB, space="room", version=room.version, rules=buffered(before=45))
    operator = world.principal("olga", Role.OPERATOR)
    wishes = [
        world.wish("room", f"2027-03-{day:02}T{hour}:00", minutes=60)
        for day in range(2, 8)
        for hour in (10, 11)
    ]
    answers = await asyncio.gather(
        *(world.answer(wish, world.principal("ann")) for wish in wishes[:6]),
        world.answer(change, operator),
        *(world.answer(wish, world.principal("ann")) for wish in wishes[6:]),
    )
    assert not isinstance(answers[6], Refused)
    unguarded = await world.rows("SELECT id FROM booking WHERE kept_from IS NULL AND status = 'confirmed'")
    assert unguarded == []
    with_buffer = await world.rows("SELECT id FROM booking WHERE kept_from < starts_at")
    assert len(await world.facts(BookingConfirmedV1)) >= 6 + 1
    assert len(with_buffer) <= 12


async def test_a_move_racing_with_the_turning_on_of_a_buffer_cannot_slip_through(world: World) -> None:
    """A move used to write what it had read of the space before the flag was turned."""
    from shared.contracts.booking.requests import MoveBooking  # noqa: PLC0415

    room = await world.space("room")
    made = [await world.book("room", f"2027-03-{day:02}T10:00") for day in range(2, 10)]
    moves = [
        MoveBooking(
            hub=HUB, booking=one.id, version=1, start=f"2027-03-{day:02}T12:00", end=f"2027-03-{day:02}T13:00"
        )
        for day, one in enumerate(made, start=2)
    ]
    change = ChangeSpace(hub=HUB, space="room", version=room.version, rules=buffered(before=45))
    answers = await asyncio.gather(
        *(world.answer(move, world.principal("ann")) for move in moves[:4]),
        world.answer(change, world.principal("olga", Role.OPERATOR)),
        *(world.answer(move, world.principal("ann")) for move in moves[4:]),
    )
    assert not any(isinstance(answer, Refused) for answer in answers)
    assert await world.rows("SELECT id FROM booking WHERE kept_from IS NULL") == []


async def test_lowering_a_buffer_leaves_promises_standing(world: World) -> None:
    room = await world.space("room", rules=buffered(before=60))
    await world.book("room", "2027-03-01T12:00")
    change = ChangeSpace(hub=HUB, space="room", version=room.version, rules=buffered())
    await world.ask(change, "olga", Role.OPERATOR)
    assert (await world.refusal(world.wish("room", "2027-03-01T10:30"))).code == "space-taken"
    await world.book("room", "2027-03-01T14:00")
    await world.book("room", "2027-03-01T13:00")


BASE = datetime(2027, 6, 1, tzinfo=UTC)
minutes = st.integers(0, 12).map(lambda n: n * 10)
stretch = st.tuples(minutes, st.integers(1, 6).map(lambda n: n * 10), minutes, minutes)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(first=stretch, second=stretch, guarded=st.booleans())
@example(first=(60, 60, 0, 30), second=(140, 30, 20, 0), guarded=True)
async def test_arithmetic_and_constraints_agree(
    world: World, first: tuple[int, int, int, int], second: tuple[int, int, int, int], *, guarded: bool
) -> None:
    """What `stands_against` says is exactly what the database refuses."""
    (start, length, before, after), (other_start, other_length, other_before, other_after) = first, second
    if not guarded:
        before = other_before = 0
    one = (BASE + timedelta(minutes=start), BASE + timedelta(minutes=start + length))
    two = (BASE + timedelta(minutes=other_start), BASE + timedelta(minutes=other_start + other_length))
    claim = Claim(
        "a", frozenset({1}), *one, one[0] - timedelta(minutes=before), one[1] + timedelta(minutes=after)
    )
    async with world.database.engine.connect() as connection, connection.begin() as attempt:
        for (begins, ends), kept_before, kept_after in (
            (one, before, after),
            (two, other_before, other_after),
        ):
            inserted = await connection.execute(
                text("""
                INSERT INTO booking (id, hub, hub_number, space, units, seats, starts_at, ends_at, kept_from,
                                     kept_until, status, person, booked_by, time_zone, rules_version, created_at)
                VALUES (gen_random_uuid(), 'h', 1, 'a', '{[1,2)}', 1, :begins, :ends, :kept_from, :kept_until, 'confirmed',
                        gen_random_uuid(), gen_random_uuid(), 'UTC', 1, now())
                ON CONFLICT DO NOTHING RETURNING id
                """),
                {
                    "begins": begins,
                    "ends": ends,
                    "kept_from": begins - timedelta(minutes=kept_before) if guarded else None,
                    "kept_until": ends + timedelta(minutes=kept_after),
                },
            )
            refused = inserted.first() is None
        await attempt.rollback()
    stands = claim.stands_against(two, timedelta(minutes=other_before), timedelta(minutes=other_after))
    assert stands == refused
