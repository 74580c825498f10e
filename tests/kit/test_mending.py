"""A database goes back in time before its stream: what the world was told is found there, and mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.contracts.matching.facts import ProfileChangedV1
from shared.contracts.matching.words import ProfileChange
from shared.contracts.operations import Mend
from shared.kit import telemetry
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.ids import new_id, utc_now
from shared.kit.mending import Mender, newest_of
from shared.kit.outbox import emit
from shared.kit.rpc import Call
from tests.kit.consuming import DURABLE, consuming
from tests.kit.hubs import (
    arrived,
    changed,
    common,
    effects,
    in_stream,
    note,
    opened,
    registered,
    relaying,
    scalar,
    snapshot,
    state,
)
from tests.servers import Databases, NatsAccount
from tests.waiting import eventually

CALL = Call(None, datetime.now(UTC), None, 10)


@pytest.fixture
def databases(postgres: str) -> Iterator[Databases]:
    """Databases that can be saved and brought back."""
    made = Databases(postgres)
    yield made
    made.drop()


@dataclass
class Hubs:
    """How the hubs are as this database knows them; what is not among them is gone."""

    versions: dict[str, int] = field(default_factory=dict)
    asked: list[Fact] = field(default_factory=list)

    async def recollect(self, session: AsyncSession, facts: Sequence[Fact]) -> None:
        """A snapshot of each, with a version after what was told."""
        for fact in facts:
            self.asked.append(fact)
            known = max(self.versions.get(fact.hub, 0), fact.subject_version) + 1
            name = "as saved" if fact.hub in self.versions else "gone"
            await emit(session, snapshot(fact.hub, known, name))


@asynccontextmanager
async def told_and_forgotten(
    databases: Databases, as_directory: Client, bus: Client, *future: Fact
) -> AsyncIterator[Database]:
    """Directory as it was saved when it had stated ystad's two first facts; the stream has the future, too."""
    url = databases.fresh("directory")
    async with opened(url) as directory, relaying(directory, as_directory):
        past = [registered("ystad"), changed("ystad", 2)]
        await state(directory, *past)
        await arrived(bus, *(fact.id for fact in past))
        await eventually(lambda: scalar(directory, "SELECT last_sequence = 2 FROM relay_cursor"))
    saved = databases.saved(url)
    async with opened(url) as directory, relaying(directory, as_directory):
        for fact in future:
            await state(directory, fact)
        await arrived(bus, *(fact.id for fact in (*past, *future)))
    async with opened(saved) as directory:
        yield directory


def hears(booking: Database) -> Consumer:
    facts: tuple[type[Fact], ...] = (HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1)
    every = dict.fromkeys(facts, note)
    return Consumer(DURABLE, booking, every, ids=new_id, in_order=True)


async def test_what_was_forgotten_is_stated_again_and_those_who_heard_it_go_on_from_there(
    databases: Databases, as_directory: Client, bus: Client, booking: Database, nats_account: NatsAccount
) -> None:
    lost = [changed("ystad", 3), changed("ystad", 4), registered("lund")]
    async with told_and_forgotten(databases, as_directory, bus, *lost) as directory:
        async with consuming(nats_account, hears(booking)):
            await eventually(lambda: _heard(booking, ("ystad", 4), ("lund", 1)))
            hubs = Hubs({"ystad": 2})
            mender = Mender(directory, as_directory, "directory", hubs.recollect, clock=utc_now)
            # Without knowing better the restored database would count on from 2, and nobody would listen.
            async with relaying(directory, as_directory, first=mender.check):
                await eventually(lambda: _heard(booking, ("ystad", 5), ("lund", 2)))
                await state(directory, changed("ystad", 6))
                await eventually(lambda: _heard(booking, ("ystad", 6)))
        assert [fact.id for fact in hubs.asked] == [lost[1].id, lost[2].id]  # the newest of each, once
        assert await scalar(booking, "SELECT count(*) FROM parked_fact") == 0
        assert (
            await scalar(booking, "SELECT name FROM effect WHERE hub = 'lund' ORDER BY no DESC LIMIT 1")
            == "gone"
        )
        await mender.check()
        assert len(hubs.asked) == 2, "mended is mended"


