"""A replica's memory: built once, then kept by every fact; what was missed is heard, what cannot be heard is built anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.contracts.base import Fact
from shared.contracts.examples import example
from shared.contracts.matching.facts import ProfileChangedV1
from shared.kit.following import Follower, NotBuilt
from shared.kit.life import end
from shared.kit.ordered import Ordered, Place, Source
from tests.gateway.proxy import Wire
from tests.servers import NatsAccount
from tests.waiting import eventually


@dataclass
class Memory:
    """Remembers what it was told; `before` is run in each build, `failures` are what hearing raises first."""

    builds: int = 0
    heard: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    may_build: asyncio.Event = field(default_factory=asyncio.Event)

    async def build(self) -> None:
        """One more."""
        await self.may_build.wait()
        self.builds += 1

    async def hear(self, facts: Sequence[Fact]) -> None:
        """These."""
        if self.failures:
            raise self.failures.pop()
        self.heard += [fact.subject_version for fact in facts]

    async def look(self) -> None:
        """Nothing to look for."""


async def state(bus: Client, *numbers: int) -> None:
    """The service's relay states facts, told apart by their versions."""
    for number in numbers:
        known = {"subject_version": number, "id": UUID(int=number)}
        fact = example(ProfileChangedV1).model_copy(update=known)
        await bus.jetstream().publish(fact.subject_for(fact.hub), fact.model_dump_json().encode())


async def followers(bus: Client) -> int:
    """How many replicas follow the stream; other services' consumers of it are durable."""
    known = await bus.jetstream().consumers_info("MATCHING")
    return len([one for one in known if one.config.durable_name is None])


@asynccontextmanager
async def following(nc: Client, memory: Memory, *, built: bool = True) -> AsyncIterator[Follower]:
    """A replica that keeps `memory`; with `built` from when it is ready."""
    if built:
        memory.may_build.set()
    follower = Follower(nc, "matching", memory)
    task = asyncio.create_task(follower.run())
    try:
        if built:
            await asyncio.wait_for(follower.built(), 10)
        yield follower
    finally:
        await end(task)


@pytest.fixture
def memory() -> Memory:
    """Empty."""
    return Memory()


async def test_what_is_stated_while_it_is_built_is_heard_after_it(
    nats_account: NatsAccount, bus: Client, memory: Memory
) -> None:
    await state(bus, 1)
    nc = await nats_account.connect("matching")
    async with following(nc, memory, built=False) as follower:
        with pytest.raises(NotBuilt):
            await follower.ready()

        async def has_consumer() -> bool:
            return await followers(bus) > 0

        await eventually(has_consumer)
        await state(bus, 2, 3)
        assert memory.heard == []
        memory.may_build.set()
        await eventually(lambda: memory.heard == [2, 3])
        await follower.ready()
    assert memory.builds == 1, "what was stated before the build is in the tables it reads"
    await nc.close()


async def test_every_replica_hears_every_fact(nats_account: NatsAccount, bus: Client) -> None:
    one, other = Memory(), Memory()
    first, second = await nats_account.connect("matching"), await nats_account.connect("matching")
    async with following(first, one), following(second, other):
        await state(bus, *range(1, 21))
        await eventually(lambda: one.heard == other.heard == [*range(1, 21)])
    await first.close()
    await second.close()


async def test_what_was_stated_while_the_connection_was_away_is_heard_without_building_anew(
    nats_account: NatsAccount, bus: Client, memory: Memory
) -> None:
    parts = urlsplit(nats_account.url)
    wire = Wire(parts.hostname or "", parts.port or 0)
    await wire.mend()
    through = NatsAccount(f"nats://127.0.0.1:{wire.port}", nats_account.seeds)
    nc = await through.connect("matching", max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    async with following(nc, memory):
        await state(bus, 1)
        await eventually(lambda: memory.heard == [1])
        await wire.cut()
        await state(bus, 2, 3)
        await wire.mend()
        await eventually(lambda: memory.heard == [1, 2, 3])
        assert memory.builds == 1
    await nc.close()
    await wire.cut()


@dataclass
class End:
    """Keeps the end of a stream; knows where it began each time."""

    began: list[tuple[int, int]] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)

    async def begin(self, place: Place, waiting: int) -> None:
        """Anew."""
        self.began.append((place.sequence, waiting))

    async def hear(self, messages: Sequence[Msg]) -> None:
        """These."""
        self.heard += [message.metadata.sequence.stream for message in messages]

    async def look(self) -> None:
        """Nothing to look for."""


async def test_who_keeps_only_the_end_begins_anew_after_missing_more_than_that(
    nats_account: NatsAccount, bus: Client
) -> None:
    nc, end_of_it = await nats_account.connect("matching"), End()
    ordered = Ordered(nc, Source("MATCHING", "hubs.*.matching.>", "matching", back=3), end_of_it)

    async def hears(*sequences: int) -> None:
        task = asyncio.create_task(ordered.run())
        await eventually(lambda: end_of_it.heard == [*sequences])
        await end(task)

    await state(bus, 1, 2)
    await hears(1, 2)
    await state(bus, 3, 4, 5)
    await hears(1, 2, 3, 4, 5)
    assert end_of_it.began == [(0, 2)], "three are gone on with"
    await state(bus, *range(6, 11))
    await hears(1, 2, 3, 4, 5, 8, 9, 10)
    assert end_of_it.began == [(0, 2), (7, 3)], "whoever reads along is told that something is missing"
    await nc.close()


async def test_a_fact_that_could_not_be_taken_in_is_heard_again(
    nats_account: NatsAccount, bus: Client, memory: Memory
) -> None:
    nc = await nats_account.connect("matching")
    async with following(nc, memory):
        memory.failures.append(ConnectionError("the database is away"))
        await state(bus, 1)
        await eventually(lambda: memory.heard == [1])
        assert memory.builds == 1
        memory.failures.append(ValueError("something in memory is not as it should be"))
        await state(bus, 2)
        await eventually(lambda: memory.builds == 2)
        await state(bus, 3)
        await eventually(lambda: memory.heard[-1] == 3)
    await nc.close()


async def test_a_stream_that_was_made_again_has_everything_built_anew(
    nats_account: NatsAccount, bus: Client, memory: Memory
) -> None:
    nc = await nats_account.connect("matching")
    async with following(nc, memory):
        await state(bus, 1, 2)
        await eventually(lambda: memory.heard == [1, 2])
        known = (await bus.jetstream().stream_info("MATCHING")).config
        await bus.jetstream().delete_stream("MATCHING")
        await bus.jetstream().add_stream(known)
        await state(bus, 3)
        await eventually(lambda: memory.builds == 2)
        await state(bus, 4)
        await eventually(lambda: memory.heard[-1] == 4)
    await nc.close()


async def test_nothing_is_left_at_the_server_when_the_replica_has_gone(
    nats_account: NatsAccount, bus: Client, memory: Memory
) -> None:
    nc = await nats_account.connect("matching")
    async with following(nc, memory):
        assert await followers(bus) == 1
    await nc.close()

    async def forgotten() -> bool:
        return await followers(bus) == 0

    await eventually(forgotten, within=15.0)
