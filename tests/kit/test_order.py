"""Order: whatever the deliveries, the same facts give the same state; and each has one effect."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubSnapshotV1
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.inbox import once
from tests.kit.hubs import changed, effects, note, scalar, snapshot

DURABLE = "booking__mirrors_hubs"


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[int, list[tuple[int, bool]]]:
    """Every fact of one entity at least once, some with a snapshot beside them, in any order, many repeated."""
    count = draw(st.integers(1, 6))
    facts = [(version, False) for version in range(1, count + 1)]
    snapshots = [(version, True) for version in draw(st.sets(st.integers(1, count), max_size=2))]
    repeated = draw(st.lists(st.sampled_from(facts + snapshots), max_size=8))
    return count, draw(st.permutations(facts + snapshots + repeated))


@given(delivery=deliveries())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_delivery_gives_the_same_state(
    booking: Database, delivery: tuple[int, list[tuple[int, bool]]]
) -> None:
    count, order = delivery
    hub = f"hub-{uuid.uuid4().hex[:12]}"
    made = {(v, s): snapshot(hub, v) if s else changed(hub, v) for v, s in set(order)}
    consumer = Consumer(
        DURABLE, booking, {HubProfileChangedV1: note, HubSnapshotV1: note}, ids=new_id, in_order=True
    )
    for place in order:
        await consumer.take_in(made[place])
    versions = [version for its_hub, version in await effects(booking) if its_hub == hub]
    assert versions == sorted(set(versions))
    assert versions[-1] == count
    if not any(is_snapshot for _, is_snapshot in order):
        assert versions == list(range(1, count + 1))
    heard = "SELECT version FROM heard_version WHERE subject = :subject"
    assert await scalar(booking, heard, subject=f"{hub}/{hub}") == count
    parked = "SELECT count(*) FROM parked_fact WHERE subject = :subject"
    assert await scalar(booking, parked, subject=f"{hub}/{hub}") == 0


async def test_facts_of_one_entity_taken_in_at_once_by_many_tasks_keep_their_order(booking: Database) -> None:
    facts: Sequence[Fact] = [changed("ystad", version) for version in range(1, 13)]
    consumer = Consumer(DURABLE, booking, {HubProfileChangedV1: note}, ids=new_id, in_order=True)
    await asyncio.gather(*(consumer.take_in(fact) for fact in reversed(facts)), *map(consumer.take_in, facts))
    assert await effects(booking) == [("ystad", version) for version in range(1, 13)]


async def test_the_note_of_having_heard_lives_and_dies_with_the_effect(booking: Database) -> None:
    fact = changed("ystad", 1)

    async def half_done(session: AsyncSession) -> None:
        assert await once(session, fact.id, DURABLE)
        await note(session, fact)
        raise RuntimeError

    async def try_it() -> None:
        async with booking.transaction() as session:
            await half_done(session)

    with pytest.raises(RuntimeError):
        await try_it()
    assert await effects(booking) == []
    async with booking.transaction() as session:
        assert await once(session, fact.id, DURABLE)
        assert not await once(session, fact.id, DURABLE)
        assert await once(session, fact.id, "another consumer")
