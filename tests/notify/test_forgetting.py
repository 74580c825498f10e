"""Housekeeping: what is long over is forgotten with what was told of it, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from services.notify.commands import forgetting
from services.notify.commands.forgetting import DELIVERIES_KEPT, MESSAGES_KEPT, THINGS_KEPT
from services.notify.duties import duties
from services.notify.duties.housekeeping import FORGET
from shared.contracts.notify.words import Channel
from shared.kit.timers import Timers, set_standing
from tests.notify.world import TUESDAY, World

SECOND = timedelta(seconds=1)


async def _housekeeping(world: World) -> None:
    """Until there is nothing more to forget for now."""
    await set_standing(world.database, (FORGET,), world.clock)
    timers = Timers(world.database, duties(), world.clock)
    while await timers.handle_one():
        [row] = await world.rows("SELECT due_at FROM timer WHERE kind = :kind", kind=FORGET)
        if row.due_at - world.now > SECOND:
            return
        world.now = row.due_at


async def _count(world: World, table: str) -> int:
    [row] = await world.rows(f"SELECT count(*) AS rows FROM {table}")
    return int(row.rows)


async def test_bookings_and_events_are_forgotten_with_what_was_told_of_them(world: World) -> None:
    await world.member("ann")
    event = world.event()
    later = world.event(start=TUESDAY + timedelta(days=1))
    bookings = [world.booked(), world.booked(start=TUESDAY + timedelta(days=1))]
    await world.hear(event, later, *bookings)
    await world.hear(world.sign_up(event=event.subject), world.sign_up(event=later.subject))
    world.now = TUESDAY - timedelta(hours=1)
    await world.tell()
    world.now = event.end + THINGS_KEPT
    await _housekeeping(world)
    assert [await _count(world, table) for table in ("booking", "event", "sign_up")] == [1, 2, 2]
    world.now = event.end + THINGS_KEPT + SECOND
    await _housekeeping(world)
    await _housekeeping(world)
    assert [await _count(world, table) for table in ("booking", "event", "sign_up")] == [1, 1, 1]
    things = {row.thing for row in await world.rows("SELECT thing FROM told")}
    assert UUID(bookings[0].subject) not in things
    assert UUID(event.subject) not in things
    assert {UUID(bookings[1].subject), UUID(later.subject)} <= things


async def test_messages_have_their_time_and_what_tells_of_a_stopped_address_stays(world: World) -> None:
    async with world.database.transaction() as session:
        for age, sent in (
            (MESSAGES_KEPT + SECOND, True),
            (MESSAGES_KEPT - SECOND, True),
            (MESSAGES_KEPT * 2, False),
        ):
            await session.execute(text(_MESSAGE), _message(world, world.now - age, sent=sent))
        stopped = _message(world, world.now - MESSAGES_KEPT * 2, sent=True) | {"hash": b"a"}
        await session.execute(text(_MESSAGE), stopped)
        await session.execute(
            text("INSERT INTO stopped_address VALUES (:hash, 'bounced', :at)"),
            {"hash": b"a", "at": world.now},
        )
    await _housekeeping(world)
    kept = await world.rows("SELECT sent_at, address_hash FROM message")
    assert sorted(
        (row.sent_at is not None, row.address_hash) for row in kept if row.address_hash is None
    ) == [
        (False, None),
        (True, None),
    ]
    assert [row.address_hash for row in kept if row.address_hash is not None] == [b"a"]


async def test_deliveries_have_their_time_unless_they_wait(world: World) -> None:
    async with world.database.transaction() as session:
        hook = {"id": world.ids(), "by": world.person("olga"), "now": world.now}
        await session.execute(text(_WEBHOOK), hook)
        for age, state in (
            (DELIVERIES_KEPT + SECOND, "failed"),
            (DELIVERIES_KEPT * 2, "waiting"),
            (SECOND, "delivered"),
        ):
            at = world.now - age
            due = at if state == "waiting" else None
            ids = {"id": world.ids(), "hook": hook["id"], "fact": world.ids()}
            await session.execute(text(_DELIVERY), ids | {"state": state, "at": at, "due": due})
    await _housekeeping(world)
    rows = await world.rows("SELECT state FROM delivery ORDER BY state")
    assert [row.state for row in rows] == ["delivered", "waiting"]


async def test_a_lot_is_forgotten_in_chunks(world: World) -> None:
    async with world.database.transaction() as session:
        rows = [_message(world, world.now - MESSAGES_KEPT * 2, sent=True) for _ in range(2500)]
        await session.execute(text(_MESSAGE), rows)
    async with world.database.transaction() as session:
        assert await forgetting.forget(session, now=world.now)
    assert await _count(world, "message") == 2500 - forgetting.AT_ONCE
    await _housekeeping(world)
    assert await _count(world, "message") == 0


def _message(world: World, at: datetime, *, sent: bool) -> dict[str, object]:
    return {
        "id": world.ids(),
        "person": world.person("ann"),
        "channel": Channel.EMAIL,
        "at": at,
        "sent": at if sent else None,
        "hash": None,
    }


_MESSAGE = """
    INSERT INTO message (id, person, hub, channel, kinds, items, created_at, sent_at, address_hash)
    VALUES (:id, :person, 'nordviken', :channel, '{booking}', '[]', :at, CAST(:sent AS timestamptz), :hash)
"""
_WEBHOOK = """
    INSERT INTO webhook (id, hub, url, state, created_by, created_at)
    VALUES (:id, 'nordviken', 'https://example.org', 'active', :by, :now)
"""
_DELIVERY = """
    INSERT INTO delivery (id, webhook, hub, fact, type, body, state, created_at, since, due_at)
    VALUES (:id, :hook, 'nordviken', :fact, 'foci.notify.test.v1', '{}', :state, :at, :at, CAST(:due AS timestamptz))
"""
