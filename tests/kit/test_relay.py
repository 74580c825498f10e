"""The relay: what is committed reaches the stream, in order, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy import text

from shared.contracts.streams import streams_written_by
from shared.kit import relay as relay_module
from shared.kit import stream_relay
from shared.kit.database import Database, driver_of
from shared.kit.kick import Kick
from shared.kit.outbox import emit
from shared.kit.provision import provision
from shared.kit.stream_relay import LostLeadership, Misplaced, StreamRelay
from shared.kit.telemetry import RELAY_DUPLICATES
from tests.kit.consuming import settled
from tests.kit.hubs import arrived, changed, in_stream, opened, registered, relaying, scalar, state
from tests.servers import NatsAccount
from tests.waiting import eventually

(DIRECTORY,) = streams_written_by("directory")


async def test_a_rolled_back_transaction_states_nothing(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    kept = registered("ystad")

    async def change_ones_mind() -> None:
        async with directory.transaction() as session:
            await emit(session, registered("lund"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_ones_mind()
    await state(directory, kept)
    async with relaying(directory, as_directory):
        await arrived(bus, kept.id)


async def test_what_was_stated_before_anybody_relayed_arrives_in_order(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    facts = [registered("ystad"), *(changed("ystad", version) for version in range(2, 30))]
    for fact in facts[:10]:
        await state(directory, fact)
    await state(directory, *facts[10:])
    async with relaying(directory, as_directory):
        await arrived(bus, *(fact.id for fact in facts))
    # One batch: everything or nothing, with a single expected sequence.
    message = await bus.jetstream().get_msg("DIRECTORY", 29)
    assert message.headers
    assert message.headers["Nats-Batch-Sequence"] == "29"
    assert message.headers["Nats-Batch-Commit"] == "1"


async def test_many_batches_arrive_whole_and_in_order(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    facts = [registered(f"hub-{number}") for number in range(1200)]
    await state(directory, *facts)
    async with relaying(directory, as_directory):
        await eventually(lambda: last_sequence(bus, 1200))
    stated = await in_stream(bus)
    assert stated == [fact.id for fact in facts]


async def last_sequence(nc: Client, expected: int) -> bool:
    return bool((await nc.jetstream().stream_info("DIRECTORY")).state.last_seq == expected)


async def test_an_older_transaction_still_open_is_not_overtaken(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    """The trap of a cursor on `id` alone: the row with the smaller id is committed after the one with the larger."""
    slow, fast, late = registered("slow"), registered("fast"), registered("late")
    async with relaying(directory, as_directory) as relay:
        async with directory.transaction() as session:
            await emit(session, slow)
            await state(directory, fast)
            relay.kick()
            assert await scalar(directory, "SELECT count(*) FROM outbox") == 1
            await eventually(lambda: scalar(directory, "SELECT epoch FROM relay_cursor"))
            # The relay has looked, more than once, and leaves the fast one alone while the slow one may commit.
            looked = asyncio.get_running_loop().time() + 0.6
            await eventually(lambda: asyncio.get_running_loop().time() > looked)
            assert await in_stream(bus) == []
        await arrived(bus, slow.id, fast.id)
        await state(directory, late)
        await arrived(bus, slow.id, fast.id, late.id)


async def test_it_goes_on_from_the_end_of_the_stream_without_any_cursor_row(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    first, second = registered("ystad"), changed("ystad", 2)
    await state(directory, first)
    async with relaying(directory, as_directory):
        await arrived(bus, first.id)
    async with directory.transaction() as session:
        await session.execute(text("DELETE FROM relay_cursor"))
        await emit(session, second)
    async with relaying(directory, as_directory):
        await arrived(bus, first.id, second.id)


async def test_killed_between_the_stream_and_its_notes_nothing_is_lost_or_repeated(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    facts = [registered("ystad"), changed("ystad", 2), changed("ystad", 3)]
    await state(directory, *facts[:2])
    async with directory.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        doomed = StreamRelay(await driver_of(connection), as_directory, DIRECTORY)
        await doomed.take()
        await doomed._publish(
            await eventually(doomed._waiting)
        )  # and here the process dies: its place was never noted
    await state(directory, facts[2])
    async with relaying(directory, as_directory):
        await arrived(bus, *(fact.id for fact in facts))


async def test_a_stream_made_anew_is_filled_again(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    facts = [registered("ystad"), changed("ystad", 2), changed("ystad", 3)]
    await state(directory, *facts[:2])
    async with relaying(directory, as_directory):
        await arrived(bus, facts[0].id, facts[1].id)
        await bus.jetstream().delete_stream("DIRECTORY")
        await provision(bus)
        await state(directory, facts[2])
        await arrived(bus, *(fact.id for fact in facts))


async def test_a_purged_stream_is_filled_again_even_when_nothing_new_is_stated(
    directory: Database, bus: Client, as_directory: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purge leaves the last sequence as it was, and the server still calls the lost messages duplicates."""
    monkeypatch.setattr(stream_relay, "LOOK_AT_STREAM_EVERY", 0.1)
    facts = [registered("ystad"), changed("ystad", 2)]
    await state(directory, *facts)
    async with relaying(directory, as_directory):
        await arrived(bus, *(fact.id for fact in facts))
        await bus.jetstream().purge_stream("DIRECTORY")
        await arrived(bus, *(fact.id for fact in facts))


