"""Batches of facts: many in one transaction, and none stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.kit.bus import LONGEST_AWAY, BatchConsumer
from shared.kit.database import Database
from shared.kit.errors import NotFound
from shared.kit.ids import new_id
from tests.kit.consuming import DURABLE, Outage, consuming, dead, is_idle, message_of, send
from tests.kit.hubs import effects, note, opened, registered, scalar
from tests.servers import NatsAccount
from tests.waiting import eventually

HUB_FACTS: tuple[type[Fact], ...] = (HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1)


async def test_one_bad_fact_in_a_batch_does_not_stop_the_others(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    async def effect(session: AsyncSession, facts: Any) -> None:
        for fact in facts:
            if fact.hub == "bad":
                raise NotFound("There is no such hub.")
            await note(session, fact)

    good = [registered(f"hub-{number}") for number in range(40)]
    await send(bus, *good[:20], registered("bad"), *good[20:])
    await bus.jetstream().publish(good[0].subject_for("worse"), b"nonsense")
    async with consuming(nats_account, BatchConsumer(DURABLE, booking, HUB_FACTS, effect, ids=new_id)):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert sorted(await effects(booking)) == sorted((fact.hub, 1) for fact in good)
    assert sorted(letter["subject"].split(".")[1] for letter in await dead(booking)) == ["bad", "worse"]


async def test_facts_of_hubs_that_do_not_concern_a_consumer_are_acknowledged_unread(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    async def effect(session: AsyncSession, facts: Any) -> None:
        for fact in facts:
            await note(session, fact)

    async def some(_: AsyncSession, hubs: Any) -> set[str]:
        return {hub for hub in hubs if hub.endswith("7")}

    facts = [registered(f"hub-{number}") for number in range(60)]
    await send(bus, *facts)
    await bus.jetstream().publish(facts[0].subject_for("nonsense"), b"of no concern")
    consumer = BatchConsumer(DURABLE, booking, HUB_FACTS, effect, ids=new_id, concerns=some)
    async with consuming(nats_account, consumer):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert sorted(await effects(booking)) == [(f"hub-{number}", 1) for number in (17, 27, 37, 47, 57, 7)]
    assert await dead(booking) == []
    assert await scalar(booking, "SELECT count(*) FROM inbox") == 6


async def test_a_batch_repeated_has_its_effect_once(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    async def effect(session: AsyncSession, facts: Any) -> None:
        for fact in facts:
            await note(session, fact)

    facts = [registered(f"hub-{number}") for number in range(60)]
    await send(bus, *facts, times=2)
    async with consuming(nats_account, BatchConsumer(DURABLE, booking, HUB_FACTS, effect, ids=new_id)):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert sorted(await effects(booking)) == sorted((fact.hub, 1) for fact in facts)


async def test_a_batch_waits_as_a_whole_while_the_database_is_away(
    database: Callable[[str], str], postgres: str
) -> None:
    """One by one each would wait for the database, until the last ones have been delivered a second time."""
    url = database("booking")
    outage = Outage(postgres, url)

    async def effect(session: AsyncSession, facts: Any) -> None:
        for fact in facts:
            await note(session, fact)

    async with opened(url) as booking:
        consumer = BatchConsumer(DURABLE, booking, HUB_FACTS, effect, ids=new_id)
        batch = [message_of(registered(f"hub-{number}")) for number in range(100)]
        await outage.begin()
        async with asyncio.timeout(5):
            await consumer.handle_batch(batch)
        assert all(message.said[0].startswith("nak") for message in batch)
        await outage.end()
        await consumer.handle_batch(batch)
        assert [message.said[1] for message in batch] == ["ack"] * 100
        assert len(await effects(booking)) == 100


async def test_what_was_tried_often_while_the_database_was_away_is_not_late_once_it_is_back(
    database: Callable[[str], str], postgres: str
) -> None:
    """The delay of a fact that fails by itself grows to a minute; this one has done nothing wrong."""
    url = database("booking")
    outage = Outage(postgres, url)

    async def effect(session: AsyncSession, facts: Any) -> None: ...

    async with opened(url) as booking:
        consumer = BatchConsumer(DURABLE, booking, HUB_FACTS, effect, ids=new_id)
        tried_often = message_of(registered("ystad"), attempt=20)
        await outage.begin()
        await consumer.handle_batch([tried_often])
        await outage.end()
    [said] = tried_often.said
    assert said == f"nak {LONGEST_AWAY}"
