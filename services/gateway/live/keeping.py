"""What is done once a second for all who read along, and when this replica is about to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from services.gateway.live.frames import SILENCE
from services.gateway.live.hall import Hall
from services.gateway.live.occupancy import PublicOccupancy
from shared.kit.ordered import Ordered

EVERY_S = 1.0


async def keep_up(hall: Hall, following: Mapping[str, Ordered], leaving: asyncio.Event) -> None:
    """Signs of life, ends of rights, farewells; ends only when cancelled. Nobody is waited for here."""
    while True:
        if hall.leaving:
            await asyncio.sleep(EVERY_S)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), EVERY_S)
                hall.close_all()
        hall.keep_up(hall.services.clock().timestamp())
        for stream, ordered in following.items():
            SILENCE.labels(stream).set(ordered.silence_s)


async def keep_figures(hall: Hall, figures: PublicOccupancy) -> None:
    """Public figures, as long as booking takes to say them; ends only when cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        await figures.keep_up(hall.services.clock())
