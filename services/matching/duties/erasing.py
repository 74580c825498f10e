"""Erasing the profiles of people who have belonged to no hub for thirty days."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.erasing import erase_all
from shared.kit.ids import Ids
from shared.kit.timers import Duty

_BELONGS = text("SELECT 1 FROM membership WHERE person = :person AND left_at IS NULL LIMIT 1")


def erase_the_gone(ids: Ids) -> Duty:
    """Erase, unless they belong to a hub again."""

    async def erase(session: AsyncSession, key: str, now: datetime) -> None:
        person = UUID(key)
        if (await session.execute(_BELONGS, {"person": person})).first() is None:
            await erase_all(session, person, now=now, ids=ids)

    return erase
