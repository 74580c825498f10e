"""The long run: clients at work while processes are killed and started again at random, then the checks."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from tests.faults.arena import BACKEND, NATS_FOLLOWER, NATS_LEADER, VICTIMS, Arena
from tests.faults.checks import Violation, check
from tests.faults.clients import gather_clients
from tests.faults.evidence import Evidence, Gathering
from tests.faults.history import History, Kill, Outcome
from tests.faults.waiting import pause
from tests.faults.world import make_world

NODES = frozenset({NATS_LEADER, NATS_FOLLOWER})
"""Of three nodes one may be away; two of them at once is a plan for another day."""
SERVERS = frozenset({"nats", "postgres", BACKEND})
PROGRESS_EVERY_S = 5.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run shall be; the same seed gives the same kills in the same order after the same pauses."""

    seed: int
    operations: int
    kills: int
    """At least so many; they go on as long as the clients do."""
    clients: int = 16
    gap_s: tuple[float, float] = (2.0, 11.0)
    longest_s: float = 3600.0
    victims: tuple[str, ...] = VICTIMS


@dataclass(frozen=True)
class Blow:
    """One entry of the schedule: after a pause these are killed and stay down so long."""

    after_s: float
    victims: tuple[str, ...]
    down_s: float


def schedule(plan: Plan) -> Iterator[Blow]:
    """The kills of a seed, without end: every victim comes round, now and then two at once."""
    chance = random.Random(f"{plan.seed}/kills")
    while True:
        victims = list(plan.victims)
        chance.shuffle(victims)
        while victims:
            hit = [victims.pop()]
            if victims and chance.random() < 0.2 and not {hit[0], victims[-1]} <= NODES:
                hit.append(victims.pop())
            # Where nobody can stand in, the pause is part of the outage.
            longest = 0.8 if SERVERS & set(hit) or len(hit) > 1 else 3.0
            yield Blow(chance.uniform(*plan.gap_s), tuple(hit), chance.uniform(0.0, longest))


@dataclass
class Result:
    """What came of a run."""

    plan: Plan
    evidence: Evidence
    violations: list[Violation]
    seconds: float
    settled_in_s: float
    figures: dict[str, str] = field(default_factory=dict)


async def storm(arena: Arena, plan: Plan, say: Say, *, hub: str = "stormby") -> Result:
    """Run, let everything heal and come to rest, gather, check."""
    world = await make_world(arena, hub)
    history = History()
    clients = gather_clients(world, arena.gateways(), history, seed=plan.seed, count=plan.clients)
    started = time.monotonic()
    stop = asyncio.Event()

    def enough() -> bool:
        done = len(history.operations) >= plan.operations and len(history.kills) >= plan.kills
        return done or time.monotonic() - started > plan.longest_s

    killer = asyncio.create_task(_kill(arena, plan, history, stop))
    teller = asyncio.create_task(_tell(history, say, stop))
    try:
        await asyncio.gather(*(client.run(enough) for client in clients))
    finally:
        stop.set()
        await asyncio.gather(killer, teller)
    seconds = time.monotonic() - started
    say("clients are done; waiting until everything has healed and come to rest")
    healed = time.monotonic()
    evidence = await Gathering(arena, hub, history).gather()
    settled = time.monotonic() - healed
    result = Result(plan, evidence, check(evidence), seconds, settled)
    result.figures = figures(result)
    return result


async def _kill(arena: Arena, plan: Plan, history: History, stop: asyncio.Event) -> None:
    for blow in schedule(plan):
        if await pause(blow.after_s, stop):
            return
        kill = arena.kill(*blow.victims, down_s=blow.down_s)
        if kill.victims:
            history.kills.append(kill)


async def _tell(history: History, say: Say, stop: asyncio.Event) -> None:
    before, since = 0, time.monotonic()
    while not await pause(PROGRESS_EVERY_S, stop):
        count, now = len(history.operations), time.monotonic()
        decided, calm = history.decided()
        rate = (count - before) / (now - since)
        last = ", ".join(history.kills[-1].victims) if history.kills else "nobody yet"
        say(
            f"{count} operations, {rate:.0f}/s; decided {decided:.1%}, outside 5 s after a kill {calm:.2%}; "
            f"{len(history.kills)} kills, last {last}"
        )
        before, since = count, now


def figures(result: Result) -> dict[str, str]:
    """A run in numbers, for people."""
    evidence, history = result.evidence, result.evidence.history
    decided, calm = history.decided()
    outcomes = Counter(one.outcome for one in history.operations)
    orders = Counter(one.kind for one in history.operations)
    keyed = Counter(one.key for one in history.operations if one.key)
    return {
        "seed": str(result.plan.seed),
        "operations": f"{len(history.operations)} in {result.seconds:.0f} s by {result.plan.clients} clients",
        "of these": ", ".join(f"{kind} {count}" for kind, count in orders.most_common()),
        "outcomes": ", ".join(f"{outcome} {outcomes[outcome]}" for outcome in Outcome),
        "decided": f"{decided:.2%} of all, {calm:.2%} outside 5 s after a kill",
        "keys": f"{len(keyed)}, {sum(times > 1 for times in keyed.values())} used more than once",
        "kills": f"{len(history.kills)}: " + ", ".join(_victims(history.kills)),
        "undecided after a kill until": ", ".join(_recovery(history)),
        "bookings": f"{len(evidence.bookings)} with {len(evidence.outbox)} facts",
        "stream": f"{len(evidence.messages)} messages, {len(evidence.messages) - len(evidence.outbox)} repeated",
        "effects": f"{len(evidence.ledger)} in two consumers of two replicas",
        "came to rest in": f"{result.settled_in_s:.1f} s",
        "violations": str(len(result.violations)),
    }


def _victims(kills: list[Kill]) -> list[str]:
    count = Counter(victim for kill in kills for victim in kill.victims)
    return [f"{victim} {times}" for victim, times in sorted(count.items())]


def _recovery(history: History) -> list[str]:
    """Per victim: seconds from a kill until the last operation was begun that stayed unknown before the next kill."""
    lasted: dict[str, list[float]] = defaultdict(list)
    for kill, following in zip_longest(history.kills, history.kills[1:]):
        end = following.at if following else float("inf")
        unknown = [
            one.invoked - kill.at
            for one in history.operations
            if kill.at <= one.completed < end and one.outcome is Outcome.UNKNOWN
        ]
        if len(kill.victims) == 1:
            lasted[kill.victims[0]].append(max(0.0, *unknown, 0.0))
    return [
        f"{victims} {statistics.median(times):.1f} s (most {max(times):.1f})"
        for victims, times in sorted(lasted.items())
    ]
