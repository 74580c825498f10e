"""Ending introductions that nobody has answered in time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import lapse
from shared.kit.ids import Ids
from shared.kit.timers import Duty


def lapse_introductions(ids: Ids) -> Duty:
    """End the introduction, unless both have said yes or it is over."""

    async def lapses(session: AsyncSession, key: str, now: datetime) -> None:
        await lapse(session, UUID(key), now=now, ids=ids)

    return lapses
