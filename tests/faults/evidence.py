"""Everything that can be known after a run: the database's rows, the streams' messages, the ledgers' entries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import asyncpg
import nats.errors
import orjson
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from shared.contracts.streams import CONSUMERS
from tests.faults import ledger
from tests.faults.arena import Arena
from tests.faults.history import CHANGES, History, Kind, Operation
from tests.faults.waiting import comes_true

Row = dict[str, Any]
SETTLES_WITHIN_S = 90.0
RELAYED_WITHIN_S = 10.0
OVERDUE_S = 3.0
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    """A message of a stream."""

    sequence: int
    subject: str
    id: str
    body: bytes
    at: float = 0.0
    """When it came into the stream, seconds since 1970."""

    @property
    def fact_id(self) -> str:
        """The relay adds a suffix where the server remembers the id of a message it no longer has."""
        return self.id.partition("+")[0]


@dataclass
class Evidence:
    """What the checks look at; one hub's."""

    hub: str
    history: History
    now: datetime = EARLIEST
    bookings: list[Row] = field(default_factory=list)
    spaces: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    occupancy: list[Row] = field(default_factory=list)
    timers: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    latest_occupancy: list[Message] = field(default_factory=list)
    ledger: list[Row] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    ended_unasked: list[str] = field(default_factory=list)
    measured: list[Row] = field(default_factory=list)
    """The inbox of booking's own batch consumer, the one that measures occupancy."""

    @cached_property
    def orders(self) -> Mapping[tuple[str | None, Kind], list[Operation]]:
        """Orders by the booking they were about and by what they asked."""
        found: dict[tuple[str | None, Kind], list[Operation]] = defaultdict(list)
        for operation in self.history.operations:
            if operation.kind in CHANGES:
                found[operation.booking, operation.kind].append(operation)
        return found


QUERIES = {
    "bookings": """SELECT id::text, hub, space, units::text, seats, starts_at, ends_at, kept_from, kept_until, status, title,
        person::text, booked_by::text, expires_at, cancel_reason, rules_version, version, created_at
        FROM booking WHERE hub = $1""",
    "spaces": "SELECT slug, kind, units::text, active, version FROM space WHERE hub = $1",
    "terms": "SELECT slug, version, rules::text FROM space_terms WHERE hub = $1",
    "occupancy": "SELECT space, capacity, booked, present, version FROM occupancy WHERE hub = $1",
    "timers": "SELECT kind, key, due_at, attempts FROM timer WHERE kind <> 'housekeeping' AND $1::text IS NOT NULL",
    "keys": """SELECT person::text, operation, key, status, answer FROM idempotency_key k
        WHERE $1::text IS NOT NULL""",
    "measured": """SELECT fact_id::text FROM inbox
        WHERE consumer = 'booking__measures_occupancy' AND $1::text IS NOT NULL""",
    "outbox": """SELECT fact_id::text, xid::text::bigint AS xid, id, subject, body FROM outbox
        WHERE stream = 'BOOKING' AND split_part(subject, '.', 2) = $1 ORDER BY xid, id""",
}


def units_of(text: str) -> frozenset[int]:
    """The numbers in PostgreSQL's text form of a multirange, read anew and not by the code under test."""
    return frozenset(
        unit for low, high in re.findall(r"\[(\d+),(\d+)\)", text) for unit in range(int(low), int(high))
    )


