"""Duties at a time about offers and guests that nobody has answered."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import guests, line, offers, places
from shared.kit.ids import Ids
from shared.kit.timers import Duty


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:  # noqa: ARG001
    """Each kind of timer with its duty."""

    async def offer_lapses(session: AsyncSession, key: str, now: datetime) -> None:
        await offers.lapse(session, _first(key), now=now, ids=ids)

    async def pending_lapses(session: AsyncSession, key: str, now: datetime) -> None:
        await guests.lapse(session, _first(key), now=now, ids=ids)

    async def line_moves(session: AsyncSession, key: str, now: datetime) -> None:
        await places.move_line(session, _first(key), now=now, ids=ids)

    return {line.OFFER: offer_lapses, guests.PENDING: pending_lapses, places.LINE_MOVES: line_moves}


def _first(key: str) -> UUID:
    """What the timer is about; what follows only keeps its key apart from earlier ones."""
    return UUID(key.partition("/")[0])
