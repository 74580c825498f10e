"""Many people at once: lanes, batches, keys, and the order of commits, against the real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest_asyncio
from sqlalchemy import text

from services.events.commands.signing_up import LINE_BATCH, SignUps
from shared.contracts.events.facts import PlaceAwaitedV1, PlaceTakenV1
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import SignUpView
from shared.contracts.events.words import SignUpStatus, Way
from shared.kit.database import Database, make_engine
from shared.kit.idempotency import Answer
from shared.kit.principal import Principal
from shared.kit.rpc import Call
from tests.connections import Connections
from tests.events.lines import give_back, nothing_wrong, opened, sign_up
from tests.events.world import HUB, Refused, World, make_world


@pytest_asyncio.fixture
async def world(connections: Connections, events_database: str, empty: World) -> World:
    """A world whose time is now: keys are remembered by the database's own clock."""
    return make_world(connections, events_database, now=datetime.now(UTC))


@pytest_asyncio.fixture
async def other_replica(events_database: str, world: World) -> AsyncIterator[SignUps]:
    """A second replica: lanes and connections of its own."""
    engine = make_engine(events_database, pool_size=4)
    yield SignUps(Database(engine, lambda: None), world.ids, world.chance)
    await engine.dispose()


def call_of(world: World, number: int) -> Call:
    """Somebody of a crowd."""
    return Call(Principal(UUID(int=0xC0000 + number), HUB, "member"), world.now)


async def rows_in_commit_order(world: World) -> list[tuple[int, str]]:
    """Numbers and states as the log has them: by transaction, then by row."""
    rows = await world.rows("""
        SELECT (body::json ->> 'number')::int AS number, subject FROM outbox WHERE stream = 'EVENTS' ORDER BY xid, id
    """)
    return [(row.number, row.subject.split(".")[-2]) for row in rows]


def batches() -> tuple[float, float]:
    """Transactions so far, and sign-ups in them."""
    samples = {one.name: one.value for one in next(iter(LINE_BATCH.collect())).samples}
    return samples["foci_line_batch_count"], samples["foci_line_batch_sum"]


async def test_five_hundred_at_two_replicas_for_twenty_places(world: World, other_replica: SignUps) -> None:
    event = await opened(world, 20)
    request = SignUp(hub=HUB, event=event)
    replicas = (world.sign_ups, other_replica)
    answers = await asyncio.gather(
        *(replicas[number % 2].sign_up(request, call_of(world, number)) for number in range(500))
    )
    views = [SignUpView.model_validate_json(answer.body) for answer in answers]
    assert [one.status for one in answers] == [201] * 500
    ordered = sorted(views, key=lambda one: one.place or 0)
    assert [one.place for one in ordered] == list(range(1, 501))
    assert [one.status for one in ordered] == [SignUpStatus.ATTENDING] * 20 + [SignUpStatus.WAITING] * 480
    assert [one.waiting_place for one in ordered[20:]] == list(range(1, 481))
    stated = await rows_in_commit_order(world)
    assert stated == [
        (number, "place-taken" if number <= 20 else "place-awaited") for number in range(1, 501)
    ]
    await nothing_wrong(world)


async def test_those_who_come_at_once_share_a_transaction(world: World) -> None:
    event = await opened(world, 20)
    before = batches()
    request = SignUp(hub=HUB, event=event)
    await asyncio.gather(*(world.sign_ups.sign_up(request, call_of(world, n)) for n in range(200)))
    transactions, people = (now - then for now, then in zip(batches(), before, strict=True))
    assert people == 200
    assert transactions <= 4
    assert world.sign_ups._lanes == {}


async def test_ten_thousand_at_once_for_twenty_places(world: World) -> None:
    event = await opened(world, 20)
    request = SignUp(hub=HUB, event=event)
    answers = await asyncio.gather(
        *(world.sign_ups.sign_up(request, call_of(world, number)) for number in range(10_000))
    )
    assert {answer.status for answer in answers} == {201}
    [row] = await world.rows("SELECT taken, waiting, last_number FROM places")
    assert tuple(row) == (20, 9_980, 10_000)
    await nothing_wrong(world)


