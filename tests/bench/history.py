"""After a run: is every booking that was answered there exactly once, does none overlap, has the stream every fact?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from nats.js.api import StreamState

from tests.bench.stack import Stack

_OVERLAPS = """
    SELECT count(*) FROM booking a JOIN booking b ON a.hub = b.hub AND a.id < b.id AND a.units && b.units
        AND tstzrange(a.starts_at, a.kept_until) && tstzrange(b.starts_at, b.kept_until)
    WHERE a.hub LIKE 'bench-%' AND a.status IN ('held', 'confirmed', 'checked_in')
        AND b.status IN ('held', 'confirmed', 'checked_in')
"""
# Each answered id with the bookings, answers and facts there are of it.
_FOUND = """
    SELECT count(*) AS asked,
           count(*) FILTER (WHERE bookings <> 1) AS not_booked,
           count(*) FILTER (WHERE facts <> 1) AS not_stated,
           count(*) FILTER (WHERE answers <> 1) AS not_kept
    FROM (
        SELECT a.id, (SELECT count(*) FROM booking b WHERE b.id = a.id) AS bookings,
               coalesce(f.number, 0) AS facts, coalesce(k.number, 0) AS answers
        FROM unnest($1::uuid[]) a (id)
        LEFT JOIN (SELECT (body::json ->> 'subject')::text AS id, count(*) AS number FROM outbox
                   WHERE stream = 'BOOKING' AND subject LIKE '%.booking-confirmed.%' GROUP BY 1) f ON f.id = a.id::text
        LEFT JOIN (SELECT answer::json ->> 'id' AS id, count(*) AS number FROM idempotency_key
                   WHERE key LIKE 'bench-%' AND fingerprint <> $2 GROUP BY 1) k ON k.id = a.id::text
    ) found
"""


@dataclass(frozen=True)
class History:
    """What the check found; everything but the first two must be 0."""

    answered: int
    bookings: int
    twice_answered: int
    not_booked: int
    not_stated: int
    not_kept: int
    overlaps: int
    missing_in_stream: int

    @property
    def faults(self) -> int:
        """How much is wrong."""
        return (
            self.twice_answered + self.not_booked + self.not_stated + self.not_kept + self.overlaps
            + abs(self.missing_in_stream)
        )  # fmt: skip


def answered_bookings(record: Path) -> list[str]:
    """Ids of all bookings that were answered with 201."""
    lines = (line.split() for line in record.read_text().splitlines())
    return [booking for status, booking in lines if status == "201"]


def check(stack: Stack, answered: list[str], floors_fingerprint: str) -> History:
    """Look at everything; slow, and worth it."""
    unique = sorted(set(answered))
    found = stack.sql(_FOUND, unique, floors_fingerprint)[0]
    stated = stack.sql("SELECT count(*) AS number FROM outbox WHERE stream = 'BOOKING'")[0]["number"]
    bookings = stack.sql("SELECT count(*) AS number FROM booking WHERE hub LIKE 'bench-%'")[0]["number"]
    return History(
        answered=len(answered),
        bookings=bookings,
        twice_answered=len(answered) - len(unique),
        not_booked=found["not_booked"],
        not_stated=found["not_stated"],
        not_kept=found["not_kept"],
        overlaps=stack.sql(_OVERLAPS)[0]["count"],
        missing_in_stream=stated - asyncio.run(_state(stack)).messages,
    )


async def _state(stack: Stack) -> StreamState:
    client = await stack.admin()
    try:
        state: StreamState = (await client.jetstream(timeout=5).stream_info("BOOKING")).state
        return state
    finally:
        await client.close()
