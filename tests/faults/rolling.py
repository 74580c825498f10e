"""A rolling change: two replicas of everything, replaced one after another by the next release, under load."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from nats.aio.client import Client

from deploy.local.forks import python
from deploy.local.narrator import Narrator
from deploy.local.servers import free_port
from deploy.local.stack import GATEWAY
from deploy.local.supervisor import Program
from shared.contracts.users import SERVICES
from shared.kit.ids import utc_now
from shared.kit.migrate import migrate
from tests.faults import ledger
from tests.faults.arena import Arena
from tests.faults.balancing import BalancedDoor, Balancer
from tests.faults.checks import Violation, check
from tests.faults.clients import gather_clients
from tests.faults.evidence import Evidence, Gathering
from tests.faults.history import History, Outcome
from tests.faults.next_release import write_migrations
from tests.faults.rolling_checks import Standing, losses
from tests.faults.visitors import Seen, gather_visitors, publish_events, register
from tests.faults.waiting import pause
from tests.faults.world import make_world

ALL = (*SERVICES, ledger.SERVICE, GATEWAY)
"""In the order of the runbook: the gateway last."""
LEAVING_S = 1.5
GRACE_S = 60.0
SETTLE_S = 1.0
"""Between two replacements, as an orchestrator takes."""


class Rolling(Arena):
    """Two replicas of every part, and a third while one is being replaced."""

    def __init__(self, home: Path, narrator: Narrator, twice: tuple[str, ...] = ALL) -> None:
        super().__init__(home, narrator)
        self.settings = self.settings.model_copy(update={"replicas": dict.fromkeys(twice, 2)})
        self.balancer = Balancer()
        self.next: set[str] = set()

    def _gateway(self, name: str) -> Program:
        program = super()._gateway(name)
        environment = {**program.environment, "GATEWAY_LEAVING_S": str(LEAVING_S)}
        return Program(**{**vars(program), "environment": environment})

    def _program(self, service: str, name: str, environment: Mapping[str, str]) -> Program:
        program = super()._program(service, name, environment)
        words = ("tests.faults.start", "tests.faults.next_release", service)
        return Program(**{**vars(program), "command": python(*words)}) if name in self.next else program

    async def migrate_to_next(self) -> float:
        """Expand every service's schema while the release before works on it; the seconds it took."""
        folder, started = self.home.root / "next", time.monotonic()
        write_migrations(folder)
        for service in SERVICES:
            await asyncio.to_thread(migrate, service, self._database_url(service), services=folder)
        url = self._database_url(ledger.SERVICE).replace("+asyncpg", "")
        connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
        await connection.execute("ALTER TABLE outbox ADD COLUMN by_release text NOT NULL DEFAULT 'before'")
        await connection.close()
        return time.monotonic() - started

    async def replace(self, name: str) -> tuple[float, float]:
        """Start its successor, wait until that is ready, tell it to stop, wait for its end: the seconds of both."""
        service = name.partition("-")[0]
        successor = f"{service}-{3 if name == service else 4}"
        self.next.add(successor)
        self.ports[successor] = free_port()
        started = time.monotonic()
        await self.supervisor.start(self._made(service, successor))
        if service == GATEWAY:
            self.balancer.add(self.ports[successor])
            await self.balancer.look()
        ready = time.monotonic()
        await self.restless.retire(name, GRACE_S)
        return ready - started, time.monotonic() - ready

    def _made(self, service: str, name: str) -> Program:
        make = {GATEWAY: self._gateway, ledger.SERVICE: self._ledger}.get(service, self._service)
        return make(name)

    async def connect(self) -> Client:
        """As the platform's operator."""
        return await self.connect_as_admin()


@dataclass(frozen=True)
class Plan:
    """Who is replaced, in this order, and who is at work meanwhile."""

    names: tuple[str, ...]
    clients: int = 6
    visitors: int = 3


