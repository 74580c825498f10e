"""A notify service on an empty database, with one hub and one room it has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.connections import Connections
from tests.notify.world import World, make_world
from tests.servers import Databases


@pytest.fixture(scope="session")
def notify_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("notify")
    databases.drop()


@pytest_asyncio.fixture
async def empty(connections: Connections, notify_database: str) -> AsyncIterator[World]:
    """A notify service that has heard of nothing."""
    engine = await connections.emptied(notify_database)
    async with make_world(notify_database, engine=engine) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A notify service that has heard of the hub Nordviken and its studio."""
    await empty.hub()
    await empty.space()
    return empty
