"""A matching service on an empty database, with one hub and four skills it has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.connections import Connections
from tests.matching.kept import told_once
from tests.matching.world import World, begun, make_world
from tests.servers import Databases


@pytest.fixture(scope="session")
def matching_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("matching")
    databases.drop()


@pytest_asyncio.fixture
async def empty(connections: Connections, matching_database: str) -> AsyncIterator[World]:
    """A matching service that has heard of nothing."""
    engine = await connections.emptied(matching_database)
    async with make_world(matching_database, engine=engine) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A matching service that knows the hub Nordviken and a few skills."""
    return await told_once(empty, begun)
