"""Acting on what booking says about a room."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.kit.ids import Ids


async def take_in(session: AsyncSession, fact: Fact, *, now: datetime, ids: Ids) -> None:
    """Act on one answer, whatever has become of the wish meanwhile."""
    raise NotImplementedError
