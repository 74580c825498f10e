"""Duties at a time about events and series."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.loading import locked_for_duty
from services.events.commands.publishing import EVENT_ENDS, hold
from services.events.commands.series import SERIES_EXTENDS, extend
from services.events.tables import Event, Series
from shared.contracts.events.words import OPEN
from shared.kit.ids import Ids
from shared.kit.timers import Duty, set_timer

SOON = timedelta(seconds=10)
"""When to look again at what is in somebody's hands at this moment."""


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:  # noqa: ARG001  # as every part is asked
    """Each kind of timer with its duty."""

    async def event_ends(session: AsyncSession, key: str, now: datetime) -> None:
        event, busy = await locked_for_duty(session, Event, UUID(key))
        if busy:
            await set_timer(session, EVENT_ENDS, key, now + SOON)
        elif event is not None and event.status in OPEN:
            if event.ends_at > now:
                await set_timer(session, EVENT_ENDS, key, event.ends_at)
            else:
                await hold(session, event, now=now, ids=ids)

    async def series_extends(session: AsyncSession, key: str, now: datetime) -> None:
        series, busy = await locked_for_duty(session, Series, UUID(key))
        if busy:
            await set_timer(session, SERIES_EXTENDS, key, now + SOON)
        elif series is not None:
            await extend(session, series, now=now, ids=ids)

    return {EVENT_ENDS: event_ends, SERIES_EXTENDS: series_extends}
