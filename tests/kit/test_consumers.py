"""Consumers: exactly one effect per fact, whatever fails, and nothing vanishes in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from nats.aio.client import Client
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.contracts.operations import ListDeadLetters, ReplayDeadLetter, ShowDeadLetter
from shared.kit import bus as bus_module
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.errors import NotFound, Unavailable
from shared.kit.ids import new_id, utc_now
from shared.kit.operations import handlers
from shared.kit.rpc import Call, carry_out
from tests.kit.consuming import DURABLE, Outage, consuming, dead, is_idle, message_of, send
from tests.kit.hubs import changed, effects, note, opened, registered, scalar, snapshot
from tests.servers import NatsAccount
from tests.waiting import eventually

FIRST_DELAY = 0.01
HUB_FACTS: tuple[type[Fact], ...] = (HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same doubling delays, from a shorter first one."""
    monkeypatch.setattr(bus_module, "FIRST_DELAY", FIRST_DELAY)


def mirror(
    database: Database, effect: Any = note, *, in_order: bool = True, facts: Any = HUB_FACTS
) -> Consumer:
    return Consumer(DURABLE, database, dict.fromkeys(facts, effect), ids=new_id, in_order=in_order)


async def operate(database: Database, consumer: Consumer, request: Any) -> Any:
    """What the platform's operator is answered."""
    handler = handlers([consumer], {})[type(request)]
    answer = await carry_out(database, handler, request, Call(None, utc_now()))
    return request.reply.model_validate_json(answer.body)


