"""A booking service on an empty database, with one hub it has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.booking.asking import Asking
from tests.booking.world import World, make_world
from tests.emptying import emptied
from tests.servers import Databases


@pytest.fixture(scope="session")
def booking_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("booking")
    databases.drop()


@pytest_asyncio.fixture
async def empty(booking_database: str) -> AsyncIterator[World]:
    """A booking service that has heard of nothing."""
    await emptied(booking_database)
    async with make_world(booking_database) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A booking service that has heard of the hub Nordviken."""
    await empty.hub()
    return empty


@pytest_asyncio.fixture
async def asking(world: World) -> Asking:
    """An event that may want one of two rooms."""
    await world.space("studio", capacity=12)
    await world.space("lab", capacity=30)
    return Asking(world)
