"""From 10 000 to 1 000 000 bookings and from 10 to 10 000 hubs: does a booking cost the same?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from deploy.local.servers import ENVIRONMENT, Postgres, free_port
from services.booking.commands.attempts import STATEMENTS
from shared.kit.ids import new_id, utc_now
from shared.kit.migrate import migrate
from tests.bench.floor import Floor, definitions
from tests.bench.plan import PLACES, Plan, first_day
from tests.stack.console import eventually

READY_WITHIN_S = 60.0
DATABASE = "scale"
CLIENTS = 4
FILLINGS = 3
"""Databases of a size; where the pages of an index happen to split is worth a block more or less."""

# Twelve slots a day from 08:00, per place backwards and forwards from today; a third of the bookings lie ahead. The order
# of insertion mixes places and days as life does, so that the indexes grow as they would.
_LOAD = (
    """
    INSERT INTO hub (slug, name, time_zone, next_unit)
    SELECT 'floor-' || h, 'Hub ' || h, 'Europe/Stockholm', 46 FROM generate_series(0, $1::int - 1) h ORDER BY h
    """,
    """
    INSERT INTO space (hub, hub_number, slug, name, kind, capacity, units, rules)
    SELECT 'floor-' || h, h + 1, 'place-' || p, 'Place ' || p, CASE WHEN p < 5 THEN 'room' ELSE 'flex' END, 8,
           CASE WHEN p < 5 THEN int4multirange(int4range(p + 1, p + 2))
                ELSE int4multirange(int4range(6 + (p - 5) * 8, 14 + (p - 5) * 8)) END, '{"opening_hours": null}'
    FROM generate_series(0, $1::int - 1) h, generate_series(0, 9) p
    """,
    """
    WITH numbered AS (
        SELECT n, n / ($1::int * 10) AS round, n % $1::int AS hub, n / $1::int % 10 AS place
        FROM generate_series(0, $2::int - 1) n
    ), rounds AS (SELECT ceil($2::numeric / ($1::int * 10))::int AS number)
    INSERT INTO booking (id, hub, hub_number, space, units, seats, starts_at, ends_at, kept_until, status, title,
                         person, booked_by, time_zone, rules_version, created_at)
    SELECT uuidv7(), 'floor-' || hub, hub + 1, 'place-' || place,
           int4multirange(int4range(unit, unit + 1)), 1, start, start + interval '1 hour', start + interval '1 hour',
           CASE WHEN round % 20 = 0 THEN 'cancelled' WHEN start < now() THEN 'checked_out' ELSE 'confirmed' END,
           'Interview, please knock', gen_random_uuid(), gen_random_uuid(), 'Europe/Stockholm', 1, now()
    FROM numbered, rounds,
         LATERAL (SELECT CASE WHEN place < 5 THEN place + 1 ELSE 6 + (place - 5) * 8 + n % 8 END AS unit) u,
         LATERAL (SELECT $3::timestamptz + ((round / 12) - number / 12 * 2 / 3) * interval '1 day'
                         + (round % 12 + 8) * interval '1 hour' AS start) t
    ORDER BY hashint4(n)
    """,
)
_TOUCHED = """
    SELECT indexrelname::text AS name, idx_blks_hit + idx_blks_read AS blocks FROM pg_statio_user_indexes
    WHERE relname IN ('booking', 'space', 'outbox', 'idempotency_key')
"""


@dataclass(frozen=True)
class Size:
    """One filling."""

    bookings: int
    hubs: int

    def __str__(self) -> str:
        return f"{self.bookings:_} bookings, {self.hubs:_} hubs".replace("_", " ")


FULL = (Size(10_000, 10), Size(1_000_000, 10), Size(10_000, 10_000), Size(1_000_000, 10_000))
QUICK = (Size(1_000, 10), Size(10_000, 10), Size(10_000, 100))


@dataclass(frozen=True)
class Cost:
    """What one reserve costs at a size: blocks as means, CPU as a median."""

    size: Size
    by_index: Mapping[str, float]
    index_blocks: float
    all_blocks: float
    cpu_us: float
    loaded_in_s: float


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[Postgres, int]]:
    """A PostgreSQL of its own with the stack's settings; it and its process id."""
    postgres = Postgres(folder / "postgres", free_port(), secrets.token_hex(16))
    postgres.prepare()
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            postgres.command(), env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        eventually(
            "PostgreSQL is ready, or has ended",
            lambda: process.poll() is not None or postgres.ready(),
            seconds=READY_WITHIN_S,
        )
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'postgres.log').read_text()}")
        yield postgres, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


