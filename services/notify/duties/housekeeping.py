"""Forgetting what is past its time: messages, deliveries, what was told of things long over, and their mirrors."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands import lanes
from services.notify.commands.forgetting import forget
from shared.kit.timers import set_timer

FORGET = "forget"
"""Kind of the timer; its key is empty."""
EVERY = timedelta(minutes=10)
AGAIN = timedelta(seconds=1)


async def forget_what_is_over(session: AsyncSession, key: str, now: datetime) -> None:
    """Forget a chunk, and come again: soon while there is more."""
    await lanes.forget(session, now=now)
    more = await forget(session, now=now)
    await set_timer(session, FORGET, key, now + (AGAIN if more else EVERY))
