"""Carries the outbox into JetStream: nothing lost, nothing out of order, repeats only where a consumer absorbs them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.streams import Stream
from shared.kit import telemetry
from shared.kit.database import changed_rows
from shared.kit.telemetry import extract, inject, logger

log = logger(__name__)
tracer = trace.get_tracer("foci.relay")

BATCH = 500
POLL = 0.25
ANSWER_WITHIN = 5.0
LOOK_BACK = 1000
POSITION = "Foci-Position"
WRONG_LAST_SEQUENCE = 10071
DUPLICATE_IN_BATCH = 10201
CURSOR_EVERY = 1.0


@dataclass(frozen=True)
class Entry:
    """One outbox row on its way; `xid` and `id` are its place in the log."""

    xid: int
    id: int
    fact_id: str
    subject: str
    headers: str
    body: str
    age: float


class Misplaced(Exception):
    """The stream does not end where the relay thought: look at it and find the place again."""


# Rows of transactions younger than the oldest running one are left alone: a transaction with a smaller number
# may still commit.
_NEXT = text("""
    SELECT xid::text::bigint AS xid, id, fact_id::text AS fact_id, subject, headers, body,
           extract(epoch FROM clock_timestamp() - stated_at)::float AS age
    FROM outbox
    WHERE stream = :stream AND (xid, id) > (CAST(:xid AS text)::xid8, :id)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, id LIMIT :limit
""")
_OLDEST = text("""
    SELECT extract(epoch FROM clock_timestamp() - stated_at)::float FROM outbox
    WHERE stream = :stream AND (xid, id) > (CAST(:xid AS text)::xid8, :id) ORDER BY xid, id LIMIT 1
""")
_KNOWN = text("""
    SELECT 1 FROM outbox
    WHERE stream = :stream AND xid = CAST(:xid AS text)::xid8 AND id = :id AND fact_id = CAST(:fact_id AS uuid)
""")
_TAKE = text("""
    INSERT INTO relay_cursor (stream, epoch) VALUES (:stream, 1)
    ON CONFLICT (stream) DO UPDATE SET epoch = relay_cursor.epoch + 1
    RETURNING epoch
""")
_MOVE = text("""
    UPDATE relay_cursor SET xid = CAST(:xid AS text)::xid8, id = :id, last_sequence = :sequence, moved_at = now()
    WHERE stream = :stream AND epoch = :epoch
