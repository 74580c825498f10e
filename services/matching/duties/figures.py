"""Counting what is needed and offered and what came of meetings, area by area, now and then; and learning from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.counting import COUNTS, count, widest_areas
from services.matching.commands.learning import draw_lessons
from shared.kit.ids import Ids
from shared.kit.timers import Duty, set_timer, wake_no_later

COUNTS_AREA = "counts-area"
"""Kind of the timer of one area; its key is the area's."""


def count_figures(every: timedelta, ids: Ids) -> Mapping[str, Duty]:
    """Have all areas counted every so often, each in a transaction of its own, and lessons drawn from what was said."""

    async def counts(session: AsyncSession, _: str, now: datetime) -> None:
        await wake_no_later(session, COUNTS_AREA, dict.fromkeys(await widest_areas(session), now))
        await draw_lessons(session, now=now, ids=ids)
        await set_timer(session, COUNTS, "", now + every)

    async def counts_area(session: AsyncSession, key: str, now: datetime) -> None:
        await count(session, key, now=now)

    return {COUNTS: counts, COUNTS_AREA: counts_area}
