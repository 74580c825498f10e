"""Publishing an event: asking the hub, asking for its room, becoming visible, and what becomes of it with its room."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.kit.ids import Ids
from shared.kit.moments import Span
from shared.kit.principal import Principal


async def publish(session: AsyncSession, event: Event, who: Principal, *, now: datetime, ids: Ids) -> None:
    """Let people see it: at once, when the hub has approved, or when its room is confirmed."""
    raise NotImplementedError


async def become_public(
    session: AsyncSession, event: Event, *, by: UUID | None, now: datetime, ids: Ids
) -> None:
    """From now on people see it and sign up."""
    raise NotImplementedError


async def fall_back(session: AsyncSession, event: Event, because: str, *, now: datetime, ids: Ids) -> None:
    """Its room was refused while it was being published: a draft again."""
    raise NotImplementedError


async def room_changed(
    session: AsyncSession, event: Event, *, space: str, span: Span, by: UUID | None, now: datetime, ids: Ids
) -> None:
    """The event follows its room to another time or place."""
    raise NotImplementedError


async def room_lost(session: AsyncSession, event: Event, *, by: UUID | None, now: datetime, ids: Ids) -> None:
    """The room of a published event is gone; the event stays, and says so."""
    raise NotImplementedError