async def read_database(evidence: Evidence, connection: asyncpg.Connection[Any]) -> None:
    """All of booking's tables as of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        evidence.now = await connection.fetchval("SELECT clock_timestamp()")
        for name, query in QUERIES.items():
            rows = [dict(row) for row in await connection.fetch(query, evidence.hub)]
            setattr(evidence, name, rows)
    for row in (*evidence.bookings, *evidence.spaces):
        row["units"] = units_of(row["units"])


async def read_stream(
    js: JetStreamContext, stream: str, subject: str, *, after: int = 0, latest: bool = False
) -> list[Message]:
    """Every message on these subjects from there on, or only the latest of each."""
    policy = DeliverPolicy.LAST_PER_SUBJECT if latest else DeliverPolicy.BY_START_SEQUENCE
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=policy,
        opt_start_seq=None if latest else after + 1,
        filter_subject=subject,
        inactive_threshold=30,
        mem_storage=True,
    )
    subscription = await js.pull_subscribe(subject, stream=stream, config=config)
    try:
        left = (await subscription.consumer_info()).num_pending or 0
        found: list[Message] = []
        while left > 0:
            try:
                batch = await subscription.fetch(min(left, 500), timeout=5)
            except nats.errors.TimeoutError:
                left = (await subscription.consumer_info()).num_pending or 0
                continue
            left -= len(batch)
            found += [_message(raw) for raw in batch]
    finally:
        await subscription.unsubscribe()
    return found


def _message(raw: Any) -> Message:
    about, headers = raw.metadata, raw.headers or {}
    at = about.timestamp.timestamp()
    return Message(about.sequence.stream, raw.subject, headers.get("Nats-Msg-Id", ""), raw.data, at)


class Gathering:
    """Waits until nothing moves any more, then reads everything."""

    def __init__(self, arena: Arena, hub: str, history: History) -> None:
        self._arena = arena
        self.evidence = Evidence(hub, history)

    async def gather(self, *, settles_within: float = SETTLES_WITHIN_S) -> Evidence:
        """Wait for quiescence and read; whatever is still not done then is written down as left over."""
        evidence = self.evidence
        client = await self._arena.connect_as_witness()
        try:
            waiting: list[str] = []

            async def settled() -> bool:
                waiting[:] = await self._still_waiting(client)
                return not waiting

            if not await comes_true(settled, within=settles_within, every=0.25):
                evidence.left_over += waiting
            await self._read(client)
        finally:
            await client.close()
        evidence.ended_unasked = self._arena.restless.ended_unasked()
        return evidence

    async def _connect(self, database: str) -> asyncpg.Connection[Any]:
        return await asyncpg.connect(self._arena.database(database))

    async def _still_waiting(self, client: Client) -> Sequence[str]:
        """What has to be done yet, in words."""
        from tests.faults.checks.occupancy import differences  # noqa: PLC0415  # it reads Evidence

        waiting = []
        if not await self._arena.is_ready():
            return ["a process is not ready"]
        booking = await self._connect("booking")
        try:
            waiting += [row["it"] for row in await booking.fetch(_BEHIND, OVERDUE_S)]
            await read_database(self.evidence, booking)
        finally:
            await booking.close()
        waiting += differences(self.evidence)
        js = client.jetstream(timeout=5)
        for declared in (*CONSUMERS, *ledger.DECLARED):
            info = await js.consumer_info(declared.stream, declared.durable)
            if info.num_pending or info.num_ack_pending:
                waiting.append(
                    f"{declared.durable}: {info.num_pending} pending, {info.num_ack_pending} not acked"
                )
        return waiting

    async def _read(self, client: Client) -> None:
        evidence, js = self.evidence, client.jetstream(timeout=5)
        subject = f"hubs.{evidence.hub}.booking.>"
        booking, book = await self._connect("booking"), await self._connect(ledger.SERVICE)
        try:
            await read_database(evidence, booking)
            evidence.messages = await read_stream(js, "BOOKING", subject)
            await self._catch_up(js, booking, subject)
            await comes_true(lambda: self._occupancy_is_told(js), within=RELAYED_WITHIN_S, every=0.1)
            rows = await book.fetch(
                "SELECT entry, consumer, fact_id::text, subject, version FROM ledger WHERE hub = $1 ORDER BY entry",
                evidence.hub,
            )
            evidence.ledger = [dict(row) for row in rows]
            for connection in (booking, book):
                evidence.left_over += [row["it"] for row in await connection.fetch(_PARKED, evidence.hub)]
        finally:
            await booking.close()
            await book.close()

    async def _occupancy_is_told(self, js: JetStreamContext) -> bool:
        """Time passes while this is read: figures that were just written are on their way to the stream."""
        from tests.faults.checks.occupancy import untold  # noqa: PLC0415  # it reads Evidence

        subject = f"occupancy.{self.evidence.hub}.>"
        self.evidence.latest_occupancy = await read_stream(js, "OCCUPANCY", subject, latest=True)
        return not untold(self.evidence)

    async def _catch_up(self, js: JetStreamContext, booking: asyncpg.Connection[Any], subject: str) -> None:
        """Time passing may have changed something between the two readings: read both ends once more."""
        evidence = self.evidence

        async def complete() -> bool:
            there = {message.fact_id for message in evidence.messages}
            if all(row["fact_id"] in there for row in evidence.outbox):
                return True
            last = max((message.sequence for message in evidence.messages), default=0)
            evidence.messages += await read_stream(js, "BOOKING", subject, after=last)
            return False

        await comes_true(complete, within=3, every=0.2)
        known = {row["fact_id"] for row in evidence.outbox}
        later = [dict(row) for row in await booking.fetch(QUERIES["outbox"], evidence.hub)]
        late = {row["fact_id"] for row in later} - known
        # Facts of a moment after the reading are no evidence about it.
        evidence.messages = [message for message in evidence.messages if message.fact_id not in late]


_BEHIND = """
    SELECT format('relay of %s has not moved to the end of the outbox', o.stream) AS it
    FROM (SELECT DISTINCT ON (stream) stream, xid, id FROM outbox ORDER BY stream, xid DESC, id DESC) o
    LEFT JOIN relay_cursor c USING (stream) WHERE c.stream IS NULL OR (c.xid, c.id) < (o.xid, o.id)
    UNION ALL
    SELECT format('timer %s %s was due at %s', kind, key, due_at) FROM timer
    WHERE due_at < now() - make_interval(secs => $1)
"""
_PARKED = """
    SELECT format('%s has parked %s version %s', consumer, subject, version) AS it FROM parked_fact
    WHERE starts_with(subject, $1 || '/')
    UNION ALL
    SELECT format('%s has given up %s: %s', consumer, subject, reason) FROM dead_letter
    WHERE split_part(subject, '.', 2) = $1
"""


def parsed(row: Row) -> Row:
    """A fact's body as JSON, read once."""
    if "fact" not in row:
        row["fact"] = orjson.loads(row["body"])
        row["kind"] = row["subject"].split(".")[3]
    fact: Row = row["fact"]
    return fact
