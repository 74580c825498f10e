"""Who may be shown whom: the one predicate through which anything about other people leaves this service."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


def may_see(profile: str = "p", viewer: str = ":viewer", *, hub: str | None = None) -> str:
    """An SQL condition: `viewer` may be shown the row `profile` of table profile, now.

    True if the owner belongs to a hub, has consented for it and not taken that back, and the viewer is one of its people
    (or of any hub's, where the profile is open to the federation), and neither has put the other aside. With `hub` the
    consent must be for that one. A visitor looks at nobody: they may be here once. A person's own profile, and those of
    organisations they keep, are no matter of this. All arguments are SQL, never what somebody has sent.
    """
    one_hub = "" if hub is None else f"AND c.hub = CAST({hub} AS text)"
    seer = f"CAST({viewer} AS uuid)"
    return f"""(
        {profile}.visibility <> 'nobody' AND {profile}.person <> {seer} AND {profile}.kept_by IS DISTINCT FROM {seer}
        AND EXISTS (
            SELECT 1 FROM consent c
            JOIN membership own ON own.person = coalesce({profile}.kept_by, {profile}.person) AND own.hub = c.hub
                AND own.left_at IS NULL
            WHERE c.person = {profile}.person AND c.withdrawn_at IS NULL {one_hub}
              AND EXISTS (
                SELECT 1 FROM membership seer WHERE seer.person = {seer} AND seer.left_at IS NULL
                    AND seer.role <> 'visitor' AND (seer.hub = c.hub OR {profile}.visibility = 'federation')))
        AND NOT EXISTS (
            SELECT 1 FROM blocked b WHERE (b.person = {seer} AND b.other = {profile}.person)
                OR (b.person = {profile}.person AND b.other = {seer})))"""  # noqa: S608  # constants and columns


def holds(statement: str = "s", today: str = ":today") -> str:
    """An SQL condition: the row `statement` of table statement still holds on `today`."""
    return f"({statement}.until IS NULL OR {statement}.until >= CAST({today} AS date))"


_SEEN = text(f"SELECT p.person FROM profile p WHERE p.person = ANY(:people) AND {may_see()}")  # noqa: S608  # constants
_SUGGESTED = text(f"""
    SELECT p.person FROM profile p WHERE p.person = ANY(:people) AND NOT p.paused AND {may_see()}
      AND EXISTS (SELECT 1 FROM statement s WHERE s.person = p.person AND {holds()})
""")  # noqa: S608  # constants


async def seen(session: AsyncSession, viewer: UUID, people: Collection[UUID]) -> set[UUID]:
    """Those of the people whose profile the viewer may be shown now."""
    rows = await session.execute(_SEEN, {"viewer": viewer, "people": list(people)})
    return set(rows.scalars())


async def suggestible(
    session: AsyncSession, viewer: UUID, people: Collection[UUID], *, today: date
) -> set[UUID]:
    """Those of them who may be suggested to the viewer now: seen, not paused, and with something that still holds."""
    known = {"viewer": viewer, "people": list(people), "today": today}
    return set((await session.execute(_SUGGESTED, known)).scalars())
