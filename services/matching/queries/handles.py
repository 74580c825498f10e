"""Reading the secret behind the ids by which people are named to each other before they have met."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.rules.handles import Handles

_SECRET = text("SELECT handle_secret()")


async def handles_for(session: AsyncSession, reader: UUID) -> Handles:
    """How this reader names other people."""
    return Handles(bytes((await session.execute(_SECRET)).scalar_one()), reader)
