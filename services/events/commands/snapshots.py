"""Stating again what is: for read models that are new or were rebuilt, and for comparing."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.ids import Clock, Ids


async def restate_events(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next events as they are: how many, and where to go on."""
    raise NotImplementedError


async def restate_sign_ups(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next sign-ups as they are: how many, and where to go on."""
    raise NotImplementedError


async def restate_venues(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next wishes for rooms as they are: how many, and where to go on."""
    raise NotImplementedError
