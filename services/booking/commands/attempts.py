"""Attempts at places: one statement each that books, states the fact and keeps the answer, or does nothing.

Attempts that come while others are being made are made together, by one statement in one transaction with one sync to disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from asyncpg.exceptions import (
    DeadlockDetectedError,
    IntegrityConstraintViolationError,
    LockNotAvailableError,
)
from prometheus_client import Histogram

from services.booking.commands.holds import HOLD
from shared.kit import idempotency

RESERVE_BATCH = Histogram(
    "foci_reserve_batch", "Reservations attempted by one statement.", buckets=(1, 2, 3, 5, 8, 12, 20, 50)
)
MOST = 50
"""Attempts in one statement: some 5 ms of PostgreSQL's time."""

_BOOKING = """booking (id, hub, hub_number, space, rules_version, units, seats, starts_at, ends_at, kept_from,
                         kept_until, status, title, person, booked_by, time_zone, expires_at, calendar, uid,
                         recurrence_id, created_at)"""
_OUTBOX = "outbox (stream, fact_id, subject, headers, body)"
_TIMER = "timer (kind, key, due_at)"

# The version of the space stands in the statement, so what is remembered of it can be stale without harm: a space that
# has changed meanwhile matches no row, nothing is booked, and the caller reads it anew. ON CONFLICT also keeps two
# rivals from waiting for each other: plain inserts against an exclusion constraint can deadlock.
# ruff: noqa: S608  # the statements are put together from constants
_BOOK = f"""
WITH place AS (
    SELECT hub_number FROM space
    WHERE hub || '/' || slug = $2::text || '/' || $3::text AND version = $4 AND active
), booked AS (
    INSERT INTO {_BOOKING}
    SELECT $1, $2, hub_number, $3, $4, $5::text::int4multirange, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
           $16::timestamptz, $17, $18, $19, $20
    FROM place ON CONFLICT DO NOTHING RETURNING id
), stated AS (
    INSERT INTO {_OUTBOX} SELECT $21, $22, $23, $24, $25 FROM booked
)"""
_TIMED = f""", timed AS (
    INSERT INTO {_TIMER} SELECT '{HOLD}', id::text, $16::timestamptz FROM booked
)"""
_KEYED = f""", answered AS (
    {idempotency.INSERT} SELECT $26::uuid, $27, $28, $29, $30::int, $31::int, $32 FROM booked
)"""
_DONE = " SELECT id FROM booked"


def _statement(*, held: bool, keyed: bool) -> str:
    return _BOOK + (_TIMED if held else "") + (_KEYED if keyed else "") + _DONE


STATEMENTS = {
    (held, keyed): _statement(held=held, keyed=keyed) for held in (False, True) for keyed in (False, True)
}
"""The statement for a hold or not, with an idempotency key or not."""

_TYPES = {
    "id": "uuid", "hub": "text", "space": "text", "rules_version": "int", "units": "text", "seats": "int",
    "starts_at": "timestamptz", "ends_at": "timestamptz", "kept_from": "timestamptz", "kept_until": "timestamptz",
    "status": "text", "title": "text", "person": "uuid", "booked_by": "uuid", "time_zone": "text",
    "expires_at": "timestamptz", "calendar": "text", "uid": "text", "recurrence_id": "text",
    "created_at": "timestamptz",
    "stream": "text", "fact_id": "uuid", "subject": "text", "headers": "text", "body": "text",
    "asker": "uuid", "operation": "text", "key": "text", "fingerprint": "text", "answer_status": "int",
    "answer_version": "int", "answer": "text",
}  # fmt: skip
"""The values of an attempt, in their order, and what they are."""

# OFFSET 0 keeps the look at the space inside the loop over the wishes: joined at the planner's discretion, a plan made while
# the table was small would read all of it for ever.
BATCH = f"""
WITH wish AS MATERIALIZED (
    SELECT * FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), 1))})
        AS w ({", ".join(_TYPES)})
), booked AS (
    INSERT INTO {_BOOKING}
    SELECT w.id, w.hub, s.hub_number, w.space, w.rules_version, w.units::int4multirange, w.seats, w.starts_at, w.ends_at,
           w.kept_from, w.kept_until, w.status, w.title, w.person, w.booked_by, w.time_zone, w.expires_at, w.calendar,
           w.uid, w.recurrence_id, w.created_at
    FROM wish w, LATERAL (
        SELECT hub_number FROM space
        WHERE hub || '/' || slug = w.hub || '/' || w.space AND version = w.rules_version AND active OFFSET 0
    ) s ON CONFLICT DO NOTHING RETURNING id
), done AS MATERIALIZED (
    SELECT w.* FROM booked JOIN wish w USING (id)
), stated AS (
    INSERT INTO {_OUTBOX} SELECT stream, fact_id, subject, headers, body FROM done
), timed AS (
    INSERT INTO {_TIMER} SELECT '{HOLD}', id::text, expires_at FROM done WHERE expires_at IS NOT NULL
), answered AS (
    {idempotency.INSERT} SELECT asker, operation, key, fingerprint, answer_status, answer_version, answer
    FROM done WHERE key IS NOT NULL
) SELECT id FROM booked"""
"""The same for many at once; what is given are arrays."""

