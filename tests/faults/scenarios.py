"""Five faults one could build, each with the few steps that bring it to light; the clean system takes the same steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.narrator import Narrator
from tests.faults import ledger
from tests.faults.arena import Arena, arena_in
from tests.faults.checks import Broken, Violation, check
from tests.faults.clients import Client, ahead, gather_clients
from tests.faults.evidence import Gathering
from tests.faults.history import History, Operation, Outcome
from tests.faults.planting import BadMoment
from tests.faults.waiting import comes_true
from tests.faults.world import make_world

SETTLES_WITHIN_S = 20.0


@dataclass
class Stage:
    """What the steps of a scenario have at hand."""

    arena: Arena
    client: Client
    other: Client
    hub: str
    faulty: bool

    def moment(self, name: str) -> BadMoment:
        """It comes once from here on."""
        moment = self.arena.planting.moment(name)
        moment.expect()
        return moment


Steps = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A fault, what it breaks, and how."""

    name: str
    breaks: Broken
    steps: Steps
    in_database: bool = False
    """It is no process that is at fault."""


async def _reserve(client: Client, space: str) -> Operation:
    """Reserve, and ask again until the answer is certain: on a busy machine the first may come too late."""
    wish = {"space": space, "title": f"{client.name}-{space}", **ahead(3)}

    async def ask() -> Operation:
        return await client.reserve(wish, key=f"{client.name}-{space}")

    return await client.until_certain(await ask(), ask)


async def _same_room_twice(stage: Stage) -> None:
    await _reserve(stage.client, "studio")
    await _reserve(stage.other, "studio")


async def _die_between_stating_and_commit(stage: Stage) -> None:
    booked = await _reserve(stage.client, "studio")
    stage.moment("before-commit")
    lost = await stage.client.cancel(booked.answer["id"])
    assert lost.outcome is Outcome.UNKNOWN, lost


async def _overtake_an_open_transaction(stage: Stage) -> None:
    booked = await _reserve(stage.client, "studio")
    open_transaction = stage.moment("open-transaction")
    witness = await stage.arena.connect_as_witness()
    try:
        js = witness.jetstream(timeout=5)

        async def meanwhile() -> None:
            assert await comes_true(open_transaction.has_come, within=10, every=0.02)
            other = await _reserve(stage.other, "meeting")

            async def overtaken() -> bool:
                last = await js.get_last_msg("BOOKING", f"hubs.{stage.hub}.booking.booking-confirmed.v1")
                return other.answer["id"].encode() in (last.data or b"")

            # The clean relay waits for the open transaction, so there this comes to nothing.
            await comes_true(overtaken, within=3 if stage.faulty else 1, every=0.05)
            open_transaction.go_on()

        await asyncio.gather(stage.client.cancel(booked.answer["id"]), meanwhile())
    finally:
        await witness.close()


async def _ask_again_with_the_same_key(stage: Stage) -> None:
    stage.moment("before-answer")
    answered = await _reserve(stage.client, "flex")
    assert stage.client.history.operations[0].outcome is Outcome.UNKNOWN
    assert answered.outcome is not Outcome.UNKNOWN


async def _die_between_effect_and_ack(stage: Stage) -> None:
    before_ack = stage.moment("before-ack")
    await _reserve(stage.client, "studio")
    assert await comes_true(before_ack.has_come, within=20)


SCENARIOS = (
    Scenario("no-constraint", Broken.DOUBLE_BOOKING, _same_room_twice, in_database=True),
    Scenario("publish-before-commit", Broken.UNCOMMITTED, _die_between_stating_and_commit),
    Scenario("inbox-outside", Broken.EFFECTS, _die_between_effect_and_ack),
    Scenario("id-only-cursor", Broken.UNSTATED, _overtake_an_open_transaction),
    Scenario("lost-key", Broken.KEY, _ask_again_with_the_same_key),
)


def arena_to_plant_in(home: Path, narrator: Narrator) -> AbstractAsyncContextManager[Arena]:
    """Where scenarios are played; who dies leaves a request unanswered for the gateway's whole deadline.

    One gateway: none dies here.
    """
    return arena_in(home, narrator, deadline_s=2.5, faulty=("booking", ledger.SERVICE), gateways=1)


async def play(arena: Arena, scenario: Scenario, *, faulty: bool) -> list[Violation]:
    """Plant the fault or only the bad moment, take the steps, and see what the checks say about this hub."""
    without_constraint, promise = faulty and scenario.in_database, None
    arena.planting.begin(scenario.name if faulty and not scenario.in_database else None)
    hub = f"{scenario.name}-{'faulty' if faulty else 'clean'}"
    world = await make_world(arena, hub, members=2, hosts=0)
    if without_constraint:
        promise = await _execute(arena, DEFINITION)
        await _execute(arena, "ALTER TABLE booking DROP CONSTRAINT booking_no_overlap")
    history = History()
    client, other = gather_clients(world, arena.gateways(), history, seed=1, count=2)
    await scenario.steps(Stage(arena, client, other, hub, faulty))
    evidence = await Gathering(arena, hub, history).gather(settles_within=SETTLES_WITHIN_S)
    # That it died at the bad moment is the scenario's own doing, and so is the answer that never came.
    evidence.ended_unasked.clear()
    found = check(evidence)
    if without_constraint:
        await _execute(arena, f"DELETE FROM booking WHERE hub = '{hub}'")
        await _execute(arena, f"ALTER TABLE booking ADD CONSTRAINT booking_no_overlap {promise}")
    return [violation for violation in found if violation.broken is not Broken.UNDECIDED]


DEFINITION = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'booking_no_overlap'"


async def _execute(arena: Arena, statement: str) -> object:
    connection = await asyncpg.connect(arena.database("booking"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
