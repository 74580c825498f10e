"""People read along while others work and gateways are killed: each is told what is theirs to know, once, in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import orjson
from rich.table import Table

from deploy.local.narrator import Narrator
from deploy.local.stack import GATEWAY
from deploy.local.supervisor import Program
from deploy.local.tokens import development_token
from shared.contracts.directory.words import Role
from shared.contracts.live import LIVE_STREAMS
from shared.contracts.streams import OCCUPANCY
from shared.kit.ids import utc_now
from tests.faults import ledger
from tests.faults.arena import Arena
from tests.faults.balancing import BalancedDoor, Balancer
from tests.faults.clients import gather_clients
from tests.faults.door import Hangs, Lost, Shut
from tests.faults.evidence import read_stream
from tests.faults.history import History
from tests.faults.reading import Account, Reader, all_caught_up, reading
from tests.faults.reading_checks import Fault, Streams, Wrong, faults
from tests.faults.reading_planted import FAULTS
from tests.faults.storm import Plan, schedule
from tests.faults.visitors import Visitor, gather_visitors, publish_events
from tests.faults.waiting import comes_true, pause
from tests.faults.world import Person, World, make_world

GATEWAYS = (GATEWAY, f"{GATEWAY}-2")
VICTIMS = (*GATEWAYS, *GATEWAYS, "booking", "booking-2", "nats")
VISITORS = 2
COPIES = 4
SHOWN = 20
SPACE_EVERY_S = 0.5
TOLD_WITHIN_S = 60.0
LONGEST_S = 15
"""So soon a live stream ends by itself here; five minutes in production."""


class LiveArena(Arena):
    """Two gateways and two bookings, and nobody who keeps a ledger; with `planted` gateways can be made to tell wrongly."""

    def __init__(self, home: Path, narrator: Narrator, *, planted: bool = False) -> None:
        super().__init__(home, narrator)
        self.settings = self.settings.model_copy(update={"replicas": {"booking": 2, GATEWAY: 2}})
        self._planted = planted

    def programs(self) -> list[Program]:
        """Without the ledger."""
        return [program for program in super().programs() if not program.name.startswith(ledger.SERVICE)]

    def _gateway(self, name: str) -> Program:
        program = super()._gateway(name)
        environment = {**program.environment, "GATEWAY_LIVE_LONGEST_S": str(LONGEST_S)}
        return Program(**{**vars(program), "environment": environment})

    def _words(self, service: str) -> tuple[str, ...]:
        if service == GATEWAY and self._planted:
            return ("tests.faults.start", "tests.faults.reading_planted", str(self.planting.folder))
        return super()._words(service)


@dataclass
class Result:
    """What came of it."""

    faults: list[Fault]
    kills: int
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> set[Wrong]:
        """What kinds of things were wrong."""
        return {one.wrong for one in self.faults}


async def read_along(arena: Arena, plan: Plan, *, hub: str = "liveby", copies: int = 1) -> Result:
    """Everybody at work and reading along, gateways killed as the plan says; then the comparison."""
    world, balancer, history = await make_world(arena, hub, members=3, hosts=1), Balancer(), History()
    balancer.add(*arena.gateways())
    await balancer.look()
    admin = await arena.connect_as_admin()
    try:
        doors = [BalancedDoor(balancer) for _ in range(VISITORS)]
        visitors = await gather_visitors(arena, admin, world, list(doors))
    finally:
        await admin.close()
    readers = gather_readers(arena, world, visitors, random.Random(f"{plan.seed}/readers"), copies)
    started = time.monotonic()
    async with balancer.probing(), reading(readers):
        await _work(arena, world, visitors, balancer, history, plan)
        upto = await _all_are_told(arena, readers, hub)
    streams = await _streams(arena, hub)
    found = [fault for reader in readers for fault in faults(reader.account, streams, upto)]
    seconds = time.monotonic() - started
    return Result(found, len(history.kills), _figures(readers, streams, history, seconds))


def gather_readers(
    arena: Arena, world: World, visitors: Sequence[Visitor], chance: random.Random, copies: int
) -> list[Reader]:
    """One of every kind, each as often: without a token, without a role, members with and without bookings, staff."""
    stranger = uuid4()
    token = development_token(arena.home.token_key(), stranger, now=utc_now())
    known: list[tuple[Account, str | None]] = [
        (Account("nobody", None, None), None),
        (Account("stranger", None, str(stranger)), token),
        (Account("visitor", Role.MEMBER, visitors[0].id), visitors[0].token),
        *(_known(person) for person in (*world.members[:2], world.hosts[0], world.operator)),
    ]
    return [
        Reader(
            Account(f"{one.name} {copy}", one.role, one.person),
            world.hub,
            token,
            arena.gateways(),
            random.Random(chance.random()),
        )
        for copy in range(copies)
        for one, token in known
    ]


def _known(person: Person) -> tuple[Account, str]:
    return Account(f"{person.role} {person.id[-4:]}", person.role, person.id), person.token


async def _work(
    arena: Arena, world: World, visitors: list[Visitor], balancer: Balancer, history: History, plan: Plan
) -> None:
    """Bookings, events and sign-ups at a steady pace, and the kills, until there is enough of both."""
    started, done = time.monotonic(), asyncio.Event()

    def enough() -> bool:
        there = len(history.operations) >= plan.operations and len(history.kills) >= plan.kills
        return there or time.monotonic() - started > plan.longest_s

    clients = gather_clients(
        world, (0, 0), history, seed=plan.seed, count=plan.clients, door=lambda _: BalancedDoor(balancer)
    )
    killer = asyncio.create_task(_kill(arena, plan, history, done))
    try:
        async with asyncio.TaskGroup() as working:
            for client in clients:
                working.create_task(client.run(enough))
            events = await publish_events(visitors[0])
            working.create_task(_open_spaces(BalancedDoor(balancer), world, enough))
            for visitor in visitors:
                working.create_task(visitor.run(events, enough))
    finally:
        done.set()
        await killer


async def _open_spaces(door: BalancedDoor, world: World, enough: Callable[[], bool]) -> None:
    """One after another: of these everybody may know."""
    headers = {"authorization": f"Bearer {world.operator.token}", "content-type": "application/json"}
    for number in itertools.count():
        if enough():
            door.close()
            return
        space = {"id": f"more-{number}", "name": f"Room {number}", "kind": "room"}
        with contextlib.suppress(Lost, Shut, Hangs):
            await door.ask("POST", f"/v1/hubs/{world.hub}/spaces", headers, orjson.dumps(space))
        await pause(SPACE_EVERY_S)


async def _kill(arena: Arena, plan: Plan, history: History, done: asyncio.Event) -> None:
    """By the plan, but only when everybody is there: on a busy machine a gateway takes longer to start than the next kill."""
    for blow in schedule(plan):
        if await pause(blow.after_s, done):
            return
        if await arena.heals(*GATEWAYS, *plan.victims) and not done.is_set():
            history.kills.append(arena.kill(*blow.victims, down_s=blow.down_s))


async def _all_are_told(arena: Arena, readers: Sequence[Reader], hub: str) -> dict[str, int]:
    """Wait until everybody is told what the streams hold now, then let all come back once more; up to where that is."""
    assert await arena.heals()
    streams = await _streams(arena, hub)
    upto = {
        stream: max((one.sequence for one in messages), default=0) for stream, messages in streams.items()
    }

    async def told() -> bool:
        wrong = {one.wrong for reader in readers for one in faults(reader.account, streams, upto)}
        return Wrong.LEFT_OUT not in wrong

    await comes_true(told, within=TOLD_WITHIN_S, every=0.25)
    for reader in readers:
        reader.turn()
    assert await comes_true(lambda: all_caught_up(readers), within=TOLD_WITHIN_S)
    return upto


async def _streams(arena: Arena, hub: str) -> Streams:
    witness = await arena.connect_as_witness()
    try:
        js = witness.jetstream(timeout=5)
        return {
            stream: await read_stream(js, stream, f"occupancy.{hub}.>", latest=True)
            if stream == OCCUPANCY
            else await read_stream(js, stream, f"hubs.{hub}.{stream.lower()}.>")
            for stream in LIVE_STREAMS
        }
    finally:
        await witness.close()


def _figures(readers: Sequence[Reader], streams: Streams, history: History, seconds: float) -> dict[str, str]:
    ends = sum((reader.ends for reader in readers), Counter[str]())
    told = Counter[str]()
    for reader in readers:
        told[reader.account.name.split()[0]] += len(reader.account.told)
    victims = Counter(victim for kill in history.kills for victim in kill.victims)
    facts = {stream: len(there) for stream, there in streams.items() if stream != OCCUPANCY}
    return {
        "read along": f"{len(readers)} for {seconds:.0f} s",
        "facts in the streams": f"{sum(facts.values())}: " + _words(Counter(facts)),
        "messages told": f"{told.total()}: " + _words(told),
        "connections": f"{ends.total()}, ended: " + _words(ends),
        "killed": f"{len(history.kills)} times 1 or 2: " + _words(victims),
        "told to read again": str(sum(len(reader.account.resets) for reader in readers)),
    }


def _words(count: Counter[str]) -> str:
    return ", ".join(f"{name} {times}" for name, times in count.most_common())


@contextlib.asynccontextmanager
async def live_in(home: Path, narrator: Narrator, *, planted: bool = False) -> AsyncIterator[LiveArena]:
    """The stack for as long as the block lasts."""
    arena = LiveArena(home, narrator, planted=planted)
    try:
        await arena.up()
        yield arena
    finally:
        await asyncio.shield(arena.down())


async def all_of_it(home: Path, narrator: Narrator, seed: int, operations: int) -> bool:
    """The long run, and then each planted fault, which must be found; whether all is as it should be."""
    plan = Plan(seed, operations, kills=20, clients=6, gap_s=(1.0, 5.0), victims=VICTIMS)
    async with live_in(home / "long", narrator) as arena:
        result = await read_along(arena, plan, copies=COPIES)
    table = Table("", "", title="who read along", show_header=False)
    for name, value in result.figures.items():
        table.add_row(name, value)
    narrator.console.print(table)
    for fault in result.faults[:SHOWN]:
        narrator.say(str(fault), bad=True)
    async with live_in(home / "planted", narrator, planted=True) as arena:
        found = [await _planted(arena, narrator, name, wrong) for name, wrong in FAULTS.items()]
    return not result.faults and all(found)


async def _planted(arena: LiveArena, narrator: Narrator, name: str, wrong: Wrong) -> bool:
    """The same people and kills with a fault in the gateways: that must be found, and nothing else."""
    arena.planting.begin(name)
    plan = Plan(1, operations=60, kills=4, clients=3, gap_s=(0.5, 1.5), victims=GATEWAYS)
    found = await read_along(arena, plan, hub=f"live-{name}")
    right = found.classes == {wrong}
    narrator.say(f"{name}: {'caught' if right else 'NOT AS IT SHOULD BE'}", bad=not right)
    for fault in [] if right else found.faults[:SHOWN]:
        narrator.say(str(fault), bad=True)
    return right
