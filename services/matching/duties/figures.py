"""Counting what is needed and offered, area by area, now and then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.counting import count, widest_areas
from shared.kit.timers import Duty, set_timer, wake_no_later

COUNTS = "counts"
"""Kind of the standing timer that has every area counted."""
COUNTS_AREA = "counts-area"
"""Kind of the timer of one area; its key is the area's."""


def count_figures(every: timedelta) -> Mapping[str, Duty]:
    """Have all areas counted every so often, each in a transaction of its own."""

    async def counts(session: AsyncSession, _: str, now: datetime) -> None:
        await wake_no_later(session, COUNTS_AREA, dict.fromkeys(await widest_areas(session), now))
        await set_timer(session, COUNTS, "", now + every)

    async def counts_area(session: AsyncSession, key: str, now: datetime) -> None:
        await count(session, key, now=now)

    return {COUNTS: counts, COUNTS_AREA: counts_area}