async def _execute(url: str, *statements: tuple[Any, ...]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement, *values in statements:
            await connection.execute(statement, *values)
    finally:
        await connection.close()


async def _fetch(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _fill(postgres: Postgres, size: Size) -> float:
    """A fresh database of that size; seconds it took."""
    admin = postgres.url()
    asyncio.run(_execute(admin, (f"DROP DATABASE IF EXISTS {DATABASE}",), (f"CREATE DATABASE {DATABASE}",)))
    url = postgres.url(DATABASE)
    migrate("booking", url.replace("postgresql://", "postgresql+asyncpg://"))
    started = time.monotonic()
    hubs, spaces, bookings = _LOAD
    work: list[tuple[Any, ...]] = [(hubs, size.hubs), (spaces, size.hubs)]
    work += [
        (bookings, size.hubs, size.bookings, first_day(utc_now())),
        ("VACUUM (ANALYZE)",),
        ("CHECKPOINT",),
    ]
    asyncio.run(_execute(url, *work))
    return time.monotonic() - started


def reservation(number: int, hubs: int, day: datetime) -> tuple[Any, ...]:
    """Values for the statement of the hot path; times between those that are taken, so each would succeed."""
    texts = definitions()
    hub, place = f"floor-{number * 7919 % hubs}", number % PLACES
    unit = place + 1 if place < 5 else 6 + (place - 5) * 8 + number % 8
    # Evenings: no loaded booking is later than 20:00.
    start = day + timedelta(days=number * 31 % 300, hours=20, minutes=number // 300 % 4 * 60)
    end = start + timedelta(minutes=30)
    booking, fact, person = new_id(), new_id(), uuid4()
    return (
        booking, hub, f"place-{place}", 1, f"{{[{unit},{unit + 1})}}", 1, start, end, None, end, "confirmed",
        texts["title"], person, person, texts["zone"], None, None, None, None, datetime.now(UTC),
        "FLOOR", fact, texts["subject"], texts["headers"], texts["body"],
        person, texts["operation"], str(booking), texts["fingerprint"], 201, 1, texts["answer"],
    )  # fmt: skip


@dataclass(frozen=True)
class Blocks:
    """Blocks touched by one reserve."""

    by_index: Mapping[str, int]
    everything: int


async def _blocks(url: str, size: Size, tries: int) -> list[Blocks]:
    """Blocks each of many reserves touches; every one is rolled back."""
    connection = await asyncpg.connect(
        url, server_settings={"stats_fetch_consistency": "none", "jit": "off", "enable_seqscan": "off"}
    )
    day = first_day(utc_now())
    found = []
    try:
        for number in range(tries):
            values = reservation(number, size.hubs, day)
            before = await _touched(connection)
            work = connection.transaction()
            await work.start()
            explained = await connection.fetchval(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + STATEMENTS[False, True], *values
            )
            await work.rollback()
            after = await _touched(connection)
            found.append(Blocks({name: after[name] - before[name] for name in after}, _buffers(explained)))
    finally:
        await connection.close()
    return found


async def _touched(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    return {row["name"]: row["blocks"] for row in await connection.fetch(_TOUCHED)}


def _buffers(explained: str) -> int:
    plan = json.loads(explained)[0]["Plan"]
    if plan["Actual Rows"] != 1:
        raise RuntimeError("a reserve that should have found its place free was refused")
    parts = [plan, *plan.get("Plans", [])]
    writes = [part for part in parts if part.get("Subplan Name", "").startswith("CTE")]
    return sum(int(part["Shared Hit Blocks"] + part["Shared Read Blocks"]) for part in [plan, *writes])


def measure(
    folder: Path, *, quick: bool, say: Callable[[str], None], tries: int = 300, transactions: int = 3000
) -> list[Cost]:
    """The cost at each size, the smallest first."""
    costs = []
    with server(folder) as (postgres, pid):
        for size in QUICK if quick else FULL:
            loaded, found = [], []
            url = postgres.url(DATABASE)
            for _ in range(1 if quick else FILLINGS):
                say(f"loading {size}")
                loaded.append(_fill(postgres, size))
                found += asyncio.run(_blocks(url, size, 50 if quick else tries))
            cpu_us = _cpu(url, pid, size, 200 if quick else transactions)
            costs.append(_cost(size, found, cpu_us, statistics.median(loaded)))
    return costs


def _cost(size: Size, found: Sequence[Blocks], cpu_us: float, loaded_in_s: float) -> Cost:
    return Cost(
        size,
        {name: statistics.mean(one.by_index[name] for one in found) for name in found[0].by_index},
        statistics.mean(sum(one.by_index.values()) for one in found),
        statistics.mean(one.everything for one in found),
        cpu_us,
        loaded_in_s,
    )


def _cpu(url: str, pid: int, size: Size, transactions: int) -> float:
    """PostgreSQL's CPU per reserve: the median of five runs of pgbench with the frozen statement."""
    # From 20:00 to 08:00, between the bookings that are loaded.
    day = first_day(utc_now()) - timedelta(hours=4)
    plan = Plan(tuple(str(number) for number in range(size.hubs)), (), day)
    floor = Floor(url, pid, plan, clients=CLIENTS)
    floor.run(per_client=max(transactions // 10, 10))
    cost = statistics.median(floor.run(per_client=transactions).cpu_us for _ in range(5))
    booked = asyncio.run(_fetch(url, "SELECT count(*) FROM outbox WHERE stream = 'FLOOR'"))
    if booked != floor.transactions:
        raise RuntimeError(f"only {booked} of {floor.transactions} bookings found their place free")
    return cost
