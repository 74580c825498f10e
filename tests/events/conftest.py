"""An events service on an empty database, with one hub it has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.emptying import emptied
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
async def empty(events_database: str) -> AsyncIterator[World]:
    """An events service that has heard of nothing."""
    await emptied(events_database)
    async with make_world(events_database) as world:
        yield world


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
async def both(events_database: str, booking_beside: str) -> AsyncIterator[Both]:
    """Events and booking, which agree on rooms by facts alone."""
    await emptied(events_database)
    await emptied(booking_beside)
    async with make_both(events_database, booking_beside) as two:
        yield two
