"""A directory on an empty database, with one hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_asyncio

from tests.connections import Connections
from tests.directory.world import World, make_world
from tests.servers import Databases


@pytest.fixture(scope="session")
def directory_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("directory")
    databases.drop()


@pytest_asyncio.fixture
async def empty(connections: Connections, directory_database: str) -> World:
    """A directory with nothing in it."""
    await connections.emptied(directory_database)
    return make_world(connections, directory_database)


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A directory with the hub Nordviken."""
    await empty.hub()
    return empty
