"""Duties at a time: what booking does when its timers fall due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import occupancy, venue_comparing
from services.booking.commands.holds import HOLD, expire_hold
from shared.kit.ids import Ids
from shared.kit.timers import Duty, set_timer


def duties(ids: Ids) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""

    async def hold_expires(session: AsyncSession, key: str, now: datetime) -> None:
        await expire_hold(session, UUID(key), now=now, ids=ids)

    async def occupancy_boundary(session: AsyncSession, key: str, now: datetime) -> None:
        await occupancy.measure_at_boundary(session, key, now=now, ids=ids)

    async def occupancy_public(session: AsyncSession, key: str, now: datetime) -> None:
        await occupancy.publish(session, key, now=now)

    async def venues_compared(session: AsyncSession, key: str, now: datetime) -> None:
        _, following = await venue_comparing.restate_venues(session, key, clock=lambda: now, ids=ids)
        if following is not None:
            await set_timer(session, venue_comparing.COMPARED, following, now)
        if not key:
            await set_timer(session, venue_comparing.COMPARED, "", now + venue_comparing.COMPARE_EVERY)

    return {
        HOLD: hold_expires,
        occupancy.BOUNDARY: occupancy_boundary,
        occupancy.PUBLIC: occupancy_public,
        venue_comparing.COMPARED: venues_compared,
    }
