"""Measuring occupancy: figures per space and hub at a moment, stated when they change, by deed or by time passing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.rules.publicity import PUBLIC_EVERY, public_moment
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1
from shared.contracts.streams import OCCUPANCY
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import Row, write
from shared.kit.timers import set_timer, wake_no_later
from shared.kit.tracing import inject

# Whoever measures takes its locks in this order: the hub's BOUNDARY timer, its PUBLIC timer, the hub's figures. Both
# duties hold their own timer when they begin, and often fall due at the same full hour.
BOUNDARY = "occupancy-boundary"
"""Timer per hub: the next moment at which a booking begins or ends."""
PUBLIC = "occupancy-public"
"""Timer per hub: the next full five minutes, when the public figures catch up."""

HUBS_AT_ONCE = 50
CLOCKS_APART = timedelta(minutes=1)
"""By how much the clocks of two replicas, or the wait for the lock, may differ."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('occupancy ' || :hub, 2))")
_LATEST = text("SELECT max(measured_at) FROM occupancy WHERE hub = :hub")
# Units are counted as sets: an event on the floor takes the flex seats, and the hub counts every unit once.
_MEASURE = text("""
    WITH claims AS (
        SELECT units, seats, status FROM booking
        WHERE hub_number = (SELECT number FROM hub WHERE slug = :hub) AND status IN ('held', 'confirmed', 'checked_in')
          AND tstzrange(starts_at, kept_until) @> CAST(:now AS timestamptz) AND ends_at > :now
          AND NOT (status = 'held' AND expires_at <= :now)
    ), taken AS (
        SELECT coalesce(range_agg(r), '{}') AS units FROM claims, unnest(units) r
    ), places AS (
        SELECT slug AS space, CASE WHEN active THEN units ELSE '{}' END AS units FROM space WHERE hub = :hub
        UNION ALL
        SELECT :all, coalesce(
            (SELECT range_agg(r) FROM space, unnest(units) r WHERE hub = :hub AND active), '{}')
    ), figures AS (
        SELECT p.space, count_units(p.units) AS capacity, count_units(p.units * t.units) AS booked,
               coalesce((
                   SELECT sum(CASE WHEN count_units(c.units) = c.seats THEN count_units(c.units * p.units)
                              ELSE c.seats END)
                   FROM claims c WHERE c.status = 'checked_in' AND c.units && p.units
               ), 0)::int AS present
        FROM places p, taken t
    )
    INSERT INTO occupancy AS o (hub, space, capacity, booked, present, measured_at,
                                public_booked, public_present, public_at)
    SELECT :hub, space, capacity, booked, present, :now, booked, 0, :public_at FROM figures
    ON CONFLICT (hub, space) DO UPDATE SET capacity = excluded.capacity, booked = excluded.booked,
        present = excluded.present, measured_at = excluded.measured_at, version = o.version + 1,
        public_booked = CASE WHEN o.capacity = excluded.capacity THEN o.public_booked ELSE excluded.booked END
    WHERE (o.capacity, o.booked, o.present) IS DISTINCT FROM (excluded.capacity, excluded.booked, excluded.present)
    RETURNING space, capacity, booked, present, measured_at, version
""")
# Two questions, each answered by the end of an index: what begins next, and which of those going on ends first.
_NEXT_BOUNDARY = text("""
    SELECT least(
        (SELECT min(starts_at) FROM (
            SELECT starts_at FROM booking
            WHERE hub = :hub AND starts_at > :now AND status IN ('held', 'confirmed', 'checked_in')
            ORDER BY starts_at LIMIT 1) soonest),
        (SELECT min(ends_at) FROM booking
         WHERE hub_number = (SELECT number FROM hub WHERE slug = :hub)
           AND status IN ('held', 'confirmed', 'checked_in') AND ends_at > :now
           AND tstzrange(starts_at, kept_until) @> CAST(:now AS timestamptz)))
""")
_PUBLISH = text("""
    UPDATE occupancy SET public_booked = booked, public_present = present, public_at = :public_at
    WHERE hub = :hub AND public_at < :public_at
""")
_HUBS = text("SELECT DISTINCT hub FROM space WHERE hub > :after ORDER BY hub LIMIT :most")
_FIGURES = text("""
    SELECT hub, space, capacity, booked, present, measured_at, version FROM occupancy WHERE hub = :hub ORDER BY space
""")


