"""Five faults one could build, each with the few steps that bring it to light; the clean system takes the same steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.faults.arena import Arena, Planted
from tests.faults.checks import Broken, Violation, check
from tests.faults.clients import Client, ahead, gather_clients
from tests.faults.evidence import Gathering
from tests.faults.history import History, Outcome
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


Steps = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A fault, what it breaks, and how."""

    name: str
    breaks: Broken
    steps: Steps
    service: str = "booking"
    moment: str | None = None


async def _same_room_twice(stage: Stage) -> None:
    wish = {"space": "studio", **ahead(3)}
    await stage.client.reserve(wish)
    await stage.other.reserve(wish)


async def _die_between_stating_and_commit(stage: Stage) -> None:
    booked = await stage.client.reserve({"space": "studio", **ahead(3)})
    stage.arena.once.touch()
    lost = await stage.client.cancel(booked.answer["id"])
    assert lost.outcome is Outcome.UNKNOWN, lost


async def _overtake_an_open_transaction(stage: Stage) -> None:
    booked = await stage.client.reserve({"space": "studio", **ahead(3)})
    held = stage.arena.once.with_suffix(".held")
    stage.arena.once.touch()
    witness = await stage.arena.connect_as_witness()
    try:
        js = witness.jetstream(timeout=5)

        async def meanwhile() -> None:
            assert await comes_true(_exists(held), within=10, every=0.02)
            other = await stage.other.reserve({"space": "meeting", **ahead(3)})

            async def overtaken() -> bool:
                last = await js.get_last_msg("BOOKING", f"hubs.{stage.hub}.booking.booking-confirmed.v1")
                return other.answer["id"].encode() in (last.data or b"")

            # The clean relay waits for the open transaction, so this may come to nothing.
            await comes_true(overtaken, within=2, every=0.05)
            held.unlink(missing_ok=True)

        await asyncio.gather(stage.client.cancel(booked.answer["id"]), meanwhile())
    finally:
        await witness.close()


def _exists(file: Path) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return await asyncio.to_thread(file.exists)

    return there


async def _ask_again_with_the_same_key(stage: Stage) -> None:
    wish = {"space": "flex", "title": "wanted-once", **ahead(3)}
    stage.arena.once.touch()
    lost = await stage.client.reserve(wish, key="the-same-key")
    assert lost.outcome is Outcome.UNKNOWN, lost

    async def certain() -> bool:
        again = await stage.client.reserve(wish, key="the-same-key")
        return again.outcome is not Outcome.UNKNOWN

    assert await comes_true(certain, within=20)


async def _die_between_effect_and_ack(stage: Stage) -> None:
    stage.arena.once.touch()
    await stage.client.reserve({"space": "studio", **ahead(3)})

    async def died() -> bool:
        return not stage.arena.once.exists()

    assert await comes_true(died, within=20)


SCENARIOS = (
    Scenario("no-constraint", Broken.DOUBLE_BOOKING, _same_room_twice),
    Scenario(
        "publish-before-commit", Broken.UNCOMMITTED, _die_between_stating_and_commit, moment="before-commit"
    ),
    Scenario("inbox-outside", Broken.EFFECTS, _die_between_effect_and_ack, "ledger", "before-ack"),
    Scenario("id-only-cursor", Broken.UNSTATED, _overtake_an_open_transaction, moment="open-transaction"),
    Scenario("lost-key", Broken.KEY, _ask_again_with_the_same_key, moment="before-answer"),
)


async def play(arena: Arena, scenario: Scenario, *, faulty: bool) -> list[Violation]:
    """Plant the fault or only the bad moment, take the steps, and see what the checks say about this hub."""
    if scenario.moment is not None:
        fault = scenario.name if faulty else "none"
        await arena.plant(Planted(scenario.service, scenario.moment, fault))
    hub = f"{scenario.name}-{'faulty' if faulty else 'clean'}"
    world = await make_world(arena, hub, members=2, hosts=0)
    without_constraint, promise = faulty and scenario.moment is None, None
    if without_constraint:
        promise = await _execute(arena, DEFINITION)
        await _execute(arena, "ALTER TABLE booking DROP CONSTRAINT booking_no_overlap")
    history = History()
    client, other = gather_clients(world, arena.gateways(), history, seed=1, count=2)
    arena.restless.ends.clear()
    arena.restless.killed.clear()
    await scenario.steps(Stage(arena, client, other, hub))
    evidence = await Gathering(arena, hub, history).gather(settles_within=SETTLES_WITHIN_S)
    # That it died at the bad moment is the scenario's own doing, and so is the answer that never came.
    evidence.ended_unasked.clear()
    history.kills.clear()
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
