"""Reading occupancy: numbers for staff, protected figures for everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.queries.spaces import zone_of
from services.booking.rules.publicity import public_band, public_moment, public_total
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.requests import GetOccupancy, OccupancyFigures, OccupancyView
from shared.contracts.directory.words import STAFF
from shared.kit.principal import Principal

_FIGURES = text("""
    SELECT o.space, o.capacity, o.booked, o.present, o.measured_at, o.public_booked, o.public_present,
            o.public_at, cardinality(s.made_of) > 0 AS combined
    FROM occupancy o LEFT JOIN space s ON s.hub = o.hub AND s.slug = o.space
    WHERE o.hub = :hub AND o.capacity > 0 ORDER BY o.space
""")


def _exact(row: Any) -> OccupancyFigures:
    return OccupancyFigures(
        space=row.space,
        capacity=row.capacity,
        booked=row.booked,
        free=row.capacity - row.booked,
        present=row.present,
        at=row.measured_at,
    )


def _public(row: Any, present: str | None) -> OccupancyFigures:
    return OccupancyFigures(
        space=row.space,
        capacity=row.capacity,
        booked=row.public_booked,
        free=row.capacity - row.public_booked,
        present=present,
        at=row.public_at,
    )


async def get_occupancy(
    session: AsyncSession, request: GetOccupancy, principal: Principal | None, *, now: datetime
) -> OccupancyView:
    """How full the hub and its spaces are now."""
    await zone_of(session, request.hub)
    rows = (await session.execute(_FIGURES, {"hub": request.hub})).all()
    total = next((row for row in rows if row.space == ALL_SPACES), None)
    spaces = [row for row in rows if row.space != ALL_SPACES]
    if total is None:
        nothing = OccupancyFigures(space=ALL_SPACES, capacity=0, booked=0, free=0, at=public_moment(now))
        return OccupancyView(hub=request.hub, total=nothing, items=())
    if principal is not None and principal.within(request.hub) in STAFF:
        return OccupancyView(hub=request.hub, total=_exact(total), items=tuple(_exact(row) for row in spaces))
    return _protected(request.hub, total, spaces)


def _protected(hub: str, total: Any, spaces: Sequence[Any]) -> OccupancyView:
    # A combined space is the sum of its parts: shown beside them it would tell what one of them hides.
    parts = [row.public_present for row in spaces if not row.combined]
    return OccupancyView(
        hub=hub,
        total=_public(total, public_total(total.public_present, parts)),
        items=tuple(
            _public(row, None if row.combined else public_band(row.public_present)) for row in spaces
        ),
    )