def test_that_a_profile_was_closed_is_not_lost_because_it_changed_otherwise_later() -> None:
    def told(version: int, change: ProfileChange) -> Fact:
        about = common("ystad", version, {"subject": "ann", "person": UUID(int=1)})
        return ProfileChangedV1(**about, change=change)

    closed, offered, again = (
        told(4, ProfileChange.VISIBILITY),
        told(5, ProfileChange.OFFERS),
        told(6, ProfileChange.OFFERS),
    )
    assert newest_of([closed, offered, again]) == [closed, again]


async def _heard(booking: Database, *latest: tuple[str, int]) -> bool:
    newest = dict(await effects(booking))
    return all(newest.get(hub) == version for hub, version in latest)


async def test_when_much_is_forgotten_nothing_is_carried_until_somebody_says_so(
    databases: Databases, as_directory: Client, bus: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kit.mending.ASK_AGAIN_S", 0.01)
    monkeypatch.setattr("shared.kit.mending.CHUNK", 2)
    lost = [registered(f"hub-{number}") for number in range(5)]
    async with told_and_forgotten(databases, as_directory, bus, *lost) as directory:
        hubs = Hubs({"ystad": 2})
        mender = Mender(directory, as_directory, "directory", hubs.recollect, clock=utc_now, unasked=4)
        async with relaying(directory, as_directory, first=mender.check):
            await state(directory, changed("ystad", 3))
            with pytest.raises(ConnectionError, match="foci mend directory"):
                await mender.check()
            assert len(await in_stream(bus)) == 7, "the relay holds still"
            await _looked_at(directory, mender)
            assert (REGISTRY.get_sample_value("foci_forgotten_facts") or 0) > 4
            cursor, found = None, 0
            while True:
                async with directory.transaction() as session:
                    answer = await mender.answer(session, Mend(cursor=cursor), CALL)
                found, cursor = found + answer.forgotten, answer.cursor
                if cursor is None:
                    break
            assert found == len(hubs.asked) == 5
            await eventually(lambda: _length(bus, 7 + 1 + 5))
        telemetry.FORGOTTEN_FACTS.set(5)  # as in a replica that will not lead again
        await _looked_at(directory, mender)
        assert REGISTRY.get_sample_value("foci_forgotten_facts") == 0


async def _looked_at(directory: Database, mender: Mender) -> None:
    async with directory.reading() as session:
        await mender.look(session)


async def _length(nc: Client, wanted: int) -> bool:
    return bool((await nc.jetstream().stream_info("DIRECTORY")).state.messages == wanted)


async def test_a_service_on_an_empty_database_does_not_take_everything_back(
    databases: Databases, as_directory: Client, bus: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little it is: somebody has given it the wrong database, or not restored it yet."""
    monkeypatch.setattr("shared.kit.mending.ASK_AGAIN_S", 0.01)
    async with (
        told_and_forgotten(databases, as_directory, bus),
        opened(databases.fresh("directory")) as empty,
    ):
        hubs = Hubs()
        mender = Mender(empty, as_directory, "directory", hubs.recollect, clock=utc_now)
        async with relaying(empty, as_directory, first=mender.check):
            with pytest.raises(ConnectionError, match="foci mend directory"):
                await mender.check()
            assert len(await in_stream(bus)) == 2
            assert hubs.asked == []


async def test_the_last_second_before_a_crash_is_not_taken_for_forgotten(
    databases: Databases, as_directory: Client, bus: Client
) -> None:
    """The row that says how far the stream was filled is written once a second; the log itself knows better."""
    async with opened(databases.fresh("directory")) as directory:
        facts = [registered(f"hub-{number}") for number in range(50)]
        async with relaying(directory, as_directory):
            await state(directory, *facts)
            await arrived(bus, *(fact.id for fact in facts))
        async with directory.transaction() as session:
            await session.execute(text("UPDATE relay_cursor SET last_sequence = 3"))
        hubs = Hubs()
        await Mender(directory, as_directory, "directory", hubs.recollect, clock=utc_now).check()
        # The same after the log was renumbered, as in a database restored from a dump.
        async with directory.transaction() as session:
            await session.execute(text("UPDATE outbox SET xid = '1'"))
        await Mender(directory, as_directory, "directory", hubs.recollect, clock=utc_now).check()
        assert hubs.asked == []


async def test_a_strangers_message_is_not_taken_for_a_forgotten_fact(
    databases: Databases, as_directory: Client, bus: Client
) -> None:
    await bus.jetstream().publish("hubs.ystad.directory.hub-registered.v1", b"{}")
    async with opened(databases.fresh("directory")) as directory:
        hubs = Hubs()
        await Mender(directory, as_directory, "directory", hubs.recollect, clock=utc_now).check()
        assert hubs.asked == []


async def test_a_consumer_that_went_back_hears_again_what_it_had_acknowledged(
    databases: Databases, as_directory: Client, bus: Client, nats_account: NatsAccount
) -> None:
    url = databases.fresh("booking")
    async with opened(databases.fresh("directory")) as directory, relaying(directory, as_directory):
        async with opened(url) as booking, consuming(nats_account, hears(booking)):
            await state(directory, registered("ystad"))
            await eventually(lambda: _heard(booking, ("ystad", 1)))
        saved = databases.saved(url)
        async with opened(url) as booking, consuming(nats_account, hears(booking)):
            await state(directory, changed("ystad", 2))
            await eventually(lambda: _heard(booking, ("ystad", 2)))
        as_booking = await nats_account.connect("booking")
        async with opened(saved) as booking, consuming(nats_account, hears(booking)):
            mender = Mender(booking, as_booking, "booking", Hubs().recollect, clock=utc_now)
            await mender.hear_again()
            await eventually(lambda: _heard(booking, ("ystad", 2)))
            assert await effects(booking) == [("ystad", 1), ("ystad", 2)], (
                "the first is known and not done twice"
            )
        await as_booking.close()


async def test_who_stated_nothing_before_a_standby_took_over_hears_again_what_it_lost(
    databases: Databases, as_directory: Client, bus: Client, nats_account: NatsAccount
) -> None:
    """Nothing of its own is forgotten, so only that it is another database tells of it."""
    url = databases.fresh("booking")
    as_booking = await nats_account.connect("booking")

    @asynccontextmanager
    async def running(url: str) -> AsyncIterator[Database]:
        async with opened(url) as booking, consuming(nats_account, hears(booking)):
            mender = Mender(booking, as_booking, "booking", Hubs().recollect, clock=utc_now)
            async with relaying(booking, as_booking, "booking", first=mender.check):
                await eventually(lambda: scalar(booking, NOTED))
                yield booking

    async def delivered() -> int:
        info = await bus.jetstream().consumer_info("DIRECTORY", DURABLE)
        assert info.delivered is not None
        return int(info.delivered.consumer_seq)

    async with opened(databases.fresh("directory")) as directory, relaying(directory, as_directory):
        async with running(url) as booking:
            await state(directory, registered("ystad"))
            await eventually(lambda: _heard(booking, ("ystad", 1)))
        saved = databases.saved(url)
        async with running(url) as booking:
            await state(directory, changed("ystad", 2))
            await eventually(lambda: _heard(booking, ("ystad", 2)))
            assert await delivered() == 2, "in the same database nothing is heard again"
        async with running(saved) as booking:
            await eventually(lambda: _heard(booking, ("ystad", 2)))
    await as_booking.close()


NOTED = "SELECT place IS NOT NULL FROM relay_cursor WHERE stream = 'BOOKING'"
