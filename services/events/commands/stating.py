"""Stating what happened to an event: the one place that turns a row into its fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.contracts.base import Fact
from shared.kit.ids import Ids


async def state_event(
    session: AsyncSession,
    fact: type[Fact],
    event: Event,
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> None:
    """Count the event up, write its change, and state `fact` about it."""
    raise NotImplementedError
