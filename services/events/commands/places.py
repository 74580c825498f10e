"""Making and changing the places of an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.contracts.events.words import Way
from shared.kit.ids import Ids


async def make(
    session: AsyncSession, event: Event, capacities: Mapping[Way, int | None], *, waits: bool
) -> None:
    """Give a new event its ways to take part; None is no limit."""
    raise NotImplementedError


async def sync(session: AsyncSession, event: Event) -> None:
    """Copy what signing up needs from the event row, under the locks of the places; every change of the event calls it."""
    raise NotImplementedError


async def set_capacity(
    session: AsyncSession,
    event: Event,
    way: Way,
    capacity: int | None,
    *,
    losing: frozenset[UUID],
    by: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    """Change how many places there are; CapacityBelow unless `losing` names exactly those who lose theirs."""
    raise NotImplementedError
