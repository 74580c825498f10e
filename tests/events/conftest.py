"""An events service on an empty database, with one hub it has heard of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_asyncio

from tests.booking import world as booking_world
from tests.connections import Connections
from tests.events.agreeing import Both, make_both
from tests.events.world import World, make_world
from tests.servers import Databases


@pytest.fixture(scope="session")
def events_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("events")
    databases.drop()


@pytest_asyncio.fixture
async def empty(connections: Connections, events_database: str) -> World:
    """An events service that has heard of nothing."""
    await connections.emptied(events_database)
    return make_world(connections, events_database)


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """An events service that has heard of the hub Nordviken and its spaces floor and studio."""
    await empty.hub()
    await empty.hear(empty.space_fact("floor", capacity=60), empty.space_fact("studio", capacity=12))
    return empty


@pytest.fixture(scope="session")
def booking_beside(postgres: str) -> Iterator[str]:
    """A database for the booking service that stories about rooms put beside events."""
    databases = Databases(postgres)
    yield databases.fresh("booking")
    databases.drop()


@pytest_asyncio.fixture
async def both(connections: Connections, empty: World, booking_beside: str) -> Both:
    """Events and booking, which agree on rooms by facts alone."""
    await connections.emptied(booking_beside)
    return await make_both(empty, await booking_world.make_world(connections, booking_beside))
