"""Housekeeping: forgets what is past its time, and nothing that anybody still needs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from structlog.testing import capture_logs

from shared.contracts.streams import OCCUPANCY
from shared.kit import housekeeping
from shared.kit.database import Database
from shared.kit.ids import new_id, utc_now
from shared.kit.outbox import Row, write
from shared.kit.timers import Timers
from tests.kit.hubs import changed, scalar, state

_LETTER = text("""
    INSERT INTO dead_letter (id, consumer, subject, headers, body, reason, attempts, failed_at, replayed_at)
    VALUES (gen_random_uuid(), 'c', 's', '{}', '{}', :name, 8, now() - make_interval(days => :failed),
            now() - make_interval(days => CAST(:replayed AS int)))
""")
_WAITS = text("""
    INSERT INTO parked_fact (consumer, subject, version, nats_subject, body, parked_at)
    VALUES ('d', 's', :version, 'n', '{}', now() - make_interval(days => :parked))
""")


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


async def test_what_could_not_be_taken_in_goes_with_the_streams_and_not_in_silence(booking: Database) -> None:
    async with booking.transaction() as session:
        for name, failed, replayed in (
            ("old", 31, None),
            ("fresh", 29, None),
            ("done", 3, 2),
            ("just done", 3, 0),
        ):
            await session.execute(_LETTER, {"name": name, "failed": failed, "replayed": replayed})
        for version, parked in ((2, 31), (3, 29)):
            await session.execute(_WAITS, {"version": version, "parked": parked})
    with capture_logs() as logs:
        assert await tidy(booking) == 3
        assert await tidy(booking) == 0
    assert await scalar(booking, "SELECT array_agg(reason ORDER BY reason) FROM dead_letter") == [
        "fresh",
        "just done",
    ]
    assert await scalar(booking, "SELECT array_agg(version) FROM parked_fact") == [3]
    assert [(one["log_level"], one["consumer"], one.get("letters", one.get("facts"))) for one in logs] == [
        ("error", "c", 1),
        ("error", "d", 1),
    ]


async def test_the_duty_sets_its_own_next_time(booking: Database) -> None:
    await housekeeping.set_up(booking, utc_now)
    await housekeeping.set_up(booking, utc_now)
    later = utc_now() + housekeeping.EVERY * 2
    timers = Timers(booking, housekeeping.duties(lambda: later), lambda: later)
    assert await timers.handle_one()
    assert not await timers.handle_one()
    assert await scalar(booking, "SELECT due_at FROM timer") == later + housekeeping.EVERY
    assert timedelta(0) < housekeeping.EVERY
