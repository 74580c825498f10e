"""A booking service on an empty database, with one hub it has heard of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_asyncio

from tests.booking.asking import Asking
from tests.booking.world import World, make_world
from tests.connections import Connections
from tests.servers import Databases


@pytest.fixture(scope="session")
def booking_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("booking")
    databases.drop()


@pytest_asyncio.fixture
async def empty(connections: Connections, booking_database: str) -> World:
    """A booking service that has heard of nothing."""
    await connections.emptied(booking_database)
    return await make_world(connections, booking_database)


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
