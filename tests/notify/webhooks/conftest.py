"""Notify's webhooks on an empty database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from tests.connections import Connections
from tests.notify.webhooks.receiver import Receiver, receiving
from tests.notify.webhooks.world import Hooks, make_hooks
from tests.servers import Databases


@pytest.fixture(scope="session")
def hooks_database(postgres: str) -> Iterator[str]:
    """One migrated database for all of a worker's stories, which each begin by emptying it."""
    databases = Databases(postgres)
    yield databases.fresh("notify")
    databases.drop()


@pytest_asyncio.fixture
async def hooks(connections: Connections, hooks_database: str) -> AsyncIterator[Hooks]:
    """Two hubs without webhooks."""
    async with make_hooks(await connections.emptied(hooks_database)) as made:
        yield made


@pytest_asyncio.fixture
async def hooks_apart(database: Callable[[str], str]) -> AsyncIterator[Hooks]:
    """The same in a database of their own, whose connections a story may cut."""
    own = Connections()
    async with make_hooks(own.engine(database("notify"))) as made:
        yield made
    await own.close()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An operator's system that takes everything with 204."""
    async with receiving() as made:
        yield made
