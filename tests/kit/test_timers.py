"""Timers: each duty at its time, once, on whichever replica; one that fails is not in the way of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit import timers as timers_module
from shared.kit.database import Database
from shared.kit.ids import utc_now
from shared.kit.timers import Duty, Timers, cancel_timer, set_standing, set_timer
from tests.kit.hubs import NOON, opened, scalar
from tests.waiting import eventually


class Calendar:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def running(timers: Timers) -> AsyncIterator[None]:
    task = asyncio.create_task(timers.run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def handle_all(timers: Timers) -> None:
    while await timers.handle_one():
        pass


async def put(database: Database, kind: str, key: str, due_at: datetime, **more: Any) -> None:
    async with database.transaction() as session:
        await set_timer(session, kind, key, due_at, **more)


async def test_a_year_goes_by_and_every_monday_has_had_its_duty(booking: Database) -> None:
    clock = Calendar()
    done: list[datetime] = []

    async def every_week(session: AsyncSession, key: str, now: datetime) -> None:
        done.append(now)
        await set_timer(session, "weekly", key, now + timedelta(weeks=1))

    timers = Timers(booking, {"weekly": every_week}, clock)
    await put(booking, "weekly", "circle", NOON)
    for _ in range(365):
        await handle_all(timers)
        clock.now += timedelta(days=1)
    assert done == [NOON + timedelta(weeks=week) for week in range(53)]


async def test_two_replicas_handle_each_timer_once(database: Callable[[str], str]) -> None:
    url = database("booking")
    async with opened(url) as one, opened(url) as two:
        async with one.transaction() as session:
            for number in range(100):
                await set_timer(session, "count", str(number), utc_now())

        async def count(session: AsyncSession, key: str, now: datetime) -> None:
            await session.execute(text("INSERT INTO effect (hub) VALUES (:key)"), {"key": key})

        replicas = [Timers(database, {"count": count}, utc_now) for database in (one, two)]
        async with running(replicas[0]), running(replicas[1]):
            await eventually(lambda: scalar(one, "SELECT count(*) = 0 FROM timer"))
        assert await scalar(one, "SELECT count(*) FROM effect") == 100
        assert await scalar(one, "SELECT count(DISTINCT hub) FROM effect") == 100


async def test_a_duty_that_fails_is_tried_again_with_longer_pauses_and_blocks_nobody(
    booking: Database,
) -> None:
    clock = Calendar()
    tried: list[timedelta] = []
    others: list[str] = []

    async def fails(session: AsyncSession, key: str, now: datetime) -> None:
        tried.append(now - NOON)
        # Such an error looks like a database that is away; it is this duty's own all the same.
        raise TimeoutError

    async def works(session: AsyncSession, key: str, now: datetime) -> None:
        others.append(key)

    timers = Timers(booking, {"fails": fails, "works": works}, clock)
    await put(booking, "fails", "a", NOON - timedelta(hours=1))
    await put(booking, "works", "b", NOON)
    await handle_all(timers)
    assert others == ["b"]
    for _ in range(20):
        clock.now += timedelta(seconds=1)
        await handle_all(timers)
    assert tried == [timedelta(seconds=seconds) for seconds in (0, 1, 3, 7, 15)]


async def test_what_a_failing_duty_wrote_is_undone(booking: Database) -> None:
    async def half(session: AsyncSession, key: str, now: datetime) -> None:
        await session.execute(text("INSERT INTO effect (hub) VALUES ('half')"))
        raise ZeroDivisionError

    await put(booking, "half", "a", NOON)
    await handle_all(Timers(booking, {"half": half}, Calendar()))
    assert await scalar(booking, "SELECT count(*) FROM effect") == 0
    assert await scalar(booking, "SELECT attempts FROM timer") == 1


async def test_moved_and_cancelled_timers_fall_due_when_they_are_said_to(booking: Database) -> None:
    clock = Calendar()
    done: list[tuple[str, datetime]] = []

    async def note_it(session: AsyncSession, key: str, now: datetime) -> None:
        done.append((key, now))

    timers = Timers(booking, {"hold": note_it}, clock)
    hour = timedelta(hours=1)
    for key in ("stays", "later", "sooner", "gone"):
        await put(booking, "hold", key, NOON + 2 * hour)
    await put(booking, "hold", "later", NOON + 3 * hour)
    await put(booking, "hold", "sooner", NOON + hour, only_earlier=True)
    await put(booking, "hold", "sooner", NOON + 4 * hour, only_earlier=True)
    async with booking.transaction() as session:
        await cancel_timer(session, "hold", "gone")
        await cancel_timer(session, "hold", "never was")
    for _ in range(5):
        await handle_all(timers)
        clock.now += hour
    assert done == [("sooner", NOON + hour), ("stays", NOON + 2 * hour), ("later", NOON + 3 * hour)]


async def test_a_timer_moved_while_its_duty_fails_keeps_its_new_time(booking: Database) -> None:
    moved = NOON + timedelta(days=1)

    async def fails(session: AsyncSession, key: str, now: datetime) -> None:
        await session.rollback()  # lets go of the row, as a broken connection would
        await put(booking, "hold", key, moved)
        raise ZeroDivisionError

    await put(booking, "hold", "a", NOON)
    await handle_all(Timers(booking, {"hold": fails}, Calendar()))
    assert await scalar(booking, "SELECT due_at FROM timer") == moved


async def test_a_kick_wakes_for_a_timer_that_was_set_just_now(
    booking: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers_module, "LONGEST_SLEEP", timedelta(seconds=30))
    done: list[str] = []

    async def note_it(session: AsyncSession, key: str, now: datetime) -> None:
        done.append(key)

    timers = Timers(booking, {"hold": note_it}, utc_now)
    async with running(timers):
        await put(booking, "hold", "first", utc_now())
        timers.kick()
        await eventually(lambda: done == ["first"], within=2)
        await put(booking, "hold", "second", utc_now() + timedelta(seconds=0.2))
        timers.kick()
        await eventually(lambda: done == ["first", "second"], within=2)


async def test_a_timer_in_another_replicas_hands_is_not_asked_for_without_pause(
    database: Callable[[str], str],
) -> None:
    asked = 0

    class Counting(Database):
        def reading(self) -> Any:
            nonlocal asked
            asked += 1
            return super().reading()

    async def nothing(session: AsyncSession, key: str, now: datetime) -> None:
        return None

    async with opened(database("booking")) as booking:
        await put(booking, "hold", "a", utc_now())
        loop = asyncio.get_running_loop()
        async with booking.transaction() as other_replica:
            await other_replica.execute(text("SELECT 1 FROM timer FOR UPDATE"))
            duties: dict[str, Duty] = {"hold": nothing}
            async with running(Timers(Counting(booking.engine, lambda: None), duties, utc_now)):
                until = loop.time() + 0.5
                await eventually(lambda: loop.time() > until)
        assert asked < 20


async def test_a_standing_duty_is_done_at_every_start_and_then_at_its_own_pace(booking: Database) -> None:
    clock = Calendar()
    done: list[datetime] = []

    async def compare(session: AsyncSession, key: str, now: datetime) -> None:
        done.append(now)
        await set_timer(session, "compare", key, now + timedelta(minutes=15))

    timers = Timers(booking, {"compare": compare}, clock)
    for _ in range(3):  # three replicas start
        await set_standing(booking, ("compare",), clock)
    await handle_all(timers)
    assert done == [NOON]
    clock.now += timedelta(minutes=5)
    await set_standing(booking, ("compare",), clock)  # one more
    await handle_all(timers)
    assert done == [NOON, clock.now]
    clock.now += timedelta(minutes=15)
    await handle_all(timers)
    assert len(done) == 3
