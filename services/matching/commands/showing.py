"""Noting who was shown to whom, and putting somebody aside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.introductions import withdraw_unseen
from services.matching.queries.handles import handles_for
from services.matching.queries.matches import REMEMBERED_FOR, midnight
from services.matching.queries.seeing import seen
from services.matching.rules.ranking import EXPOSURE_HALF_LIFE
from shared.contracts.matching.matches import StopMatch
from shared.kit.errors import NotFound
from shared.kit.ids import Ids

# Whoever is being erased holds their profile: either they wait for this and its traces go with them, or they are gone.
_THERE = text("SELECT person FROM profile WHERE person = ANY(:people) ORDER BY person FOR KEY SHARE")
_FORGET = text("DELETE FROM shown WHERE person = :me AND last_at < :since")
_SHOW = text("""
    INSERT INTO shown AS s (person, other, last_at)
    SELECT :me, other, :now FROM unnest(CAST(:others AS uuid[])) AS other
    ON CONFLICT (person, other) DO UPDATE SET earlier_at = s.last_at, last_at = excluded.last_at, times = s.times + 1
    WHERE s.last_at < :today
    RETURNING s.other
""")
# In the order of ids: many people's lists name the same others at once.
_EXPOSE = text("""
    INSERT INTO exposure AS e (person, times_decayed, at)
    SELECT other, 1, :now FROM unnest(CAST(:others AS uuid[])) AS other ORDER BY other
    ON CONFLICT (person) DO UPDATE SET at = greatest(e.at, excluded.at),
        times_decayed = 1 + e.times_decayed * 0.5 ^ (greatest(extract(epoch FROM excluded.at - e.at), 0) / :half_life)
""")
_PUT_ASIDE = text("INSERT INTO blocked (person, other, at) VALUES (:me, :other, :now) ON CONFLICT DO NOTHING")
_ASIDE = text("SELECT 1 FROM blocked WHERE person = :me AND other = :other")


async def note_shown(session: AsyncSession, me: UUID, others: Collection[UUID], *, now: datetime) -> None:
    """These were suggested to the person; however often they look on one day, it counts once."""
    there = set((await session.execute(_THERE, {"people": sorted([me, *others])})).scalars())
    if me not in there:
        return
    known = {"me": me, "now": now, "others": sorted(there & set(others))}
    await session.execute(_FORGET, {"me": me, "since": now - REMEMBERED_FOR})
    new = sorted((await session.execute(_SHOW, known | {"today": midnight(now)})).scalars())
    if new:
        half_life = EXPOSURE_HALF_LIFE.total_seconds()
        await session.execute(_EXPOSE, {"others": new, "now": now, "half_life": half_life})


async def stop_match(session: AsyncSession, request: StopMatch, me: UUID, *, now: datetime, ids: Ids) -> None:
    """Put somebody aside for good, both ways; twice changes nothing. Raises NotFound for whom one may not be shown."""
    other = (await handles_for(session, me)).person(request.match)
    pair = {"me": me, "other": other}
    if (await session.execute(_ASIDE, pair)).first():
        return
    there = (await session.execute(_THERE, {"people": sorted([me, other])})).scalars().all()
    if me not in there or other not in await seen(session, me, [other]):
        raise NotFound("There is nobody with this id among your matches.", field="match")
    await session.execute(_PUT_ASIDE, pair | {"now": now})
    await withdraw_unseen(session, [me], now=now, ids=ids)
