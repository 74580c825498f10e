"""Reading occupancy: numbers for staff, protected figures for everybody else."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.queries.spaces import zone_of
from services.booking.rules.publicity import public_band, public_total
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.requests import GetOccupancy, OccupancyFigures, OccupancyView
from shared.contracts.directory.words import STAFF
from shared.kit.errors import NotFound
from shared.kit.principal import Principal

_FIGURES = text("""
    SELECT space, capacity, booked, present, measured_at, public_present, public_at FROM occupancy
    WHERE hub = :hub AND capacity > 0 ORDER BY space
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
        booked=row.booked,
        free=row.capacity - row.booked,
        present=present,
        at=row.public_at,
    )


async def get_occupancy(
    session: AsyncSession, request: GetOccupancy, principal: Principal | None
) -> OccupancyView:
    """How full the hub and its spaces are now."""
    await zone_of(session, request.hub)
    rows = (await session.execute(_FIGURES, {"hub": request.hub})).all()
    total = next((row for row in rows if row.space == ALL_SPACES), None)
    if total is None:
        raise NotFound(f"{request.hub} has no spaces yet, so there is no occupancy to show.")
    spaces = [row for row in rows if row.space != ALL_SPACES]
    if principal is not None and principal.within(request.hub) in STAFF:
        return OccupancyView(hub=request.hub, total=_exact(total), items=tuple(_exact(row) for row in spaces))
    band = public_total(total.public_present, [row.public_present for row in spaces])
    return OccupancyView(
        hub=request.hub,
        total=_public(total, band),
        items=tuple(_public(row, public_band(row.public_present)) for row in spaces),
    )
