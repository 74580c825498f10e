"""A directory on an empty database, with one hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.directory.world import World, make_world
from tests.emptying import emptied
from tests.servers import Databases


@pytest.fixture(scope="session")
def directory_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("directory")
    databases.drop()


@pytest_asyncio.fixture
async def empty(directory_database: str) -> AsyncIterator[World]:
    """A directory with nothing in it."""
    await emptied(directory_database)
    async with make_world(directory_database) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A directory with the hub Nordviken."""
    await empty.hub()
    return empty
