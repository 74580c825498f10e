"""What booking keeps of hubs: name and zone, as directory states them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.tables import Hub
from shared.kit.moments import check_zone

# A space's version stands for everything a reservation was decided on, the zone included.
_ANEW = text("UPDATE space SET version = version + 1 WHERE hub = :hub")
_TERMS = text("""
    INSERT INTO space_terms (hub, slug, version, rules, time_zone, since)
    SELECT hub, slug, version, rules, :time_zone, :now FROM space WHERE hub = :hub ON CONFLICT DO NOTHING
""")


async def mirror(session: AsyncSession, hub: str, *, name: str, time_zone: str, now: datetime) -> None:
    """Keep a hub's name and zone; a new zone counts for bookings made from now on."""
    check_zone(time_zone)
    known = await session.get(Hub, hub, with_for_update=True)
    if known is None:
        await session.execute(
            insert(Hub).values(slug=hub, name=name, time_zone=time_zone).on_conflict_do_nothing()
        )
        return
    moved = known.time_zone != time_zone
    known.name, known.time_zone = name, time_zone
    await session.flush()
    if moved:
        await session.execute(_ANEW, {"hub": hub})
        await session.execute(_TERMS, {"hub": hub, "time_zone": time_zone, "now": now})
