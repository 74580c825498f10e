"""Sign-ups a second through the gateway, spread over many events and all at one, and ten thousand at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from deploy.local.tokens import development_token
from shared.contracts.directory.words import Role
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.bench import openloop
from tests.bench.stack import Stack
from tests.bench.throughput import Round, drive
from tests.bench.world import Settlers, side_by_side

SCRIPT = Path(__file__).with_name("sign_ups.lua")
PLACES = 20
"""Of each event: with a crowd before it nearly everybody stands in line, as it is when it matters."""


@dataclass(frozen=True)
class Size:
    """How many hubs, people and events to sign up with."""

    hubs: int
    people: int
    events: int
    crowd: int
    busy: int


FULL = Size(hubs=10, people=400, events=30, crowd=10_000, busy=12)
QUICK = Size(hubs=2, people=120, events=30, crowd=400, busy=20)
# Or `meant` would send somebody to an event twice.
assert all(math.gcd(size.people + 1, size.events) == 1 for size in (FULL, QUICK))


@dataclass(frozen=True)
class SignUpPlan:
    """Number n is always the same person at the same event.

    Spread: through all hubs and events in turn. At one: the whole crowd of the first hub at a busy event, then at the next.
    """

    hubs: tuple[str, ...]
    people: int
    tokens: tuple[tuple[str, ...], ...]
    events: tuple[tuple[str, ...], ...]
    busy: tuple[str, ...]
    rush: str

    def meant(self, number: int, *, one: bool) -> tuple[int, str, str]:
        """Hub, event and token of a number; `sign_ups.lua` finds the same."""
        if one:
            crowd = self.tokens[0]
            return 0, self.busy[number // len(crowd) % len(self.busy)], crowd[number % len(crowd)]
        hub, rest = number % len(self.hubs), number // len(self.hubs)
        events = self.events[hub]
        event = (rest + rest // self.people) % len(events)
        return hub, events[event], self.tokens[hub][rest % self.people]

    def rushing(self, number: int) -> bytes:
        """Somebody of the crowd wants to come to the event of the rush, as an HTTP request."""
        head = (
            f"POST /v1/hubs/{self.hubs[0]}/events/{self.rush}/sign-ups HTTP/1.1\r\nHost: foci\r\n"
            f"Authorization: Bearer {self.tokens[0][number]}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: rush-{number:030d}\r\nContent-Length: 2\r\n\r\n"
        )
        return head.encode() + b"{}"

    def as_lua(self) -> str:
        """The same for `sign_ups.lua`."""
        hubs, busy = _listed(self.hubs), _listed(self.busy)
        tokens = ",".join(_listed(some) for some in self.tokens)
        events = ",".join(_listed(some) for some in self.events)
        return f"return {{hubs={hubs},people={self.people},tokens={{{tokens}}},events={{{events}}},busy={busy}}}\n"


def _listed(words: Sequence[str]) -> str:
    return "{" + ",".join(f'"{word}"' for word in words) + "}"


# --- filling ---

# A crowd by SQL: one after the other through the door they would take longer to come than to sign up. Nobody hears of
# them, and nobody has to: who is a member of what is asked of directory.
_CROWD = """
    WITH people AS (
        INSERT INTO person (id, name, language, time_zone, guest, registered_at)
        SELECT uuidv7(), 'Crowd ' || n, 'sv', 'Europe/Stockholm', false, now() FROM generate_series(1, $2::int) n
        RETURNING id
    ), members AS (
        INSERT INTO membership (hub, person, role, since) SELECT $1::text, id, 'member', now() FROM people
    )
    SELECT id FROM people
"""


@dataclass
class Organisers(Settlers):
    """Fill an empty stack with people and events."""

    async def event(self, hub: str, title: str, operator: str) -> str:
        """Start and publish an event in a month; its id."""
        start = (utc_now() + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
        wanted: Mapping[str, Any] = {
            "title": title,
            "start": start.isoformat(),
            "end": (start + timedelta(hours=2)).isoformat(),
            "place": {"address": "Kajen 1"},
            "capacity": PLACES,
            "publish": True,
        }
        return str((await self.posted(f"/v1/hubs/{hub}/events", wanted, operator))["id"])


def fill(stack: Stack, size: Size) -> SignUpPlan:
    """Fill an empty stack; returns who can sign up for what."""
    plan = asyncio.run(_settle(stack, size))
    rows = stack.sql(_CROWD, plan.hubs[0], size.crowd - size.people, database="directory")
    key, now = stack.console.home.token_key(), utc_now()
    crowd = tuple(development_token(key, row["id"], now=now) for row in rows)
    plan = replace(plan, tokens=((*plan.tokens[0], *crowd), *plan.tokens[1:]))
    stack.settle()
    stack.settle("EVENTS")
    stack.sql("ANALYZE", database="events")
    return plan


async def _settle(stack: Stack, size: Size) -> SignUpPlan:
    client = await stack.admin()
    try:
        async with httpx2.AsyncClient(base_url=stack.url, timeout=10, trust_env=False) as gateway:
            settlers = Organisers(stack, Requester(client, utc_now), gateway, size.people)
            hubs = tuple(f"bench-{number}" for number in range(size.hubs))
            tokens = await side_by_side(settlers.hub(hub) for hub in hubs)
            operators = [await settlers.token(hub, "Olle Operator", Role.OPERATOR) for hub in hubs]
            events = [
                await side_by_side(
                    settlers.event(hub, f"Event {number}", operator) for number in range(size.events)
                )
                for hub, operator in zip(hubs, operators, strict=True)
            ]
            busy = await side_by_side(
                settlers.event(hubs[0], f"Everybody {number}", operators[0])
                for number in range(size.busy + 1)
            )
    finally:
        await client.close()
    each = tuple(tuple(some) for some in events)
    return SignUpPlan(hubs, size.people, tuple(tokens), each, tuple(busy[1:]), busy[0])


# --- load ---


@dataclass
class SignUpLoad:
    """Runs wrk against a stack, with numbers that go on from run to run."""

    stack: Stack
    plan: SignUpPlan
    folder: Path
    connections: int = 64
    numbers: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    @property
    def record(self) -> Path:
        """Every answer of every run: status and the sign-up's id."""
        return self.folder / "sign-ups"

    def run(self, seconds: float, *, one: bool) -> Round:
        """One run, spread over all events or all at one."""
        lua = self.folder / "sign-ups.lua"
        if not lua.exists():
            lua.write_text(self.plan.as_lua())
        found = drive(
            self.stack,
            SCRIPT,
            (lua, "one" if one else "spread", self.numbers[one], self.record),
            connections=self.connections,
            seconds=seconds,
            count=self._signed_up,
            stream="EVENTS",
        )
        self.numbers[one] += found.requests + 2 * self.connections
        return found

    def _signed_up(self) -> int:
        rows = self.stack.sql("SELECT count(*) AS number FROM sign_up", database="events")
        return int(rows[0]["number"])


