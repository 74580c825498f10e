"""What is done once a second for all who read along, and when this replica is about to stop."""

from __future__ import annotations

import asyncio
import contextlib

from services.gateway.live.hall import Hall
from services.gateway.live.occupancy import PublicOccupancy

EVERY_S = 1.0


async def keep_up(hall: Hall, figures: PublicOccupancy, leaving: asyncio.Event) -> None:
    """Signs of life, ends of rights, public figures, farewells; ends only when cancelled."""
    while True:
        if hall.leaving:
            await asyncio.sleep(EVERY_S)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), EVERY_S)
                hall.close_all()
        now = hall.services.clock()
        hall.keep_up(now.timestamp())
        await figures.keep_up(now)