async def test_a_database_that_forgot_more_than_is_looked_back_over_does_not_tell_everything_again(
    directory: Database, bus: Client, as_directory: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore that lacks an afternoon; it noted its place in the stream before it was saved."""
    monkeypatch.setattr(stream_relay, "LOOK_BACK", 3)
    kept = [registered("ystad"), changed("ystad", 2), changed("ystad", 3)]
    async with relaying(directory, as_directory):
        await state(directory, *kept)
        await eventually(lambda: scalar(directory, "SELECT last_sequence = 3 FROM relay_cursor"))
    for number in range(6):
        forgotten = registered(f"forgotten-{number}")
        headers = {"Nats-Msg-Id": str(forgotten.id), "Foci-Position": f"9{number}.9{number}"}
        body = forgotten.model_dump_json().encode()
        await bus.jetstream().publish(forgotten.subject_for(forgotten.hub), body, headers=headers)
    new, before = changed("ystad", 4), RELAY_DUPLICATES.labels("DIRECTORY")._value.get()
    await state(directory, new)
    async with relaying(directory, as_directory):
        await eventually(lambda: last_sequence(bus, 10))
    assert (await in_stream(bus))[9:] == [new.id]
    # Within two minutes the server still knows what it has; after that all would come a second time.
    assert RELAY_DUPLICATES.labels("DIRECTORY")._value.get() == before


async def test_a_stranger_who_writes_into_the_stream_is_noticed_and_stepped_over(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    first, second, third = registered("ystad"), changed("ystad", 2), changed("ystad", 3)
    await state(directory, first)
    async with relaying(directory, as_directory):
        await arrived(bus, first.id)
        for headers in (
            None,
            {"Foci-Position": "nonsense.7"},
            {"Foci-Position": "1.1", "Nats-Msg-Id": "no-uuid"},
        ):
            await bus.jetstream().publish(
                "hubs.ystad.directory.hub-profile-changed.v1", b"{}", headers=headers
            )
        await state(directory, second)
        await state(directory, third)
        await eventually(lambda: last_sequence(bus, 6))
    js = bus.jetstream()
    stated = [(await js.get_msg("DIRECTORY", n)).headers for n in (5, 6)]
    assert [headers and headers["Nats-Msg-Id"] for headers in stated] == [str(second.id), str(third.id)]


async def test_a_batch_with_a_known_fact_goes_one_by_one_and_counts_the_duplicate(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    """10201: the server refuses a batch that holds one id it knows."""
    first, more = registered("ystad"), [changed("ystad", version) for version in range(2, 30)]
    before = RELAY_DUPLICATES.labels("DIRECTORY")._value.get()
    # Somebody put the first one there, without a place in the outbox.
    await bus.jetstream().publish(
        first.subject_for("ystad"), first.model_dump_json().encode(), headers={"Nats-Msg-Id": str(first.id)}
    )
    await state(directory, first, *more)
    async with relaying(directory, as_directory):
        await arrived(bus, first.id, *(fact.id for fact in more))
    assert RELAY_DUPLICATES.labels("DIRECTORY")._value.get() == before + 1


async def test_two_relays_one_leads_and_the_other_takes_over_when_the_first_is_cut_off(
    database: Callable[[str], str], bus: Client, nats_account: NatsAccount, postgres: str
) -> None:
    url = database("directory")
    admin = await asyncpg.connect(postgres)
    async with opened(url) as one, opened(url) as two:
        nc_one, nc_two = await nats_account.connect("directory"), await nats_account.connect("directory")
        first, second, third = registered("ystad"), changed("ystad", 2), changed("ystad", 3)
        async with relaying(one, nc_one), relaying(two, nc_two):
            await state(one, first)
            await arrived(bus, first.id)
            assert await scalar(one, "SELECT epoch FROM relay_cursor") == 1
            assert await admin.fetchval(HOLDERS, url.rpartition("/")[2]) == 1
            await admin.fetchval(TERMINATE, url.rpartition("/")[2])
            await eventually(lambda: scalar(one, "SELECT epoch = 2 FROM relay_cursor"))
            await state(two, second, third)
            await arrived(bus, first.id, second.id, third.id)
        await nc_one.close()
        await nc_two.close()
    await admin.close()


HOLDERS = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE locktype = 'advisory' AND granted AND datname = $1
"""
TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE locktype = 'advisory' AND granted AND datname = $1
"""


async def test_a_relay_that_stops_gives_the_lock_back_at_once(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    """The lock belongs to the database session: a connection that went back to the pool would keep it."""
    for version in (1, 2, 3):
        fact = changed("ystad", version)
        async with relaying(directory, as_directory):
            await state(directory, fact)
            await eventually(lambda: last_sequence(bus, version))  # noqa: B023  # awaited within the turn


async def test_a_relay_that_lost_its_lock_without_noticing_is_fenced_off(
    directory: Database, bus: Client, as_directory: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_relay, "CURSOR_EVERY", 0.0)
    async with directory.engine.connect() as a, directory.engine.connect() as b:
        await a.execution_options(isolation_level="AUTOCOMMIT")
        await b.execution_options(isolation_level="AUTOCOMMIT")
        drivers = [await driver_of(connection) for connection in (a, b)]
        old, new = (StreamRelay(driver, as_directory, DIRECTORY) for driver in drivers)
        await old.take()
        await new.take()
        facts = [registered("ystad"), changed("ystad", 2)]
        await state(directory, facts[0])
        await eventually(new.step)
        await eventually(old._waiting)
        with pytest.raises(Misplaced):  # the stream has moved on without it: it publishes nothing twice
            await old.step()
        await old.find_place()
        await state(directory, facts[1])
        await eventually(old._waiting)
        with pytest.raises(LostLeadership):
            await old.step()
    assert await in_stream(bus) == [facts[0].id, facts[1].id]


async def test_a_batch_cut_off_in_the_middle_is_published_whole_afterwards(
    directory: Database, bus: Client, nats_account: NatsAccount
) -> None:
    facts = [registered("ystad"), *(changed("ystad", version) for version in range(2, 200))]
    await state(directory, *facts)
    nc = await nats_account.connect("directory", reconnect_time_wait=0.05, max_reconnect_attempts=-1)
    publish, sent = nc.publish, 0

    async def cut_off_once(*args: object, **options: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 100:
            await nc.flush()
            assert nc._transport
            nc._transport.close()  # type: ignore[no-untyped-call]
        await publish(*args, **options)  # type: ignore[arg-type]

    nc.publish = cut_off_once  # type: ignore[method-assign]
    async with relaying(directory, nc):
        await eventually(lambda: last_sequence(bus, len(facts)), within=20)
    assert await in_stream(bus) == [fact.id for fact in facts]
    await nc.close()


async def test_a_database_restored_into_a_new_cluster_goes_on_where_its_numbers_are_larger(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    """Rows of the old cluster have transaction numbers the new one has not reached."""
    old, new = registered("ystad"), changed("ystad", 2)
    await state(directory, old)
    async with directory.transaction() as session:
        await session.execute(text("UPDATE outbox SET xid = '999999999'::xid8"))
    await state(directory, new)
    async with relaying(directory, as_directory):
        await arrived(bus, old.id, new.id)


async def test_a_kick_wakes_the_relay_of_another_replica_within_milliseconds(
    database: Callable[[str], str], bus: Client, nats_account: NatsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "POLL", 30.0)  # so that only a kick can be the reason
    url = database("directory")
    nc_one, nc_two = await nats_account.connect("directory"), await nats_account.connect("directory")
    kick_one, kick_two = Kick(nc_one, "local", "directory"), Kick(nc_two, "local", "directory")
    seen: list[float] = []

    async def note_time(_: Msg) -> None:
        seen.append(time.perf_counter())

    spy = await bus.subscribe("hubs.>", cb=note_time)
    await settled(bus)
    async with opened(url) as leader, opened(url) as other:
        other.announce = kick_two.announce
        async with relaying(leader, nc_one) as relay:
            kick_one.wakes(relay.kick)
            await kick_one.listen()
            await settled(nc_one)
            await eventually(lambda: scalar(leader, "SELECT epoch FROM relay_cursor"))
            took = []
            for version in range(1, 21):
                await state(other, changed("ystad", version))
                committed = time.perf_counter()
                await eventually(lambda: len(seen) == version)  # noqa: B023  # awaited within the turn
                took.append(seen[-1] - committed)
    assert sorted(took)[10] < 0.05, took
    await spy.unsubscribe()
    await nc_one.close()
    await nc_two.close()


async def test_the_poll_finds_what_a_lost_kick_did_not_announce(
    directory: Database, bus: Client, as_directory: Client
) -> None:
    async with relaying(directory, as_directory):
        for version in (1, 2, 3):
            fact = changed("ystad", version)
            await state(directory, fact)  # nobody kicks here
            await eventually(lambda: last_sequence(bus, version), within=2)  # noqa: B023  # awaited within the turn


async def test_only_transactions_that_state_or_set_something_are_announced(
    database: Callable[[str], str],
) -> None:
    """A look that announced itself would wake the next look, on every replica, for ever."""
    announced: list[int] = []
    async with opened(database("directory"), announced=announced) as directory:
        announced.clear()
        async with directory.transaction() as session:
            await session.execute(text("SELECT 1"))
        assert not announced
        await state(directory, registered("ystad"))
        assert announced == [1]


async def test_a_fact_too_large_for_the_bus_is_refused_where_it_is_stated(directory: Database) -> None:
    """In the outbox it would stop everything behind it for ever."""
    with pytest.raises(ValueError, match="larger than"):
        await state(directory, registered("ystad", name="x" * 600_000))
    assert await scalar(directory, "SELECT count(*) FROM outbox") == 0
