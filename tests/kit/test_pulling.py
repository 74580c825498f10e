"""Pulling in batches: what has been fetched is handed over, also when the time for the batch is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import pytest
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeout
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1
from shared.contracts.streams import consumer as declared_consumer
from shared.kit import pulling
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.kit.consuming import consuming, is_idle, send
from tests.kit.hubs import changed, registered
from tests.servers import NatsAccount
from tests.waiting import eventually

DURABLE = "booking__mirrors_hubs"
FACTS = 150
AT_A_CHANGE = 40
CHANGES = 8
NEVER_S = 3600


async def test_a_fetch_that_has_no_time_left_ends_like_any_other(bus: Client) -> None:
    pulling.lose_nothing()
    await send(bus, registered("ystad"))
    js = bus.jetstream()
    subscription = await js.pull_subscribe_bind(DURABLE, stream=declared_consumer(DURABLE).stream)
    [only] = await subscription.fetch(1)
    await only.ack()
    for seconds in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2):
        # Nothing, if the server's word that there is nothing comes just before the time is up; never another error.
        with suppress(NatsTimeout):
            assert await subscription.fetch(pulling.BATCH - 1, timeout=seconds) == []


async def test_facts_that_trickle_in_are_delivered_once_each(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    """Each batch's time runs out again and again with some messages in hand; none may wait for its second delivery."""

    async def effect(session: AsyncSession, facts: Sequence[Fact]) -> None:
        # Some come in while others are being acted on.
        await session.execute(text("SELECT pg_sleep(0.05)"))

    consumer = BatchConsumer(DURABLE, booking, (HubRegisteredV1, HubProfileChangedV1), effect, ids=new_id)
    async with consuming(nats_account, consumer):
        for version in range(1, FACTS + 1):
            await send(bus, changed("ystad", version))
            await bus.flush()
        await eventually(lambda: is_idle(bus, DURABLE), within=60)
        info = await bus.jetstream().consumer_info(declared_consumer(DURABLE).stream, DURABLE)
    assert info.delivered is not None
    assert info.delivered.consumer_seq == FACTS


@pytest.mark.parametrize("kind", ["one by one", "in batches"])
async def test_who_stops_takes_in_what_has_come_and_leaves_the_rest_to_others(
    booking: Database, bus: Client, nats_account: NatsAccount, kind: str
) -> None:
    """However often replicas change under a stream of facts, none waits for its second delivery."""

    async def nothing(_session: AsyncSession, _fact: object) -> None: ...

    def replica() -> Consumer:
        if kind == "in batches":
            return BatchConsumer(DURABLE, booking, (HubProfileChangedV1,), nothing, ids=new_id)
        return Consumer(DURABLE, booking, {HubProfileChangedV1: nothing}, ids=new_id, in_order=False)

    stream = declared_consumer(DURABLE).stream

    async def delivered() -> int:
        info = await bus.jetstream().consumer_info(stream, DURABLE)
        return info.delivered.consumer_seq if info.delivered else 0

    async def begun(before: int) -> bool:
        return await delivered() > before

    # What were lost would come again when this is over, and not while anybody here waits for it. (What the server finds
    # nobody for it offers again at once, so that more may be delivered than there are.)
    config = (await bus.jetstream().consumer_info(stream, DURABLE)).config
    await bus.jetstream().add_consumer(stream, config.evolve(ack_wait=NEVER_S))
    for change in range(CHANGES):
        facts = [changed("ystad", change * AT_A_CHANGE + nth) for nth in range(1, AT_A_CHANGE + 1)]
        sending = asyncio.create_task(send(bus, *facts))
        async with consuming(nats_account, replica()):
            await eventually(partial(begun, await delivered()))
        await sending
    async with consuming(nats_account, replica()):
        await eventually(lambda: is_idle(bus, DURABLE), within=60)
    assert await delivered() >= CHANGES * AT_A_CHANGE
