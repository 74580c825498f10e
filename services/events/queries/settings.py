"""Reading a hub's choices about events."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.events.views import EventSettingsView
from shared.kit.errors import NotFound

_CHOSEN = text("""
    SELECT coalesce(s.approval, false) AS approval, coalesce(s.version, 1) AS version
    FROM hub h LEFT JOIN hub_settings s ON s.hub = h.slug WHERE h.slug = :hub
""")


async def get_settings(session: AsyncSession, hub: str) -> EventSettingsView:
    """A hub's choices; NotFound when there is no such hub."""
    row = (await session.execute(_CHOSEN, {"hub": hub})).first()
    if row is None:
        raise NotFound(f"There is no hub {hub}.", field="hub")
    return EventSettingsView(hub=hub, approval=row.approval, version=row.version)
