"""Lanes: when the next mail may go to the mail server and to a domain, over all who send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

EVERYBODY = ""
"""The lane of the mail server itself."""
PATIENCE = timedelta(seconds=10)
"""Who would have to wait longer than this stays where they are; others may overtake them."""

# Whoever takes slots holds the rows until the end of the transaction, so that two cannot take the same.
_HOLD = text("""
    INSERT INTO lane (name, next_at) SELECT one.name, :now FROM unnest(CAST(:names AS text[])) AS one (name)
    ORDER BY one.name
    ON CONFLICT (name) DO UPDATE SET next_at = greatest(lane.next_at, excluded.next_at)
    RETURNING name, next_at
""")
_MOVE = text("""
    UPDATE lane SET next_at = one.next_at
    FROM unnest(CAST(:names AS text[]), CAST(:moments AS timestamptz[])) AS one (name, next_at) WHERE lane.name = one.name
""")
_FORGET = text("""
    DELETE FROM lane WHERE name IN
        (SELECT name FROM lane WHERE next_at < :before AND name <> '' LIMIT 1000 FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True)
class Rates:
    """Mails a second."""

    server: float
    domain: float


async def take(
    session: AsyncSession, wanted: Sequence[str], *, now: datetime, rates: Rates
) -> list[datetime | None]:
    """A moment for each of these mails, named by their lanes; None when that would be too far away, and it is nobody's."""
    if not wanted:
        return []
    names = sorted({EVERYBODY, *wanted})
    rows = await session.execute(_HOLD, {"names": names, "now": now})
    free = {row.name: row.next_at for row in rows}
    taken, after = slots(wanted, free, now=now, rates=rates)
    moments = [after[name] for name in names]
    await session.execute(_MOVE, {"names": names, "moments": moments})
    return taken


def slots(
    wanted: Sequence[str], free: Mapping[str, datetime], *, now: datetime, rates: Rates
) -> tuple[list[datetime | None], dict[str, datetime]]:
    """The moments, and when each lane is free afterwards.

    Domains take turns, so that one with many mails does not stand in front of the others.
    """
    after, taken = dict(free), [None for _ in wanted]  # type: tuple[dict[str, datetime], list[datetime | None]]
    between = {name: timedelta(seconds=1 / rates.domain) for name in free}
    place: dict[str, int] = {}
    turns = []
    for number, name in enumerate(wanted):
        place[name] = place.get(name, -1) + 1
        turns.append((free[name] + place[name] * between[name], number, name))
    for _, number, name in sorted(turns):
        slot = max(after[EVERYBODY], after[name])
        if slot - now > PATIENCE:
            continue
        taken[number] = slot
        after[EVERYBODY] = slot + timedelta(seconds=1 / rates.server)
        after[name] = slot + between[name]
    return taken, after


async def forget(session: AsyncSession, *, now: datetime) -> None:
    """Drop the lanes nobody has used for a while."""
    await session.execute(_FORGET, {"before": now - timedelta(hours=1)})
