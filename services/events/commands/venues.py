"""Wishing for a room, and wishing for none."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.kit.ids import Ids
from shared.kit.moments import Span


async def want(
    session: AsyncSession,
    event: Event,
    *,
    space: str,
    span: Span,
    seats: int | None,
    person: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    """Ask booking for this room, in place of any the event has."""
    raise NotImplementedError


async def release(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    """Give the room back; nothing wanted or booked: nothing happens."""
    raise NotImplementedError
