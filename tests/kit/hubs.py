"""Facts to send about, and a database that keeps what was done because of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.js.errors import NotFoundError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.contracts.streams import streams_written_by
from shared.kit.database import Database, make_engine
from shared.kit.ids import new_id
from shared.kit.life import end
from shared.kit.outbox import emit
from shared.kit.relay import Relay
from tests.waiting import eventually

PROFILE: dict[str, Any] = {"kind": "library", "time_zone": "Europe/Stockholm", "cell": "local"}
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def registered(hub: str, name: str = "Biblioteket", **more: Any) -> HubRegisteredV1:
    """The first fact about a hub."""
    return HubRegisteredV1(**common(hub, 1, more), name=name)


def changed(hub: str, version: int, name: str | None = None, **more: Any) -> HubProfileChangedV1:
    """A later fact about a hub."""
    return HubProfileChangedV1(**common(hub, version, more), name=name or f"name {version}")


def snapshot(hub: str, version: int, name: str | None = None, **more: Any) -> HubSnapshotV1:
    """The hub as it is at a version."""
    return HubSnapshotV1(**common(hub, version, more), name=name or f"name {version}")


def common(hub: str, version: int, more: dict[str, Any]) -> dict[str, Any]:
    base = {"id": new_id(), "hub": hub, "occurred_at": datetime.now(UTC), "subject": hub}
    return PROFILE | base | {"subject_version": version} | more


@asynccontextmanager
async def opened(
    url: str, *, pool_size: int = 5, announced: list[int] | None = None
) -> AsyncIterator[Database]:
    """A database with a table for effects."""
    engine = make_engine(url, pool_size=pool_size)
    database = Database(engine, lambda: announced.append(1) if announced is not None else None)
    async with database.transaction() as session:
        await session.execute(
            text(
                "CREATE TABLE IF NOT EXISTS effect (no serial, hub text, version int, name text, fact_id uuid)"
            )
        )
    yield database
    await engine.dispose()


async def note(session: AsyncSession, fact: Any) -> None:
    """The effect of a fact in these tests: a row."""
    await session.execute(
        text("INSERT INTO effect (hub, version, name, fact_id) VALUES (:hub, :version, :name, :fact_id)"),
        {"hub": fact.hub, "version": fact.subject_version, "name": fact.name, "fact_id": fact.id},
    )


async def effects(database: Database) -> list[tuple[str, int]]:
    """What was done, in that order."""
    async with database.reading() as session:
        rows = await session.execute(text("SELECT hub, version FROM effect ORDER BY no"))
        return [(row.hub, row.version) for row in rows]


async def scalar(database: Database, statement: str, **values: Any) -> Any:
    """One value."""
    async with database.reading() as session:
        return (await session.execute(text(statement), values)).scalar()


async def state(database: Database, *facts: Fact) -> None:
    """State facts, all in one transaction."""
    async with database.transaction() as session:
        await emit(session, *facts)


async def in_stream(nc: Client, stream: str = "DIRECTORY") -> list[UUID]:
    """Ids of the messages in a stream, in its order."""
    js = nc.jetstream()
    state_ = (await js.stream_info(stream)).state
    found = []
    for sequence in range(max(state_.first_seq, 1), state_.last_seq + 1):
        try:
            headers = (await js.get_msg(stream, sequence)).headers or {}
        except NotFoundError:
            continue
        if "Nats-Msg-Id" in headers:
            found.append(UUID(headers["Nats-Msg-Id"].partition("+")[0]))
    return found


@asynccontextmanager
async def relaying(
    database: Database,
    nc: Client,
    service: str = "directory",
    *,
    first: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Relay]:
    """A service's relays at work; the one of its facts is given."""
    relays = [Relay(database.engine, nc, stream, first=first) for stream in streams_written_by(service)]
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield relays[0]
        for task in tasks:
            assert not task.done(), task.exception()
    finally:
        for task in tasks:
            await end(task)


async def arrived(nc: Client, *ids: UUID) -> None:
    """The stream has come to hold these and nothing else, in this order."""

    async def all_there() -> None:
        assert await in_stream(nc) == list(ids)

    async def there() -> bool:
        await all_there()
        return True

    await eventually(there, what="the facts in the stream, in order")
