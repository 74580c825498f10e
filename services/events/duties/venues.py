"""Duties at a time about the rooms of events."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import comparing, snapshots
from services.events.commands.venue_answers import ASKS_AGAIN, ask_again
from services.events.commands.venues import UNANSWERED
from services.events.rules.venues import ASK_EVERY, COMPARE_EVERY, PENDING
from services.events.tables import Venue
from shared.kit.ids import Ids
from shared.kit.timers import Duty, set_timer


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:  # noqa: ARG001  # as every part's are made
    """Each kind of timer with its duty."""

    async def venue_unanswered(session: AsyncSession, key: str, now: datetime) -> None:
        # Nothing is locked: whoever wishes sets this timer while holding the rows.
        venue = await session.scalar(select(Venue).where(Venue.event == UUID(key)))
        if venue is None or venue.state not in PENDING:
            return
        await comparing.state_again(session, venue, now=now, ids=ids)
        await set_timer(session, UNANSWERED, key, now + ASK_EVERY)

    async def venue_asks_again(session: AsyncSession, key: str, now: datetime) -> None:
        await ask_again(session, UUID(key), now=now, ids=ids)

    async def venues_compared(session: AsyncSession, key: str, now: datetime) -> None:
        _, following = await snapshots.restate_venues(session, key, clock=lambda: now, ids=ids)
        if following is not None:
            await set_timer(session, comparing.COMPARED, following, now)
        if not key:
            await comparing.count_unanswered(session, now=now)
            await set_timer(session, comparing.COMPARED, "", now + COMPARE_EVERY)

    return {
        UNANSWERED: venue_unanswered,
        ASKS_AGAIN: venue_asks_again,
        comparing.COMPARED: venues_compared,
    }
