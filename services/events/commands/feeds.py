"""Secret calendar addresses."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Feed
from shared.kit.ids import Ids


async def make(
    session: AsyncSession,
    hub: str,
    person: UUID,
    everywhere: bool,
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> tuple[Feed, str]:
    """A new address and its secret, of which only the hash is kept."""
    raise NotImplementedError
