"""Duties at a time: what booking does when its timers fall due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import occupancy
from services.booking.commands.holds import HOLD, expire_hold
from shared.kit.ids import Ids
from shared.kit.timers import Duty


def duties(ids: Ids) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""

    async def hold_expires(session: AsyncSession, key: str, now: datetime) -> None:
        await expire_hold(session, UUID(key), now=now, ids=ids)

    async def occupancy_boundary(session: AsyncSession, key: str, now: datetime) -> None:
        await occupancy.measure_at_boundary(session, key, now=now, ids=ids)

    async def occupancy_public(session: AsyncSession, key: str, now: datetime) -> None:
        await occupancy.publish(session, key, now=now)

    return {HOLD: hold_expires, occupancy.BOUNDARY: occupancy_boundary, occupancy.PUBLIC: occupancy_public}
