"""Waiting for one's turn: two requests for the same name meet here instead of in a broken constraint."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.tables import folded

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 3))")
_LOCK_NAME = text(
    f"SELECT pg_advisory_xact_lock(hashtextextended(:what || ' ' || {folded(':name')}, 3))"  # constants
)


async def in_turn(session: AsyncSession, what: str) -> None:
    """Wait until nobody else is at `what`; ends with the transaction."""
    await session.execute(_LOCK, {"what": what})


async def in_turn_for_name(session: AsyncSession, what: str, name: str) -> None:
    """The same for a name, however it is written."""
    await session.execute(_LOCK_NAME, {"what": what, "name": name})
