"""Carries one stream's rows from the outbox into JetStream: none lost, none out of order, repeats only where absorbed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, count
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamState
from nats.js.errors import APIError, NotFoundError
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from shared.contracts.streams import RETENTION, Stream
from shared.kit import telemetry
from shared.kit.telemetry import logger
from shared.kit.tracing import extract, inject, is_recorded, span

log = logger(__name__)
tracer = trace.get_tracer("foci.relay")

BATCH = 500
ONE_BY_ONE = 4
"""So many at most go one by one, each after the answer to the one before it: for a batch the server makes a store of its own on
disk, 2 ms and 1 ms of CPU."""
BATCH_BYTES = 4 * 1024 * 1024
ANSWER_WITHIN = 2.0
LOOK_BACK = 1000
LOOK_AT_STREAM_EVERY = 10.0
CURSOR_EVERY = 1.0
POSITION = "Foci-Position"
WRONG_LAST_SEQUENCE = 10071
DUPLICATE_IN_BATCH = 10201
CONTEXT_HEADERS = frozenset({"traceparent", "tracestate"})


@dataclass(frozen=True)
class Entry:
    """One outbox row on its way; `xid` and `id` are its place in the log."""

    xid: int
    id: int
    fact_id: str
    subject: str
    headers: str
    body: str
    settled: bool
    overtaken: bool


class Misplaced(Exception):
    """The stream does not end where the relay thought: look at it and find the place again."""


class LostLeadership(Exception):
    """Another replica has taken over this stream."""


# Rows of transactions younger than the oldest running one are left alone: a transaction with a smaller number
# may still commit.
_WAITING = """
    SELECT xid::text::bigint AS xid, id, fact_id::text AS fact_id, subject, headers, body,
           xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled, {overtaken} AS overtaken
    FROM outbox o
    WHERE stream = $1 AND (xid, id) > ($2::text::xid8, $3)
    ORDER BY xid, id LIMIT $4
"""
_NEXT = _WAITING.format(overtaken="false")
# A transaction may get its number, wait for another's lock, and only then write: of one subject the row written last
# has the largest id, not the largest xid. In a log of facts the version in each fact settles that; where the last
# message is all there is, an older one must not come after it. (The name is written out so that the index on the
# rows of this stream serves.)
_OVERTAKEN = """EXISTS (
    SELECT FROM outbox later WHERE later.stream = '{stream}' AND later.subject = o.subject AND later.id > o.id)"""
# As text: a message somebody else has written may carry anything.
_KNOWN = """
    SELECT stated_at > now() - $4::interval FROM outbox
    WHERE stream = $1 AND xid = $2::text::xid8 AND id = $3 AND (fact_id::text = $5 OR $5::text IS NULL)
"""
# A restored database counts its transactions anew: rows numbered by the old one would wait for ever, and hide
# new ones. They keep their order by id, and before everything that is to come.
RENUMBERED = 1
_RENUMBER = """
    WITH renumbered AS (
        UPDATE outbox SET xid = $2::text::xid8 WHERE stream = $1 AND xid >= pg_snapshot_xmax(pg_current_snapshot())
        RETURNING 1)
    SELECT count(*) FROM renumbered
"""
_TAKE = """
    INSERT INTO relay_cursor (stream, epoch) VALUES ($1, 1)
    ON CONFLICT (stream) DO UPDATE SET epoch = relay_cursor.epoch + 1
    RETURNING epoch
"""
_NOTED = "SELECT last_sequence FROM relay_cursor WHERE stream = $1"
_MOVE = """
    UPDATE relay_cursor SET xid = $3::text::xid8, id = $4, last_sequence = $5, moved_at = now()
    WHERE stream = $1 AND epoch = $2 RETURNING true
