"""Databases and connections the kit's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from nats.aio.client import Client

from shared.kit.database import Database
from shared.kit.provision import provision
from tests.kit.hubs import opened
from tests.servers import NatsAccount


@pytest_asyncio.fixture
async def directory(database: Callable[[str], str]) -> AsyncIterator[Database]:
    """A service that states facts."""
    async with opened(database("directory")) as made:
        yield made


@pytest_asyncio.fixture
async def booking(database: Callable[[str], str]) -> AsyncIterator[Database]:
    """A service that hears them."""
    async with opened(database("booking")) as made:
        yield made


@pytest_asyncio.fixture
async def bus(nats_account: NatsAccount, nats_admin: Client) -> AsyncIterator[Client]:
    """A provisioned account, through the connection of a user who may do everything."""
    await provision(nats_admin)
    yield nats_admin


@pytest_asyncio.fixture
async def as_directory(nats_account: NatsAccount, bus: Client) -> AsyncIterator[Client]:
    """Connected with the rights directory has in production."""
    nc = await nats_account.connect("directory")
    yield nc
    await nc.close()
