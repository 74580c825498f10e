"""Duties at a time about events and series."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.loading import locked
from services.events.commands.publishing import EVENT_ENDS, hold
from services.events.commands.series import SERIES_EXTENDS, extend
from shared.contracts.events.words import OPEN
from shared.kit.ids import Ids
from shared.kit.timers import Duty, set_timer


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:  # noqa: ARG001  # as every part is asked
    """Each kind of timer with its duty."""

    async def event_ends(session: AsyncSession, key: str, now: datetime) -> None:
        event = await locked(session, UUID(key))
        if event is None or event.status not in OPEN:
            return
        if event.ends_at > now:
            await set_timer(session, EVENT_ENDS, key, event.ends_at)
        else:
            await hold(session, event, now=now, ids=ids)

    async def series_extends(session: AsyncSession, key: str, now: datetime) -> None:
        await extend(session, UUID(key), now=now, ids=ids)

    return {EVENT_ENDS: event_ends, SERIES_EXTENDS: series_extends}