"""


class StreamRelay:
    """Relays one stream while its process holds the service's relay lock.

    The end of the stream itself is the cursor: every message carries its place in the outbox, and after any
    crash the place is read from the last message the outbox knows. The row in `relay_cursor` is for people and figures
    to look at, says where to look in a stream whose end is unknown, and fences off a relay that has lost its lock.
    """

    def __init__(self, connection: asyncpg.Connection[Any], nc: Client, stream: Stream) -> None:
        self._db = connection
        self._nc = nc
        self._js = nc.jetstream(timeout=ANSWER_WITHIN)
        self._stream = stream
        self.stream = stream.name
        overtaken = _OVERTAKEN.format(stream=stream.name)
        self._next = _WAITING.format(overtaken=overtaken) if stream.latest_only else _NEXT
        self._xid = 0
        self._id = 0
        self._sequence = 0
        self._first = 0
        self._epoch = 0
        self._batches = count(1)
        self._saved_at = 0.0
        self._saved = (-1, -1, -1)
        self._looked_at = 0.0
        self.held_back = False
        self.has_more = False

    async def take(self) -> None:
        """Claim the cursor and find the place in the stream."""
        self._epoch = await self._db.fetchval(_TAKE, self.stream)
        renumbered = await self._db.fetchval(_RENUMBER, self.stream, str(RENUMBERED))
        if renumbered:
            log.warning("the outbox comes from another cluster", stream=self.stream, rows=renumbered)
        await self.find_place()

    async def _state(self) -> StreamState:
        self._looked_at = time.monotonic()
        state: StreamState = (await self._js.stream_info(self.stream)).state
        return state

    async def find_place(self) -> None:
        """Walk back from the end of the stream to the last message the outbox knows; go on after it.

        A database that went far back knows none of the last ones, but still the one it noted before it was saved.
        """
        state = await self._state()
        self._sequence, self._first = state.last_seq, state.first_seq
        self._xid, self._id = 0, 0
        noted = min(await self._db.fetchval(_NOTED, self.stream) or 0, state.last_seq)
        for sequence in chain(_back_from(state.last_seq, state), _back_from(noted, state)):
            place = await self._place_at(sequence)
            if place is not None:
                self._xid, self._id = place
                break
        place_found = {"sequence": self._sequence, "xid": self._xid, "row": self._id}
        log.info("relay found its place", stream=self.stream, **place_found)

    async def _place_at(self, sequence: int) -> tuple[int, int] | None:
        try:
            message = await self._js.get_msg(self.stream, sequence)
        except NotFoundError:
            return None
        headers = message.headers or {}
        xid, _, row = headers.get(POSITION, "").partition(".")
        if not (xid.isdecimal() and row.isdecimal() and len(xid) < 19 and len(row) < 19):
            return None  # not one of ours
        fact_id = headers.get("Nats-Msg-Id", "").partition("+")[0]
        known = await self._known(int(xid), int(row), fact_id)
        return None if known is None else (int(xid), int(row))

    async def _known(self, xid: int, row: int, fact_id: str | None = None) -> bool | None:
        """None when the outbox has no such row; else whether its message must still be in the stream."""
        # A day less, so that the stream's own forgetting is never taken for a loss.
        young = (self._stream.max_age or RETENTION) - timedelta(days=1)
        known: bool | None = await self._db.fetchval(_KNOWN, self.stream, str(xid), row, young, fact_id)
        return known

    async def step(self) -> int:
        """Carry the next batch; the number of rows carried. Misplaced when the stream is not as it was left."""
        entries = await self._waiting()
        if not entries:
            await self._idle()
            return 0
        await self._publish(entries)
        self._xid, self._id = entries[-1].xid, entries[-1].id
        telemetry.RELAYED.labels(self.stream).inc(len(entries))
        await self._save()
        return len(entries)

    async def _waiting(self) -> list[Entry]:
        found = await self._db.fetch(self._next, self.stream, str(self._xid), self._id, BATCH)
        entries = [Entry(**row) for row in found]
        settled = [entry for entry in entries if entry.settled]
        self.held_back = len(settled) < len(entries)
        if self.held_back:
            telemetry.RELAY_HELD_BACK.labels(self.stream).inc()
        next_batch = _bounded(settled)
        self.has_more = len(settled) == BATCH or len(next_batch) < len(settled)
        return next_batch

    async def _idle(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_AT_STREAM_EVERY:
            await self.look_at_stream()
        await self._save()

    async def look_at_stream(self) -> None:
        """Misplaced when the stream lost or gained something although nothing has been published meanwhile."""
        state = await self._state()
        if state.last_seq != self._sequence:
            raise Misplaced
        # A purge leaves the number of the last message as it was.
        if state.first_seq > self._sequence and await self._known(self._xid, self._id):
            raise Misplaced

    async def _save(self) -> None:
        # With the sequence: a stream that was made again and filled has another, and mending begins at it.
        place = (self._xid, self._id, self._sequence)
        now = time.monotonic()
        if place == self._saved or now - self._saved_at < CURSOR_EVERY:
            return
        if not await self._db.fetchval(
            _MOVE, self.stream, self._epoch, str(self._xid), self._id, self._sequence
        ):
            raise LostLeadership(self.stream)
        self._saved, self._saved_at = place, now

    async def _publish(self, waiting: list[Entry]) -> None:
        entries = [entry for entry in waiting if not entry.overtaken]
        if len(entries) > ONE_BY_ONE and await self._publish_batch(entries):
            return
        for entry in entries:
            await self._publish_one(entry)

    def _headers(self, entry: Entry) -> dict[str, str]:
        given: dict[str, str] = orjson.loads(entry.headers)
        place = {"Nats-Msg-Id": entry.fact_id, POSITION: f"{entry.xid}.{entry.id}"}
        if not is_recorded(given):
            return given | place  # no span is made, so what was stored is still the parent
        # The stored trace context is the parent of a publish span; passing the stored header along would cut
        # the trace here.
        headers = {name: value for name, value in given.items() if name not in CONTEXT_HEADERS} | place
        with span(tracer, "publish", context=extract(given), kind=SpanKind.PRODUCER) as current:
            current.set_attribute("messaging.destination.name", entry.subject)
            return inject(headers)

    async def _publish_batch(self, entries: list[Entry]) -> bool:
        """Publish all or none; False when the stream already has one of them."""
        # A name of its own for every try: the server may still hold the beginning of one that was cut off.
        batch = f"{self._epoch}.{next(self._batches)}.{entries[0].fact_id}"
        *most, last = entries
        for number, entry in enumerate(most, start=1):
            headers = self._headers(entry) | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number == 1:
                headers["Nats-Expected-Last-Sequence"] = str(self._sequence)
            await self._nc.publish(entry.subject, entry.body.encode(), headers=headers)
        commit = {
            "Nats-Batch-Id": batch,
            "Nats-Batch-Sequence": str(len(entries)),
            "Nats-Batch-Commit": "1",
        }
        answer = await self._request(last, self._headers(last) | commit)
        if _refused(answer) == DUPLICATE_IN_BATCH:
            return False
        self._sequence = _accepted(answer)
        return True

    async def _publish_one(self, entry: Entry, *, again: bool = False) -> None:
        headers = self._headers(entry) | {"Nats-Expected-Last-Sequence": str(self._sequence)}
        if again:
            headers["Nats-Msg-Id"] = f"{entry.fact_id}+{self._sequence}"
        answer = await self._request(entry, headers)
        sequence = _accepted(answer)
        if not answer.get("duplicate"):
            self._sequence = sequence
        elif sequence < self._first and not again:
            # The server remembers ids for two minutes, also of messages that have been purged since.
            await self._publish_one(entry, again=True)
        else:
            telemetry.RELAY_DUPLICATES.labels(self.stream).inc()

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


def _back_from(sequence: int, state: StreamState) -> range:
    """As many numbers, downwards, as are looked at for a place."""
    return range(sequence, max(state.first_seq, sequence - LOOK_BACK, 1) - 1, -1)


def _bounded(entries: list[Entry]) -> list[Entry]:
    """As many as the connection's buffers take at once, at least one."""
    size = 0
    for number, entry in enumerate(entries):
        size += len(entry.body)
        if size > BATCH_BYTES and number:
            return entries[:number]
    return entries


def _refused(answer: dict[str, Any]) -> int | None:
    error = answer.get("error")
    return None if error is None else int(error.get("err_code", 0))


def _accepted(answer: dict[str, Any]) -> int:
    """The sequence a message, or the last of a batch, was given."""
    refused = _refused(answer)
    if refused == WRONG_LAST_SEQUENCE:
        raise Misplaced
    if refused is not None:
        raise APIError(**{key: answer["error"].get(key) for key in ("code", "err_code", "description")})
    return int(answer["seq"])
