"""A booking service on a fresh database, with one hub it has heard of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from tests.booking.world import World, make_world


@pytest_asyncio.fixture
async def empty(database: Callable[[str], str]) -> AsyncIterator[World]:
    """A booking service that has heard of nothing."""
    async with make_world(database("booking")) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A booking service that has heard of the hub Nordviken."""
    await empty.hub()
    return empty
