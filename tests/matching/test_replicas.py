"""Replicas on one bus: each hears of what is changed on another, within a second, and all give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import pytest_asyncio
from nats.aio.client import Client

from services.matching.index import rows
from services.matching.index.following import Memory
from services.matching.rules.ranking import Card, Context
from shared.contracts.matching.words import Visibility
from shared.kit.following import Follower
from shared.kit.life import end
from shared.kit.provision import provision
from tests.kit.hubs import relaying
from tests.matching.world import World
from tests.servers import NatsAccount
from tests.waiting import eventually

WITHIN_S = 1.0


@asynccontextmanager
async def replica(world: World, account: NatsAccount) -> AsyncIterator[Memory]:
    """An index kept by a connection and a consumer of its own, as each process has them."""
    nc = await account.connect("matching")
    memory = Memory(world.database, world.clock)
    follower = Follower(nc, "matching", memory)
    task = asyncio.create_task(follower.run())
    try:
        await asyncio.wait_for(follower.built(), 10)
        yield memory
    finally:
        await end(task)
        await nc.close()


@pytest_asyncio.fixture
async def replicas(
    world: World, nats_account: NatsAccount, nats_admin: Client
) -> AsyncIterator[tuple[Memory, ...]]:
    """Three of them, and the relay that states what the service has written."""
    await provision(nats_admin)
    await world.somebody("ann", needs=["bookkeeping"], offers=["photography"])
    await world.somebody("bo", offers=["bookkeeping"])
    async with AsyncExitStack() as stack:
        as_matching = await nats_account.connect("matching")
        stack.push_async_callback(as_matching.close)
        await stack.enter_async_context(relaying(world.database, as_matching, "matching"))
        yield tuple([await stack.enter_async_context(replica(world, nats_account)) for _ in range(3)])


async def test_a_consent_taken_back_is_gone_from_every_replica_within_a_second(
    world: World, replicas: tuple[Memory, ...]
) -> None:
    bo = world.person("bo")
    assert all(bo in one.index for one in replicas)
    await world.close_to("bo")
    began = perf_counter()
    await eventually(lambda: not any(bo in one.index for one in replicas))
    assert perf_counter() - began < WITHIN_S


async def test_replicas_that_heard_and_one_that_begins_later_agree(
    world: World, replicas: tuple[Memory, ...], nats_account: NatsAccount
) -> None:
    await world.somebody("cia", offers=["bookkeeping"], needs=["photography"])
    await world.somebody("dag", needs=["photography", "bookkeeping"], visibility=Visibility.FEDERATION)
    await world.change("bo", paused=True)
    cia, bo = world.person("cia"), world.person("bo")
    await eventually(lambda: all(cia in one.index and bo not in one.index for one in replicas))
    async with replica(world, nats_account) as late:
        cards = await _cards(world)
        expected = {name: late.index.top(card, 20, Context()) for name, card in cards.items()}
        assert [person for person, _ in expected["ann"]] == [cia, world.person("dag")]
        await eventually(
            lambda: all(
                one.index.top(card, 20, Context()) == expected[name]
                for one in replicas
                for name, card in cards.items()
            )
        )


async def _cards(world: World) -> dict[str, Card]:
    async with world.database.reading() as session:
        found = await rows.cards(session, world.people.values(), today=world.now.date())
    return {name: found[person] for name, person in world.people.items() if person in found}
