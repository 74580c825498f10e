"""A relay whose connection to the database is lost at a bad moment begins anew with another."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import pytest
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kit import relay as relay_module
from shared.kit.database import Database, driver_of
from tests.kit.hubs import arrived, opened, registered, relaying, scalar, state
from tests.waiting import eventually


async def test_a_relay_cut_off_while_it_asks_for_the_lock_asks_again(
    database: Callable[[str], str],
    bus: Client,
    as_directory: Client,
    postgres: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection it asked over is of no use any more; the pool must not hand it out again."""
    url, fact = database("directory"), registered("ystad")
    slowly = "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) FROM pg_sleep(0.3)"
    monkeypatch.setattr(relay_module, "_LOCK", slowly)
    admin = await asyncpg.connect(postgres)
    asking = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_sleep%'"
    async with opened(url, pool_size=1) as alone, opened(url) as other, relaying(alone, as_directory):
        await eventually(lambda: admin.fetchval(asking, url.rpartition("/")[2]))
        await state(other, fact)
        await arrived(bus, fact.id)
    await admin.close()


async def test_postgresql_ends_the_session_of_a_machine_that_is_gone_within_half_a_minute(
    directory: Database,
) -> None:
    """Its lock belongs to that session; as PostgreSQL comes it would be kept for two hours, and nobody would relay."""
    idle, every, times, sent = [
        int(await scalar(directory, f"SELECT setting FROM pg_settings WHERE name = '{name}'"))
        for name in (
            "tcp_keepalives_idle",
            "tcp_keepalives_interval",
            "tcp_keepalives_count",
            "tcp_user_timeout",
        )
    ]
    assert 0 < idle + every * times <= 30
    assert 0 < sent <= 30_000


async def test_whatever_the_driver_says_of_a_lost_connection_the_relay_asks_again(
    directory: Database, bus: Client, as_directory: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncpg has an error of its own for a connection lost while a statement is being sent; it came up under kill -9."""
    lost = iter((asyncpg.InternalClientError("cannot switch to state"), asyncpg.InterfaceError("is closed")))
    driver, fact = driver_of, registered("ystad")

    async def at_first_lost(connection: AsyncConnection) -> object:
        for error in lost:
            raise error
        return await driver(connection)

    monkeypatch.setattr(relay_module, "driver_of", at_first_lost)
    await state(directory, fact)
    async with relaying(directory, as_directory):
        await arrived(bus, fact.id)
