"""Consumers at work, as the user they are in production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import SecretStr
from sqlalchemy import text

from shared.contracts.base import Fact
from shared.contracts.streams import consumer as declared_consumer
from shared.kit.bus import Consumer, make_broker
from shared.kit.database import Database
from shared.kit.pulling import leave
from shared.kit.settings import ProcessSettings
from tests.servers import NatsAccount

DURABLE = "booking__mirrors_hubs"


def settings_of(account: NatsAccount, user: str) -> ProcessSettings:
    """How the user connects."""
    seed = account.seeds.get(user)
    return ProcessSettings(nats_url=account.url, nats_seed=SecretStr(seed) if seed else None)


@asynccontextmanager
async def consuming(account: NatsAccount, *consumers: Consumer, user: str = "booking") -> AsyncIterator[Any]:
    """The consumers bound and working until the block ends."""
    broker = make_broker(settings_of(account, user), user)
    for consumer in consumers:
        consumer.subscribe(broker, user)
    await broker.start()
    try:
        yield broker
    finally:
        await leave(broker)


async def send(nc: Client, *facts: Fact, times: int = 1) -> None:
    """Put facts into their stream as a relay would; with `times` each more than once, past the server's eyes."""
    js = nc.jetstream()
    for _ in range(times):
        for fact in facts:
            await js.publish(fact.subject_for(fact.hub), fact.model_dump_json().encode())


async def is_idle(nc: Client, durable: str) -> bool:
    """Nothing waits and nothing is in hand: every message has been acknowledged or given up."""
    info = await nc.jetstream().consumer_info(declared_consumer(durable).stream, durable)
    assert (info.num_pending, info.num_ack_pending) == (0, 0)
    return True


class Outage:
    """A database that refuses everybody, as when its server restarts."""

    def __init__(self, postgres: str, url: str) -> None:
        self.postgres = postgres
        self.name = url.rpartition("/")[2]

    async def begin(self) -> None:
        await self._say(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
        await self._say(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        )

    async def end(self) -> None:
        await self._say(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')

    async def _say(self, statement: str) -> None:
        admin = await asyncpg.connect(self.postgres)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()


async def settled(nc: Client) -> None:
    """The server knows this connection's subscriptions. The library's ping overtakes what it has still to send."""
    await nc.flush()
    await nc.flush()


async def dead(database: Database) -> list[Any]:
    """The dead letters, as rows."""
    async with database.reading() as session:
        return list((await session.execute(text("SELECT * FROM dead_letter ORDER BY id"))).mappings())


def message_of(fact: Fact, attempt: int = 1) -> Any:
    """A JetStream message that nobody redelivers, for what does not need the server."""
    return Unconnected(fact, attempt)


class Unconnected(Msg):
    """Notes what is said to the server."""

    def __init__(self, fact: Fact, attempt: int) -> None:
        reply = f"$JS.ACK.DIRECTORY.{DURABLE}.{attempt}.1.1.1700000000000000000.0"
        super().__init__(None, fact.subject_for(fact.hub), reply, fact.model_dump_json().encode())  # type: ignore[arg-type]
        self.said: list[str] = []

    async def ack(self) -> None:
        self.said.append("ack")

    async def nak(self, delay: float | None = None) -> None:
        self.said.append(f"nak {delay}")

    async def respond(self, data: bytes) -> None:
        self.said.append(data.decode())
