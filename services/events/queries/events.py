"""Reading events, as much of them as the one who asks may see."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.rules.authority import Viewer
from shared.contracts.events.views import EventView

VISIBLE = ""
"""SQL for the events a viewer may see, over `event e` with :person, :role_known and :staff."""


async def view(
    session: AsyncSession, hub: str, event: UUID, viewer: Viewer, *, language: str | None = None
) -> EventView:
    """One event; NotFound unless the viewer may see it."""
    raise NotImplementedError
