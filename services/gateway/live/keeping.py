"""What is done once a second for all who read along."""

from __future__ import annotations

import asyncio

from services.gateway.live.hall import Hall
from services.gateway.live.occupancy import PublicOccupancy

EVERY_S = 1.0


async def keep_up(hall: Hall, figures: PublicOccupancy) -> None:
    """Signs of life, ends of rights, public figures; ends only when cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        now = hall.services.clock()
        hall.keep_up(now.timestamp())
        await figures.keep_up(now)
