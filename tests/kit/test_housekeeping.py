"""Housekeeping: forgets what is past its time, and nothing that anybody still needs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from shared.contracts.streams import OCCUPANCY
from shared.kit import housekeeping
from shared.kit.database import Database
from shared.kit.ids import new_id, utc_now
from shared.kit.outbox import Row, write
from shared.kit.timers import Timers
from tests.kit.hubs import changed, scalar, state


async def tidy(database: Database) -> int:
    async with database.transaction() as session:
        return await housekeeping.tidy(session, utc_now())


async def relayed_up_to(database: Database, row: int) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("""
                INSERT INTO relay_cursor (stream, xid, id) SELECT stream, xid, id FROM outbox WHERE id = :row
                ON CONFLICT (stream) DO UPDATE SET xid = excluded.xid, id = excluded.id
            """),
            {"row": row},
        )


async def age(database: Database, table: str, column: str, days: int) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"UPDATE {table} SET {column} = {column} - make_interval(days => {days})"))


async def test_only_what_is_both_old_and_relayed_leaves_the_outbox(directory: Database) -> None:
    for version in (1, 2, 3):
        await state(directory, changed("ystad", version))
    await age(directory, "outbox", "stated_at", 31)
    assert await tidy(directory) == 0
    await relayed_up_to(directory, 2)
    assert await tidy(directory) == 2
    await state(directory, changed("ystad", 4))
    await relayed_up_to(directory, 4)
    assert await tidy(directory) == 1
    assert await scalar(directory, "SELECT array_agg(id) FROM outbox") == [4]


async def test_a_stream_of_what_is_keeps_the_last_row_of_each_subject(booking: Database) -> None:
    async with booking.transaction() as session:
        for number in range(6):
            await write(
                session, Row(OCCUPANCY, new_id(), f"occupancy.ystad.room-{number % 2}.v1", "{}", f"{number}")
            )
    await relayed_up_to(booking, 6)
    assert await tidy(booking) == 0
    await age(booking, "outbox", "stated_at", 1)
    assert await tidy(booking) == 4
    assert await scalar(booking, "SELECT array_agg(body ORDER BY id) FROM outbox") == ["4", "5"]


async def test_heard_facts_are_remembered_longer_than_any_stream_keeps_them(booking: Database) -> None:
    async with booking.transaction() as session:
        await session.execute(text("INSERT INTO inbox (consumer, fact_id) VALUES ('c', gen_random_uuid())"))
    await age(booking, "inbox", "seen_at", 59)
    assert await tidy(booking) == 0
    await age(booking, "inbox", "seen_at", 2)
    assert await tidy(booking) == 1


async def test_the_duty_sets_its_own_next_time(booking: Database) -> None:
    await housekeeping.set_up(booking, utc_now)
    await housekeeping.set_up(booking, utc_now)
    later = utc_now() + housekeeping.EVERY * 2
    timers = Timers(booking, housekeeping.duties(lambda: later), lambda: later)
    assert await timers.handle_one()
    assert not await timers.handle_one()
    assert await scalar(booking, "SELECT due_at FROM timer") == later + housekeeping.EVERY
    assert timedelta(0) < housekeeping.EVERY