@dataclass(frozen=True)
class Rush:
    """What ten thousand heard who came at once."""

    people: int
    answers: Mapping[int, int]
    seconds: float
    attending: int
    waiting: int
    worst_ms: float

    @property
    def faults(self) -> int:
        """People without an answer or with another one than a place or "come back", places too many, places lost.

        More may stand in line than heard 201: who was told to come back because it took too long may have got in, and
        hears that under the same key.
        """
        strange = sum(number for status, number in self.answers.items() if status not in (201, 503))
        lost = max(self.answers.get(201, 0) - self.attending - self.waiting, 0)
        return strange + lost + abs(self.attending - min(PLACES, self.attending + self.waiting))


CONNECTIONS = 2000
"""As many as can wait to be accepted by one socket; the next request goes out as soon as one of them is answered."""


def rush(stack: Stack, plan: SignUpPlan, folder: Path) -> Rush:
    """Everybody of the crowd signs up for one event in the same moment."""
    texts = [plan.rushing(number) for number in range(len(plan.tokens[0]))]
    found = openloop.send(
        stack.url,
        texts,
        rate=1_000_000,
        connections=min(CONNECTIONS, len(texts)),
        folder=folder,
        patience_s=60,
    )
    stack.settle("EVENTS")
    rows = stack.sql(
        "SELECT taken, waiting FROM places WHERE event = $1 AND way = 'room'", plan.rush, database="events"
    )
    return Rush(
        people=len(texts),
        answers=Counter(answer.status for answer in found.answers),
        seconds=found.seconds,
        attending=rows[0]["taken"],
        waiting=rows[0]["waiting"],
        worst_ms=found.max_ms,
    )


# --- afterwards ---

_WRONG = """
    SELECT
        (SELECT count(*) FROM places p WHERE taken > capacity OR (waiting > 0 AND taken < capacity) OR taken + waiting <>
            (SELECT count(*) FROM sign_up s WHERE s.event = p.event AND s.way = p.way)) AS miscounted,
        (SELECT count(*) FROM (
            SELECT (body::json ->> 'number')::int - lag((body::json ->> 'number')::int, 1, 0)
                   OVER (PARTITION BY body::json ->> 'event' ORDER BY xid, id) AS step
            FROM outbox WHERE stream = 'EVENTS' AND subject ~ 'place-(taken|awaited)') found WHERE step <> 1) AS disordered,
        (SELECT count(*) FROM unnest($1::uuid[]) a (id) LEFT JOIN sign_up s ON s.id = a.id WHERE s.id IS NULL) AS missing,
        (SELECT count(*) FROM unnest($1::uuid[]) a (id) LEFT JOIN (
            SELECT answer::json ->> 'id' AS id, count(*) AS number FROM idempotency_key WHERE operation = 'sign-up' GROUP BY 1
         ) k ON k.id = a.id::text WHERE k.number IS DISTINCT FROM 1) AS not_kept
"""


@dataclass(frozen=True)
class SignUpHistory:
    """What the check of the runs found; everything but the first must be 0."""

    answered: int
    twice_answered: int
    miscounted: int
    disordered: int
    missing: int
    not_kept: int

    @property
    def faults(self) -> int:
        """How much is wrong."""
        return self.twice_answered + self.miscounted + self.disordered + self.missing + self.not_kept


def check(stack: Stack, record: Path) -> SignUpHistory:
    """Look at every sign-up that was answered, and at every event."""
    lines = (line.split() for line in record.read_text().splitlines())
    answered = [sign_up for status, sign_up in lines if status == "201"]
    unique = sorted(set(answered))
    found = stack.sql(_WRONG, unique, database="events")[0]
    return SignUpHistory(len(answered), len(answered) - len(unique), **dict(found))
