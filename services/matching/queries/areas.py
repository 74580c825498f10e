"""Areas around a hub, as parts of other statements: each has a key that is the same for all hubs in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.rules.smallness import Path
from shared.contracts.matching.gaps import Area
from shared.kit.errors import Invalid, Unavailable

HUB = "'hub:' || h.id"
# Two regions may have a municipality of the same name, and two countries a region.
MUNICIPALITY = """
    CASE WHEN h.municipality IS NOT NULL THEN
        'municipality:' || coalesce(h.country, '') || '/' || coalesce(h.region, '') || '/' || h.municipality END
"""
REGION = "CASE WHEN h.region IS NOT NULL THEN 'region:' || coalesce(h.country, '') || '/' || h.region END"
WIDEST = f"coalesce({REGION}, {MUNICIPALITY}, {HUB})"
"""What is counted at once: nothing in one such area is put together with anything in another."""

_AREAS = f"h.id, {HUB} AS hub_area, {MUNICIPALITY} AS municipality_area, {REGION} AS region_area"
_WITHIN = text(f"SELECT {_AREAS} FROM hub h WHERE {WIDEST} = :widest ORDER BY h.id")  # noqa: S608  # constants
_OF_HUB = text(f"SELECT {_AREAS}, h.name, h.municipality, h.region FROM hub h WHERE h.id = :hub")  # noqa: S608


def _path(row: Row[Any]) -> Path:
    return (row.hub_area, row.municipality_area, row.region_area)


async def places_within(session: AsyncSession, widest: str) -> dict[str, Path]:
    """The areas of every hub of a widest area, by the first of them, the hub's own."""
    return {row.hub_area: _path(row) for row in (await session.execute(_WITHIN, {"widest": widest})).all()}


async def area_of(session: AsyncSession, hub: str, area: Area) -> tuple[str, str]:
    """The key of one of a hub's areas, and what it is called; Invalid where the hub has none."""
    row = (await session.execute(_OF_HUB, {"hub": hub})).first()
    if row is None:
        raise Unavailable("Matching has not heard of this hub yet. Try again in a moment.")
    level = [*Area].index(area)
    key, name = _path(row)[level], (row.name, row.municipality, row.region)[level]
    if key is None:
        raise Invalid(f"The hub has not said in which {area} it is.", field="area")
    return key, name
