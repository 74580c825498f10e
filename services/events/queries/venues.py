"""Reading how far the agreement on a room is."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.events.views import VenueView


async def view(session: AsyncSession, event: UUID, zone: ZoneInfo) -> VenueView | None:
    """The agreement on an event's room, or None when none was ever wanted."""
    raise NotImplementedError
