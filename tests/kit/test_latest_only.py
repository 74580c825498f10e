"""A stream that keeps one message per subject ends with what is true, in whatever order transactions got their numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.streams import OCCUPANCY
from shared.kit.database import Database
from shared.kit.housekeeping import LATEST_ONLY_LIFETIME, tidy
from shared.kit.ids import new_id
from shared.kit.outbox import Row, write
from tests.kit.hubs import relaying, scalar
from tests.servers import NatsAccount
from tests.waiting import eventually


@pytest_asyncio.fixture
async def as_booking(nats_account: NatsAccount, bus: Client) -> AsyncIterator[Client]:
    """Connected with the rights booking has in production."""
    nc = await nats_account.connect("booking")
    yield nc
    await nc.close()


async def say(session: AsyncSession, space: str, what: str) -> None:
    """State what a space is like now."""
    await write(session, Row(OCCUPANCY, new_id(), f"occupancy.ystad.{space}.v1", "{}", what))


async def latest(nc: Client, space: str) -> str:
    """What the stream says of a space."""
    message = await nc.jetstream().get_last_msg(OCCUPANCY, f"occupancy.ystad.{space}.v1")
    return (message.data or b"").decode()


async def carried(booking: Database, bus: Client, nc: Client) -> None:
    """A relay has been at work until it had carried everything."""
    async with booking.transaction() as session:
        await say(session, "last", "the end")

    async def is_there() -> bool:
        try:
            return await latest(bus, "last") == "the end"
        except NotFoundError:
            return False

    async with relaying(booking, nc, "booking"):
        await eventually(is_there)


async def state_in_turn(booking: Database) -> None:
    """Somebody who has a number already waits for another, and speaks after it."""
    async with booking.transaction() as patient:
        await patient.execute(text("SELECT pg_current_xact_id()"))
        async with booking.transaction() as quick:
            await say(quick, "all", "first")
            await say(quick, "room", "first")
        await say(patient, "all", "second")
    order = "SELECT string_agg(body, ' ' ORDER BY xid, id) FROM outbox WHERE subject LIKE '%all%'"
    assert await scalar(booking, order) == "second first", "the case this is about"


async def test_an_older_message_never_replaces_a_newer_one(
    booking: Database, bus: Client, as_booking: Client
) -> None:
    await state_in_turn(booking)
    await carried(booking, bus, as_booking)
    assert await latest(bus, "all") == "second"
    assert await latest(bus, "room") == "first"


async def test_a_stream_filled_again_ends_with_the_same(
    booking: Database, bus: Client, as_booking: Client
) -> None:
    await state_in_turn(booking)
    await carried(booking, bus, as_booking)
    await bus.jetstream().purge_stream(OCCUPANCY)
    await carried(booking, bus, as_booking)
    assert await latest(bus, "all") == "second"
    assert await latest(bus, "room") == "first"


async def test_what_is_forgotten_is_the_older_one(booking: Database, bus: Client, as_booking: Client) -> None:
    await state_in_turn(booking)
    await carried(booking, bus, as_booking)
    at = "SELECT count(*) FROM relay_cursor c, outbox o WHERE (c.xid, c.id) >= (o.xid, o.id)"
    async with relaying(booking, as_booking, "booking"):
        await eventually(lambda: all_of(booking, at, 4))
    async with booking.transaction() as session:
        assert await tidy(session, datetime.now(UTC) + LATEST_ONLY_LIFETIME + timedelta(minutes=1)) == 1
    kept = "SELECT string_agg(body, ' ' ORDER BY subject) FROM outbox WHERE body <> 'the end'"
    assert await scalar(booking, kept) == "second first"


async def all_of(booking: Database, statement: str, expected: int) -> bool:
    return bool(await scalar(booking, statement) == expected)