_STARTS = list(_TYPES).index("starts_at")
_KEYLESS = (None,) * 7


@dataclass(frozen=True)
class Attempt:
    """A booking and its fact as values of the statement ($1 to $25), and the answer kept under a key ($26 to $32)."""

    values: tuple[Any, ...]
    key: tuple[Any, ...] | None
    held: bool

    @property
    def statement(self) -> str:
        """What makes this attempt by itself."""
        return STATEMENTS[self.held, self.key is not None]

    @property
    def order(self) -> tuple[Any, ...]:
        """Every batch takes its places in the same order, so that two batches seldom wait for each other."""
        return (*self.values[1:3], self.values[_STARTS])


@dataclass(frozen=True)
class _Waiting:
    attempt: Attempt
    booked: asyncio.Future[bool]


@dataclass
class Attempts:
    """Makes attempts; those that come while `at_once` statements are under way are made together by the next.

    One alone goes at once and waits for nobody.
    """

    pool: asyncpg.Pool
    at_once: int
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _under_way: int = 0
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    async def make(self, attempt: Attempt) -> bool:
        """Whether it booked; False when something stands in the way.

        UniqueViolationError when the key or the calendar entry was there before.
        """
        waiting = _Waiting(attempt, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._under_way < self.at_once:
            self._under_way += 1
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        return await waiting.booked

    async def _work(self) -> None:
        """Make whatever waits, batch by batch, until nothing does."""
        try:
            while batch := self._next():
                await self._answer(batch)
        finally:
            # At once, not when the task is seen to be done: whoever came in between would wait for somebody else.
            self._under_way -= 1

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        RESERVE_BATCH.observe(len(batch))
        try:
            booked = await self._together([one.attempt for one in batch])
        except Exception as error:  # noqa: BLE001  # whoever waits hears of it
            _fail(batch, error)
            return
        if booked is None:
            await asyncio.gather(*(self._apart(one) for one in batch))
            return
        for one in batch:
            _tell(one, one.attempt.values[0] in booked)

    def _next(self) -> list[_Waiting]:
        """The next batch; of twins with one key only the first, the other would undo it. Who has gone is left out."""
        batch: list[_Waiting] = []
        keys: set[tuple[Any, ...]] = set()
        twins: list[_Waiting] = []
        while self._waiting and len(batch) < MOST:
            one = self._waiting.popleft()
            key = one.attempt.key
            if one.booked.done():
                continue
            if key is None:
                batch.append(one)
            elif key[:3] in keys:
                twins.append(one)
            else:
                keys.add(key[:3])
                batch.append(one)
        self._waiting.extendleft(reversed(twins))
        return batch

    async def _together(self, attempts: Sequence[Attempt]) -> set[Any] | None:
        """Ids of the bookings made; None when one of several broke it for all, and nothing was done."""
        if len(attempts) == 1:
            return {await self._alone(attempts[0])}
        rows = [(*one.values, *(one.key or _KEYLESS)) for one in sorted(attempts, key=lambda one: one.order)]
        try:
            found = await self.pool.fetch(BATCH, *zip(*rows, strict=True))
        except (IntegrityConstraintViolationError, DeadlockDetectedError, LockNotAvailableError):
            return None
        return {row[0] for row in found}

    async def _alone(self, attempt: Attempt) -> Any:
        try:
            return await self.pool.fetchval(attempt.statement, *attempt.values, *(attempt.key or ()))
        except LockNotAvailableError:
            return None  # somebody is about to take the place, or to give it up

    async def _apart(self, one: _Waiting) -> None:
        try:
            _tell(one, await self._alone(one.attempt) is not None)
        except Exception as error:  # noqa: BLE001  # as above
            _fail([one], error)


def _tell(one: _Waiting, booked: bool) -> None:
    if not one.booked.done():
        one.booked.set_result(booked)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.booked.done():
            one.booked.set_exception(error)