async def measure(session: AsyncSession, hub: str, *, now: datetime, ids: Ids) -> int:
    """Measure a hub and state what has changed; how many figures did."""
    # Without looking whether anything has changed: later would be the wrong order of locks.
    await set_timer(session, PUBLIC, hub, public_moment(now) + PUBLIC_EVERY, only_earlier=True)
    await session.execute(_LOCK, {"hub": hub})
    now = await _not_before_the_latest(session, hub, now)
    asked = {"hub": hub, "now": now, "all": ALL_SPACES, "public_at": public_moment(now)}
    changed = (await session.execute(_MEASURE, asked)).all()
    await write(session, *(_message(hub, row, ids) for row in changed))
    return len(changed)


async def _not_before_the_latest(session: AsyncSession, hub: str, now: datetime) -> datetime:
    """Never measure an earlier moment than was measured: one's clock was read before waiting for the lock.

    Otherwise somebody late would put back what began or ended meanwhile, and nobody would be woken to put it right.
    """
    latest: datetime | None = (await session.execute(_LATEST, {"hub": hub})).scalar()
    return latest if latest is not None and now < latest <= now + CLOCKS_APART else now


async def measure_at_boundary(session: AsyncSession, hub: str, *, now: datetime, ids: Ids) -> None:
    """Measure because time has passed, and be woken at the next boundary."""
    await measure(session, hub, now=now, ids=ids)
    await _wake_at_next(session, hub, now)


async def _wake_at_next(session: AsyncSession, hub: str, now: datetime) -> None:
    due_at = (await session.execute(_NEXT_BOUNDARY, {"hub": hub, "now": now})).scalar()
    if due_at is not None:
        await set_timer(session, BOUNDARY, hub, due_at, only_earlier=True)


async def wake_at(session: AsyncSession, moments: Mapping[str, datetime]) -> None:
    """Have each hub measured at its moment, if nothing is due before."""
    await wake_no_later(session, BOUNDARY, moments)


async def publish(session: AsyncSession, hub: str, *, now: datetime) -> None:
    """Let the public figures catch up, at a full five minutes."""
    await session.execute(_LOCK, {"hub": hub})
    await session.execute(_PUBLISH, {"hub": hub, "public_at": public_moment(now)})


def _message(hub: str, row: Any, ids: Ids) -> Row:
    event = OccupancyChangedV1(
        id=ids(),
        source=f"/hubs/{hub}/booking",
        subject=row.space,
        time=row.measured_at,
        data=Occupancy(
            hub=hub,
            space=row.space,
            capacity=row.capacity,
            booked=row.booked,
            free=row.capacity - row.booked,
            present=row.present,
            at=row.measured_at,
            version=row.version,
        ),
    )
    return Row(
        stream=OCCUPANCY,
        fact_id=event.id,
        subject=OccupancyChangedV1.subject_for(hub, row.space),
        headers=orjson.dumps(inject({"Content-Type": OccupancyChangedV1.content_type})).decode(),
        body=event.model_dump_json(),
    )


async def restate(session: AsyncSession, after: str, *, clock: Clock, ids: Ids) -> tuple[int, str | None]:
    """Measure the next hubs anew, state every figure, arm the timers: how many figures, and where to go on."""
    stated = 0
    hubs = (await session.scalars(_HUBS, {"after": after, "most": HUBS_AT_ONCE})).all()
    for hub in hubs:
        now = clock()
        await _wake_at_next(session, hub, now)
        await measure(session, hub, now=now, ids=ids)
        rows = (await session.execute(_FIGURES, {"hub": hub})).all()
        await write(session, *(_message(hub, row, ids) for row in rows))
        stated += len(rows)
    return stated, hubs[-1] if len(hubs) == HUBS_AT_ONCE else None