async def test_facts_delivered_twice_late_and_reversed_have_one_effect_each_in_order(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    facts = [registered("ystad"), *(changed("ystad", version) for version in range(2, 7))]
    await send(bus, *reversed(facts), times=2)
    async with consuming(nats_account, mirror(booking)):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await effects(booking) == [("ystad", version) for version in range(1, 7)]
    assert await dead(booking) == []
    assert await scalar(booking, "SELECT count(*) FROM parked_fact") == 0


async def test_the_service_binds_to_what_was_provisioned_and_makes_nothing(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    before = await bus.jetstream().consumers_info("DIRECTORY")
    await send(bus, registered("ystad"))
    async with consuming(nats_account, mirror(booking)):
        await eventually(lambda: is_idle(bus, DURABLE))
    after = await bus.jetstream().consumers_info("DIRECTORY")
    assert [info.config for info in after] == [info.config for info in before]


async def test_trap_2_a_failing_effect_is_tried_again_with_growing_delay_and_kept_after_eight_tries(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    """FastStream's own policy would end the message at the first exception."""
    tries: list[float] = []

    async def fails(session: AsyncSession, fact: Fact) -> None:
        await note(session, fact)
        tries.append(asyncio.get_running_loop().time())
        raise ZeroDivisionError("a bug")

    terminated = await bus.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>")
    fact = registered("ystad")
    await send(bus, fact)
    async with consuming(nats_account, mirror(booking, fails)):
        await eventually(lambda: dead(booking), within=20)
        await eventually(lambda: is_idle(bus, DURABLE))
    (letter,) = await dead(booking)
    assert (letter["fact_id"], letter["attempts"], letter["consumer"]) == (fact.id, 8, DURABLE)
    assert "ZeroDivisionError" in letter["reason"]
    assert len(tries) == 8
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert pauses[-1] > 4 * pauses[0]
    assert all(pause >= FIRST_DELAY * 2**number for number, pause in enumerate(pauses))
    assert await effects(booking) == []
    assert b"ZeroDivisionError" in (await terminated.next_msg(timeout=2)).data


async def test_a_fact_that_fails_for_a_while_has_its_effect_in_the_end(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    failures = 3

    async def not_yet(session: AsyncSession, fact: Fact) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise Unavailable("Have not heard of that space yet.")
        await note(session, fact)

    await send(bus, registered("ystad"))
    async with consuming(nats_account, mirror(booking, not_yet)):
        await eventually(lambda: effects(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await dead(booking) == []


async def test_an_error_that_will_stay_makes_a_dead_letter_at_the_first_try(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    async def refuses(session: AsyncSession, fact: Fact) -> None:
        raise NotFound("There is no such hub.")

    await send(bus, registered("ystad"))
    async with consuming(nats_account, mirror(booking, refuses)):
        await eventually(lambda: dead(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    (letter,) = await dead(booking)
    assert letter["attempts"] == 1


async def test_nonsense_is_a_dead_letter_and_what_is_unknown_is_passed_over(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    subject = registered("ystad").subject_for("ystad")
    for body in (b"\xff\x00nonsense", b'{"id": "no"}', b""):
        await bus.jetstream().publish(subject, body)
    await send(bus, changed("lund", 1), registered("ystad"))
    async with consuming(nats_account, mirror(booking, facts=(HubRegisteredV1,))):
        await eventually(lambda: effects(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await effects(booking) == [("ystad", 1)]
    assert {letter["reason"].partition(":")[0] for letter in await dead(booking)} == {"Unreadable"}
    assert len(await dead(booking)) == 3


async def test_while_the_database_is_away_a_fact_waits_and_no_try_is_counted(
    database: Callable[[str], str],
    postgres: str,
    bus: Client,
    nats_account: NatsAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "FIRST_DELAY", FIRST_DELAY / 10)  # how long it waits is another's story
    url = database("booking")
    outage = Outage(postgres, url)
    async with opened(url) as booking:
        async with consuming(nats_account, mirror(booking)):
            await outage.begin()
            await send(bus, registered("ystad"))

            async def delivered_more_often_than_tries_are_given() -> bool:
                info = await bus.jetstream().consumer_info("DIRECTORY", DURABLE)
                return bool(info.delivered and info.delivered.consumer_seq > bus_module.ATTEMPTS)

            await eventually(delivered_more_often_than_tries_are_given, within=20)
            await outage.end()
            await eventually(lambda: effects(booking))
            await eventually(lambda: is_idle(bus, DURABLE))
        assert await dead(booking) == []
        assert (
            await scalar(booking, "SELECT max(attempts) FROM fact_failure") or 0
        ) <= 1  # the end of the outage


async def test_a_dead_letter_can_be_listed_shown_and_replayed_once_the_fault_is_mended(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    mended = False

    async def effect(session: AsyncSession, fact: Fact) -> None:
        if not mended:
            raise NotFound("There is no such hub.")
        await note(session, fact)

    consumer = mirror(booking, effect)
    first, second = registered("ystad"), changed("ystad", 2)
    await send(bus, first, second)
    async with consuming(nats_account, consumer):
        await eventually(lambda: dead(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    page = await operate(booking, consumer, ListDeadLetters())
    (letter,) = page.items
    shown = await operate(booking, consumer, ShowDeadLetter(id=letter.id))
    assert UUID(HubRegisteredV1.model_validate_json(shown.body).id.hex) == first.id
    with pytest.raises(NotFound):
        await operate(booking, consumer, ReplayDeadLetter(id=letter.id))
    mended = True
    replayed = await operate(booking, consumer, ReplayDeadLetter(id=letter.id))
    assert replayed.replayed_at is not None
    # The second fact had been waiting for the first one.
    assert await effects(booking) == [("ystad", 1), ("ystad", 2)]
    assert (await operate(booking, consumer, ListDeadLetters())).items == ()
    await operate(booking, consumer, ReplayDeadLetter(id=letter.id))
    assert await effects(booking) == [("ystad", 1), ("ystad", 2)]


async def test_many_replays_at_once_do_not_wait_for_each_others_connections(booking: Database) -> None:
    mended = False

    async def effect(session: AsyncSession, fact: Fact) -> None:
        if not mended:
            raise NotFound("There is no such hub.")
        await note(session, fact)

    consumer = mirror(booking, effect)
    for number in range(12):
        await consumer.handle(message_of(registered(f"hub-{number}")))
    letters = await dead(booking)
    mended = True
    await asyncio.gather(*(operate(booking, consumer, ReplayDeadLetter(id=one["id"])) for one in letters))
    assert len(await effects(booking)) == 12


async def test_a_parked_fact_that_fails_does_not_take_the_one_before_it_down(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    mended = False

    async def effect(session: AsyncSession, fact: Any) -> None:
        if fact.subject_version == 2 and not mended:
            raise NotFound("There is no such hub.")
        await note(session, fact)

    consumer = mirror(booking, effect)
    first, second, third = registered("ystad"), changed("ystad", 2), changed("ystad", 3)
    await send(bus, third, second, first)
    async with consuming(nats_account, consumer):
        await eventually(lambda: dead(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await effects(booking) == [("ystad", 1)]
    (letter,) = await dead(booking)
    assert letter["fact_id"] == second.id
    mended = True
    await operate(booking, consumer, ReplayDeadLetter(id=letter["id"]))
    assert await effects(booking) == [("ystad", 1), ("ystad", 2), ("ystad", 3)]


async def test_a_graceful_stop_finishes_what_was_begun(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(session: AsyncSession, fact: Fact) -> None:
        begun.set()
        await go_on.wait()
        await note(session, fact)

    await send(bus, registered("ystad"), registered("lund"))
    stack = consuming(nats_account, mirror(booking, slow))
    await stack.__aenter__()
    await asyncio.wait_for(begun.wait(), 5)
    stopping = asyncio.create_task(stack.__aexit__(None, None, None))
    done, _ = await asyncio.wait({stopping}, timeout=0.2)
    assert not done
    go_on.set()
    await asyncio.wait_for(stopping, 5)
    assert await effects(booking) == [("ystad", 1)]
    info = await bus.jetstream().consumer_info("DIRECTORY", DURABLE)
    assert info.ack_floor
    assert info.ack_floor.stream_seq == 1  # acknowledged, so nobody repeats it


async def test_trap_4_a_fact_after_an_idle_while_is_taken_in_at_once(
    booking: Database, bus: Client, nats_account: NatsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull that timed out must not leave a request behind that swallows the next message."""
    monkeypatch.setattr(bus_module, "IDLE_FETCH", 0.1)
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def effect(session: AsyncSession, fact: Fact) -> None:
        took.append(loop.time())

    async with consuming(nats_account, mirror(booking, effect, in_order=False)):
        for number in range(12):
            quiet_until = loop.time() + 0.1 + number * 0.017  # every phase of the pulls
            await eventually(lambda: loop.time() > quiet_until)  # noqa: B023  # awaited within the turn
            sent = loop.time()
            await send(bus, registered(f"hub-{number}"))
            await eventually(lambda: len(took) > number)  # noqa: B023  # awaited within the turn
            assert took[-1] - sent < 0.5


async def test_two_replicas_share_one_durable_consumer(
    booking: Database, bus: Client, nats_account: NatsAccount
) -> None:
    facts = [registered(f"hub-{number}") for number in range(30)]
    async with consuming(nats_account, mirror(booking)), consuming(nats_account, mirror(booking)):
        await send(bus, *facts, times=2)
        await eventually(lambda: is_idle(bus, DURABLE))
    assert sorted(await effects(booking)) == sorted((fact.hub, 1) for fact in facts)


async def test_a_snapshot_jumps_the_gap_and_frees_what_was_parked_behind_it(booking: Database) -> None:
    consumer = mirror(booking)
    for fact in (changed("ystad", 9), changed("ystad", 3), snapshot("ystad", 8), changed("ystad", 8)):
        await consumer.take_in(fact)
    assert await effects(booking) == [("ystad", 8), ("ystad", 9)]
    assert await scalar(booking, "SELECT count(*) FROM parked_fact") == 0
