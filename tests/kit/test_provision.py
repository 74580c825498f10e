"""Streams, consumers and schemas are made to match what is declared; running it again changes nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
from collections.abc import Callable

import asyncpg
import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig

from shared.contracts.streams import CONSUMERS, STREAMS
from shared.contracts.users import SERVICES
from shared.kit.migrate import migrate
from shared.kit.provision import provision
from tests.kit.consuming import send
from tests.kit.hubs import in_stream, registered
from tests.servers import NatsAccount, with_database


async def test_provisioning_makes_everything_once(nats_account: NatsAccount) -> None:
    admin = await nats_account.connect("admin")
    made = await provision(admin)
    assert len(made) == len(STREAMS) + len(CONSUMERS)
    assert await provision(admin) == []
    await admin.close()


async def test_what_has_drifted_is_put_right_and_no_message_is_lost(bus: Client) -> None:
    js = bus.jetstream()
    await send(bus, registered("ystad"), registered("lund"))
    stream = (await js.stream_info("DIRECTORY")).config
    await js.update_stream(stream.evolve(max_age=3600, subjects=["hubs.*.directory.hub-registered.v1"]))
    consumer = (await js.consumer_info("DIRECTORY", "booking__mirrors_hubs")).config
    await js.add_consumer("DIRECTORY", ConsumerConfig(**{**vars(consumer), "ack_wait": 99, "max_deliver": 3}))
    assert await provision(bus) == [
        "changed stream DIRECTORY: subjects, max_age",
        "changed consumer booking__mirrors_hubs: ack_wait, max_deliver",
    ]
    assert await provision(bus) == []
    assert (await js.stream_info("DIRECTORY")).state.messages == 2
    assert await in_stream(bus) == []  # these carried no id; they are still there


async def test_two_provisioners_at_once_agree(nats_account: NatsAccount) -> None:
    one, two = await nats_account.connect("admin"), await nats_account.connect("admin")
    await asyncio.gather(provision(one), provision(two))
    assert await provision(one) == []
    await one.close()
    await two.close()


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "shared.kit.migrate"])


async def migrated(service: str, url: str) -> None:
    """A process of its own, as in production: alembic keeps what it works on in globals. They load it once, and fork."""
    process = PROCESSES.Process(target=migrate, args=(service, url))
    process.start()
    await asyncio.to_thread(process.join, 30)
    assert process.exitcode == 0


@pytest.mark.parametrize("service", SERVICES)
async def test_migrating_twice_and_by_two_at_once_gives_one_schema(postgres: str, service: str) -> None:
    name = f"migrating_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f'CREATE DATABASE "{name}"')
    url = with_database(postgres, name)
    try:
        asynchronous = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        await asyncio.gather(*(migrated(service, asynchronous) for _ in range(2)))
        await migrated(service, asynchronous)
        made = await asyncpg.connect(url)
        assert await made.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert await made.fetchval("SELECT count(*) FROM outbox") == 0
        await made.close()
    finally:
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()


async def test_a_database_brought_further_by_a_later_release_is_left_as_it_is(
    database: Callable[[str], str],
) -> None:
    """Else whoever goes back a release would be stopped by the migration that goes before it."""
    url = database("directory")
    made = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await made.execute("UPDATE alembic_version SET version_num = '9999'")
        await migrated("directory", url)
        assert await made.fetchval("SELECT version_num FROM alembic_version") == "9999"
    finally:
        await made.close()