@dataclass
class Result:
    """What came of it."""

    failed: list[str]
    violations: list[Violation]
    standing: Mapping[str, Standing]
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> list[str]:
        """Every promise that was not kept, in words."""
        return [
            *self.failed,
            *map(str, self.violations),
            *(it for one in self.standing.values() for it in one.wrong),
        ]


async def roll(
    arena: Rolling, narrator: Narrator, plan: Plan | None = None, *, hub: str = "rullby"
) -> Result:
    """Everybody at work, the schema expanded, each of these replicas replaced; then the checks."""
    plan = plan or Plan(tuple(name for part in ALL for name in arena._names(part)))
    world, since = await make_world(arena, hub, members=4, hosts=2), utc_now()
    arena.balancer.add(*arena.gateways())
    await arena.balancer.look()
    client, history, done = await arena.connect(), History(), asyncio.Event()
    doors = [BalancedDoor(arena.balancer) for _ in range(plan.visitors)]
    visitors = await gather_visitors(arena, client, world, list(doors))
    events = await publish_events(visitors[0])
    clients = gather_clients(
        world, (0, 0), history, seed=1, count=plan.clients, door=lambda _: BalancedDoor(arena.balancer)
    )
    seen = visitors[0].seen
    try:
        async with arena.balancer.probing(), asyncio.TaskGroup() as working:
            for one in clients:
                working.create_task(one.run(done.is_set))
            for visitor in visitors:
                working.create_task(visitor.run(events, done.is_set))
            working.create_task(register(client, seen, hub, done.is_set))
            try:
                figures = await _replace_all(arena, narrator, plan.names)
            finally:
                done.set()
    finally:
        await client.close()
    evidence = await Gathering(arena, hub, history).gather()
    return await _result(arena, evidence, seen, since, figures)


async def _result(
    arena: Rolling, evidence: Evidence, seen: Seen, since: datetime, figures: dict[str, str]
) -> Result:
    history = evidence.history
    lost = [str(one) for one in history.operations if one.outcome is Outcome.UNKNOWN]
    standing = {service: await losses(arena, service, since) for service in SERVICES}
    mails = standing["notify"].mails(arena.home.mail, seen.signed_up)
    result = Result([*lost, *seen.failed, *mails], check(evidence), standing)
    orders = Counter(str(one.kind) for one in history.operations) + seen.asked
    slowest = max((one.completed - one.invoked for one in history.operations), default=0.0)
    result.figures = figures | {
        "requests": f"{orders.total()}: "
        + ", ".join(f"{kind} {times}" for kind, times in orders.most_common()),
        "not answered, or with 5xx": str(len(lost) + len(seen.failed)),
        "slowest booking request": f"{slowest:.2f} s",
        **{f"facts of {service}": str(one) for service, one in standing.items()},
        "signed up and told by one mail each": f"{len(seen.signed_up)} times",
        "violations": str(len(result.violations)),
    }
    return result


async def _replace_all(arena: Rolling, narrator: Narrator, names: tuple[str, ...]) -> dict[str, str]:
    await pause(SETTLE_S)
    took = await arena.migrate_to_next()
    narrator.say(f"migrations applied in {took:.1f} s while the release before works on")
    starts, ends = list[float](), list[float]()
    for name in names:
        await pause(SETTLE_S)
        start, end = await arena.replace(name)
        starts.append(start)
        ends.append(end)
        narrator.say(f"{name} replaced: the next was ready after {start:.1f} s, it left in {end:.1f} s")
    await pause(SETTLE_S)
    return {
        "replaced": f"{len(starts)} replicas; ready after {max(starts):.1f} s, left in {max(ends):.1f} s at most",
        "migrations": f"{len(SERVICES)} services in {took:.1f} s under load, a column on every table",
    }


@contextlib.asynccontextmanager
async def rolling_in(home: Path, narrator: Narrator, twice: tuple[str, ...] = ALL) -> AsyncIterator[Rolling]:
    """The stack with two replicas of these parts, for as long as the block lasts."""
    arena = Rolling(home, narrator, twice)
    try:
        await arena.up()
        yield arena
    finally:
        await asyncio.shield(arena.down())
