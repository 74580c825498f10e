"""A hub's choices about events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.loading import hub_of, refuse_stale
from services.events.tables import HubSettings
from shared.contracts.events.requests import ChangeEventSettings


async def change_settings(
    session: AsyncSession, request: ChangeEventSettings, *, by: UUID, now: datetime
) -> None:
    """Choose differently from now on; events that wait for approval go on waiting."""
    await hub_of(session, request.hub)
    # A hub that has chosen nothing yet has no row to lock; two who choose first shall see each other.
    await session.execute(insert(HubSettings).values(hub=request.hub).on_conflict_do_nothing())
    chosen = await session.get_one(HubSettings, request.hub, with_for_update=True, populate_existing=True)
    refuse_stale("choice", chosen.version, request.version)
    if request.approval is None or request.approval == chosen.approval:
        return
    chosen.approval = request.approval
    chosen.version += 1
    chosen.changed_by, chosen.changed_at = by, now
    await session.flush()