async def test_one_event_does_not_wait_for_another(world: World) -> None:
    slow, quick = await opened(world, 1), await opened(world, 1)
    async with world.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM places WHERE event = :event FOR UPDATE"), {"event": slow})
        waiting = asyncio.create_task(world.sign_ups.sign_up(SignUp(hub=HUB, event=slow), call_of(world, 1)))
        answer = await world.sign_ups.sign_up(SignUp(hub=HUB, event=quick), call_of(world, 2))
        assert (answer.status, waiting.done()) == (201, False)
    assert (await waiting).status == 201


async def test_somebody_who_stops_waiting_is_not_waited_for(world: World) -> None:
    event = await opened(world, 5)
    request = SignUp(hub=HUB, event=event)
    async with world.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM places FOR UPDATE"))
        tasks = [asyncio.create_task(world.sign_ups.sign_up(request, call_of(world, n))) for n in range(4)]
        await asyncio.sleep(0)  # they stand in the lane now
        tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert [one.status for one in answers if isinstance(one, Answer)] == [201] * 3
    await nothing_wrong(world)


async def test_the_same_person_in_both_lines_at_once_is_in_one(world: World, other_replica: SignUps) -> None:
    event = await opened(world, 50, online=50)
    replicas = (world.sign_ups, other_replica)
    answers = await asyncio.gather(
        *(
            replicas[n % 2].sign_up(SignUp(hub=HUB, event=event, way=way), call_of(world, n * step % 31))
            for n in range(31)
            for way, step in ((Way.ROOM, 1), (Way.ONLINE, 7))
        )
    )
    assert sorted(answer.status for answer in answers) == [201] * 31 + [409] * 31
    assert len(await world.rows("SELECT id FROM sign_up")) == 31
    await nothing_wrong(world)


async def test_twins_in_a_batch_are_one(world: World) -> None:
    event = await opened(world, 5)
    by, request = world.principal("ann"), SignUp(hub=HUB, event=event)
    twins = await asyncio.gather(*(world.answer(request, by, key="k") for _ in range(12)))
    assert len({one.body for one in twins if isinstance(one, Answer)}) == 1
    assert len(await world.facts(PlaceTakenV1)) == 1
    other = await world.answer(request, by, key="another")
    assert isinstance(other, Refused)
    assert other.code == "already-signed-up"
    assert isinstance(await world.answer(request, by), Refused)
    assert await world.answer(request, by, key="k") == twins[0]


async def test_a_key_answers_the_same_although_much_has_happened(world: World) -> None:
    event = await opened(world, 1, waits=False)
    request = SignUp(hub=HUB, event=event)
    [ann] = await sign_up(world, event, "ann")
    first = await world.answer(request, world.principal("ben"), key="k")
    assert isinstance(first, Refused)
    assert first.code == "event-full"
    await world.ask(give_back(ann), "ann")
    crowd = [world.answer(request, world.principal(f"p{n}"), key="k") for n in range(10)]
    again, *others = await asyncio.gather(world.answer(request, world.principal("ben"), key="k"), *crowd)
    assert isinstance(again, Refused)
    assert again.problem == first.problem
    # One broken member of a batch takes nobody else's place: ben's key has an answer, so he is not let in.
    assert len([one for one in others if isinstance(one, Answer)]) == 1
    reused = await world.answer(SignUp(hub=HUB, event=event, way=Way.ROOM), world.principal("ben"), key="k")
    assert isinstance(reused, Refused)
    assert (reused.status, reused.code) == (422, "idempotency-key-reused")
    await nothing_wrong(world)


async def test_a_success_is_repeated_after_the_place_was_given_back(world: World) -> None:
    event = await opened(world, 5)
    request = SignUp(hub=HUB, event=event)
    first = await world.answer(request, world.principal("ann"), key="k")
    assert isinstance(first, Answer)
    await world.ask(give_back(SignUpView.model_validate_json(first.body)), "ann")
    assert await world.answer(request, world.principal("ann"), key="k") == first
    assert len(await world.facts(PlaceTakenV1, PlaceAwaitedV1)) == 1


async def test_an_event_that_gained_a_room_is_looked_at_again(world: World) -> None:
    event = await opened(world, 1)
    assert [one.way for one in await sign_up(world, event, "ann")] == [Way.ROOM]
    async with world.database.transaction() as session:
        await session.execute(text("DELETE FROM sign_up"))
        await session.execute(text("UPDATE places SET way = 'online'"))
    assert [one.way for one in await sign_up(world, event, "ben")] == [Way.ONLINE]
    assert (await world.refusal(SignUp(hub=HUB, event=world.ids()), "ann", key="k")).status == 404
