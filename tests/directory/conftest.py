"""A directory on a fresh database, with one hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from tests.directory.world import World, make_world


@pytest_asyncio.fixture
async def empty(database: Callable[[str], str]) -> AsyncIterator[World]:
    """A directory with nothing in it."""
    async with make_world(database("directory")) as world:
        yield world


@pytest_asyncio.fixture
async def world(empty: World) -> World:
    """A directory with the hub Nordviken."""
    await empty.hub()
    return empty