""")


class StreamRelay:
    """Relays one stream while its process holds the service's relay lock.

    The end of the stream itself is the cursor: every message carries its place in the outbox, so after any
    crash, of ours, of NATS or of PostgreSQL, the place is read from the last message that is known to the
    outbox. The row in `relay_cursor` is for people to look at and to fence off a relay that has lost its lock
    without noticing.
    """

    def __init__(self, connection: AsyncConnection, nc: Client, stream: Stream) -> None:
        self._db = connection
        self._nc = nc
        self._js = nc.jetstream(timeout=ANSWER_WITHIN)
        self._stream = stream
        self._xid = 0
        self._id = 0
        self._sequence = 0
        self._epoch = 0
        self._saved_at = 0.0
        self._saved = (-1, -1)

    async def take(self) -> None:
        """Claim the cursor and find the place in the stream."""
        self._epoch = (await self._db.execute(_TAKE, {"stream": self._stream.name})).scalar_one()
        await self.find_place()

    async def find_place(self) -> None:
        """Walk back from the end of the stream to the last message the outbox knows; go on after it."""
        info = await self._js.stream_info(self._stream.name)
        self._sequence = info.state.last_seq
        self._xid, self._id = 0, 0
        for sequence in range(
            info.state.last_seq, max(info.state.first_seq, info.state.last_seq - LOOK_BACK) - 1, -1
        ):
            if sequence < 1:
                break
            try:
                message = await self._js.get_msg(self._stream.name, sequence)
            except NotFoundError:
                continue
            headers = message.headers or {}
            xid, _, row = headers.get(POSITION, "").partition(".")
            if not row:
                continue
            place = {
                "stream": self._stream.name,
                "xid": xid,
                "id": int(row),
                "fact_id": headers.get("Nats-Msg-Id"),
            }
            if (await self._db.execute(_KNOWN, place)).first() is not None:
                self._xid, self._id = int(xid), int(row)
                break
        log.info(
            "relay found its place",
            stream=self._stream.name,
            sequence=self._sequence,
            xid=self._xid,
            row=self._id,
        )

    async def step(self) -> int:
        """Carry the next batch; the number of rows carried."""
        found = await self._db.execute(
            _NEXT, {"stream": self._stream.name, "xid": str(self._xid), "id": self._id, "limit": BATCH}
        )
        entries = [Entry(**row) for row in found.mappings()]
        if not entries:
            await self._measure_age()
            await self._save(force=False)
            return 0
        telemetry.OUTBOX_AGE.labels(self._stream.name).set(entries[0].age)
        try:
            await self._publish(entries)
        except Misplaced:
            telemetry.RELAY_REWINDS.labels(self._stream.name).inc()
            log.warning(
                "stream does not end where it should; finding the place again", stream=self._stream.name
            )
            await self.find_place()
            return 1
        last = entries[-1]
        self._xid, self._id = last.xid, last.id
        telemetry.RELAYED.labels(self._stream.name).inc(len(entries))
        await self._save(force=False)
        return len(entries)

    async def _measure_age(self) -> None:
        held_back = await self._db.execute(
            _OLDEST, {"stream": self._stream.name, "xid": str(self._xid), "id": self._id}
        )
        telemetry.OUTBOX_AGE.labels(self._stream.name).set(held_back.scalar() or 0.0)

    async def _save(self, *, force: bool) -> None:
        place = (self._xid, self._id)
        now = time.monotonic()
        if place == self._saved or (not force and now - self._saved_at < CURSOR_EVERY):
            return
        moved = await self._db.execute(
            _MOVE,
            {
                "stream": self._stream.name,
                "epoch": self._epoch,
                "xid": str(self._xid),
                "id": self._id,
                "sequence": self._sequence,
            },
        )
        if changed_rows(moved) == 0:
            raise LostLeadership(self._stream.name)
        self._saved, self._saved_at = place, now

    async def _publish(self, entries: list[Entry]) -> None:
        if len(entries) > 1 and await self._publish_batch(entries):
            return
        for entry in entries:
            await self._publish_one(entry)

    def _headers(self, entry: Entry) -> dict[str, str]:
        # The stored trace context is the parent of a publish span; passing the stored header along would cut
        # the trace here.
        given = orjson.loads(entry.headers)
        with tracer.start_as_current_span("publish", context=extract(given), kind=SpanKind.PRODUCER) as span:
            span.set_attribute("messaging.destination.name", entry.subject)
            stored = {
                name: value for name, value in given.items() if name not in ("traceparent", "tracestate")
            }
            return inject(stored | {"Nats-Msg-Id": entry.fact_id, POSITION: f"{entry.xid}.{entry.id}"})

    async def _publish_batch(self, entries: list[Entry]) -> bool:
        """Publish all or none; False when the stream already has one of them."""
        batch = entries[0].fact_id
        for number, entry in enumerate(entries, start=1):
            headers = self._headers(entry) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers["Nats-Expected-Last-Sequence"] = str(self._sequence)
            if number < len(entries):
                await self._nc.publish(entry.subject, entry.body.encode(), headers=headers)
        headers["Nats-Batch-Commit"] = "1"
        answer = await self._request(entries[-1], headers)
        error = answer.get("error")
        if error is not None:
            if error.get("err_code") == DUPLICATE_IN_BATCH:
                return False
            if error.get("err_code") == WRONG_LAST_SEQUENCE:
                raise Misplaced
            raise APIError(**{key: error.get(key) for key in ("code", "err_code", "description")})
        self._sequence = int(answer["seq"])
        return True

    async def _publish_one(self, entry: Entry) -> None:
        headers = self._headers(entry) | {"Nats-Expected-Last-Sequence": str(self._sequence)}
        answer = await self._request(entry, headers)
        error = answer.get("error")
        if error is not None:
            if error.get("err_code") == WRONG_LAST_SEQUENCE:
                raise Misplaced
            raise APIError(**{key: error.get(key) for key in ("code", "err_code", "description")})
        if answer.get("duplicate"):
            telemetry.RELAY_DUPLICATES.labels(self._stream.name).inc()
        else:
            self._sequence = int(answer["seq"])

    async def _request(self, entry: Entry, headers: dict[str, str]) -> dict[str, Any]:
        try:
            reply = await self._nc.request(
                entry.subject, entry.body.encode(), timeout=ANSWER_WITHIN, headers=headers
            )
        except (NatsError, TimeoutError) as error:
            # It may or may not have arrived: the stream knows.
            raise Misplaced from error
        parsed: dict[str, Any] = orjson.loads(reply.data)
        return parsed


class LostLeadership(Exception):
    """Another replica has taken over this stream."""


class Relay:
    """One active relay per service: whoever holds the advisory lock carries all the service's streams."""

    def __init__(self, engine: AsyncEngine, nc: Client, service: str, streams: tuple[Stream, ...]) -> None:
        self._engine = engine
        self._nc = nc
        self._service = service
        self._streams = streams
        self._kicked = asyncio.Event()

    def kick(self) -> None:
        """Something was committed somewhere: look now instead of at the next poll."""
        self._kicked.set()

    async def run(self) -> None:
        """Relay for ever, waiting for the lock while another replica has it; ends only when cancelled."""
        while True:
            try:
                async with self._engine.connect() as connection:
                    # A transaction left open here would hold back the very rows the relay waits for.
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    if await self._locked(connection):
                        telemetry.RELAY_LEADER.set(1)
                        log.info("this replica relays now", service=self._service)
                        await self._lead(connection)
            except (SQLAlchemyError, NatsError, OSError, TimeoutError, LostLeadership) as error:
                log.warning("relay interrupted; taking up again", error=f"{type(error).__name__}: {error}")
            finally:
                telemetry.RELAY_LEADER.set(0)
            await asyncio.sleep(POLL)

    async def _locked(self, connection: AsyncConnection) -> bool:
        answer = await connection.execute(
            text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"),
            {"name": f"relay:{self._service}"},
        )
        return bool(answer.scalar_one())

    async def _lead(self, connection: AsyncConnection) -> None:
        relays = [StreamRelay(connection, self._nc, stream) for stream in self._streams]
        for relay in relays:
            await relay.take()
        while True:
            self._kicked.clear()
            carried = 0
            for relay in relays:
                carried += await relay.step()
            if carried == 0:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._kicked.wait()
        except TimeoutError:
            return
