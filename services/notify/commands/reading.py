"""Marking what has been read."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.notify.notices import MarkNoticesRead

_READ = text("""
    UPDATE message SET read_at = :now
    WHERE person = :person AND channel = 'inbox' AND read_at IS NULL
      AND (id = ANY(:notices) OR id <= CAST(:until AS uuid))
""")


async def mark_read(session: AsyncSession, request: MarkNoticesRead, *, by: UUID, now: datetime) -> None:
    """The person has read these; what is not in their inbox, or not any more, is passed over."""
    asked = {"person": by, "notices": list(request.notices), "until": request.until, "now": now}
    await session.execute(_READ, asked)
