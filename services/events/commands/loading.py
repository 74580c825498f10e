"""Finding the event somebody means, if they may see it or run it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event, Organiser
from shared.kit.principal import Principal


async def load(
    session: AsyncSession, hub: str, event: UUID, who: Principal | None, *, lock: bool = True
) -> Event:
    """The event, locked for a change; NotFound unless it may be seen."""
    raise NotImplementedError


async def load_to_run(session: AsyncSession, hub: str, event: UUID, who: Principal) -> Event:
    """The event, locked; NotFound unless it may be seen, Forbidden unless one may run it."""
    raise NotImplementedError


async def organisers_of(session: AsyncSession, event: UUID) -> tuple[Organiser, ...]:
    """Who organises it."""
    raise NotImplementedError
