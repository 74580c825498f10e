"""How full the cell is, over all its hubs: for those who watch over the service, never by hub or person."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import ALL_SPACES

UNITS = Gauge("foci_booking_units", "Places of all hubs as last measured, by what is counted.", ("count",))

_UNITS = text("""
    SELECT coalesce(sum(capacity), 0)::bigint AS capacity, coalesce(sum(booked), 0)::bigint AS booked,
           coalesce(sum(present), 0)::bigint AS present FROM occupancy WHERE space = :all
""")


async def measure_load(session: AsyncSession) -> None:
    """Set the gauges to how it is now."""
    row = (await session.execute(_UNITS, {"all": ALL_SPACES})).mappings().one()
    for count, units in row.items():
        UNITS.labels(count).set(units)
