"""Consumers with nothing to do: they hardly ask, are told at once, leave at once, and ask anew on a new connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.directory.facts import HubRegisteredV1
from shared.kit import bus as bus_module
from shared.kit import pulling
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.kit.consuming import DURABLE, consuming, is_idle, send
from tests.kit.hubs import registered
from tests.servers import NatsAccount
from tests.waiting import eventually

LONG = 60.0
"""Seconds an idle fetch waits here: whoever waits for its end is found out."""
AT_ONCE = 5.0
SELDOM = 12
"""Messages to the server in two seconds of an idle consumer; a second look at a batch's time, ten times a second, sent forty."""


@pytest.fixture(params=["one by one", "in batches"])
def idle(request: pytest.FixtureRequest, booking: Database) -> Consumer:
    async def nothing(_session: AsyncSession, _fact: object) -> None: ...

    if request.param == "in batches":
        return BatchConsumer(DURABLE, booking, (HubRegisteredV1,), nothing, ids=new_id)
    return Consumer(DURABLE, booking, {HubRegisteredV1: nothing}, ids=new_id, in_order=False)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bus_module, pulling):
        monkeypatch.setattr(module, "IDLE_FETCH", LONG)


async def asks(bus: Client) -> bool:
    """Whether a fetch waits at the server."""
    info = await bus.jetstream().consumer_info("DIRECTORY", DURABLE)
    return bool(info.num_waiting)


@asynccontextmanager
async def by_way_of(account: NatsAccount) -> AsyncIterator[tuple[NatsAccount, list[asyncio.StreamWriter]]]:
    """The account behind a door of its own, and what to close to cut the connections through it."""
    server, writers = urlsplit(account.url), list[asyncio.StreamWriter]()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(65536):
            writer.write(some)
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(server.hostname, server.port)
        writers.extend((writer, to_there))
        await asyncio.gather(carry(reader, to_there), carry(there, writer), return_exceptions=True)

    door = await asyncio.start_server(pass_on, "127.0.0.1")
    try:
        yield replace(account, url=f"nats://127.0.0.1:{door.sockets[0].getsockname()[1]}"), writers
    finally:
        door.close()
        for writer in writers:
            writer.close()


@pytest.mark.usefixtures("patient")
async def test_who_waits_for_facts_takes_one_in_at_once_and_leaves_at_once(
    idle: Consumer, bus: Client, nats_account: NatsAccount
) -> None:
    async with asyncio.timeout(2 * AT_ONCE), consuming(nats_account, idle):
        await eventually(lambda: asks(bus))
        await send(bus, registered("ystad"))
        await eventually(lambda: is_idle(bus, DURABLE), within=AT_ONCE)


@pytest.mark.usefixtures("patient")
async def test_on_a_new_connection_they_ask_anew(
    idle: Consumer, bus: Client, nats_account: NatsAccount
) -> None:
    async with by_way_of(nats_account) as (account, writers), consuming(account, idle) as broker:
        await eventually(lambda: asks(bus))
        for writer in writers:
            writer.close()
        await eventually(lambda: broker.connection.stats["reconnects"])
        await eventually(lambda: broker.connection.is_connected)
        await send(bus, registered("ystad"))
        await eventually(lambda: is_idle(bus, DURABLE), within=AT_ONCE)


async def test_who_has_nothing_to_do_hardly_asks(
    idle: Consumer, bus: Client, nats_account: NatsAccount
) -> None:
    async with consuming(nats_account, idle) as broker:
        await eventually(lambda: asks(bus))
        loop, before = asyncio.get_running_loop(), broker.connection.stats["out_msgs"]
        until = loop.time() + 2.0
        await eventually(lambda: loop.time() > until)
        assert broker.connection.stats["out_msgs"] - before < SELDOM
