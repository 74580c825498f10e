"""Counting what is needed and offered in an area, and keeping of it what may be told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.areas import WIDEST, places_within
from services.matching.queries.seeing import holds
from services.matching.rules.smallness import SMALLEST, Path, Said, Vocabulary, published
from shared.contracts.matching.words import Side

# Who has consented for a hub counts there, and only there; who has closed their profile, or wants no suggestions, nowhere.
# An organisation counts as the person who keeps it: five profiles may be one person.
_SAID = text(f"""
    SELECT 'hub:' || said.hub AS hub, said.side, said.concept, said.people,
           CASE WHEN said.people < {SMALLEST} THEN said.few END AS few
    FROM (
        SELECT c.hub, s.side, s.concept, count(DISTINCT m.person) AS people,
               array_agg(DISTINCT CAST(m.person AS text)) AS few
        FROM consent c
        JOIN profile p ON p.person = c.person AND p.visibility <> 'nobody' AND NOT p.paused
        JOIN membership m ON m.person = coalesce(p.kept_by, p.person) AND m.hub = c.hub AND m.left_at IS NULL
        JOIN statement s ON s.person = p.person AND {holds()}
        WHERE c.hub = ANY(:hubs) AND c.withdrawn_at IS NULL
        GROUP BY c.hub, s.side, s.concept
    ) said
""")  # noqa: S608  # constants
_BROADER = text("""
    SELECT c.id, array_remove(array_agg(r.other ORDER BY r.other), NULL) AS broader
    FROM concept c LEFT JOIN relation r ON r.concept = c.id AND r.kind = 'broader' GROUP BY c.id
""")
_FORGET = text("DELETE FROM gap_figure WHERE area = ANY(:areas) AND month = :month")
_COUNTED = text("""
    INSERT INTO gap_month (area, month, counted_at) SELECT area, :month, :now FROM unnest(CAST(:areas AS text[])) area
    ORDER BY area ON CONFLICT (area, month) DO UPDATE SET counted_at = excluded.counted_at
""")
_KEEP = text(
    "INSERT INTO gap_figure (area, month, concept, demand, supply) VALUES (:area, :month, :concept, :demand, :supply)"
)
_WIDEST = text(f"SELECT DISTINCT {WIDEST} AS widest FROM hub h ORDER BY widest")  # noqa: S608  # constants

Table = dict[tuple[str, str], int]


async def widest_areas(session: AsyncSession) -> list[str]:
    """Every area that is counted by itself."""
    return list((await session.execute(_WIDEST)).scalars())


async def count(session: AsyncSession, widest: str, *, now: datetime) -> None:
    """Count an area and all in it, and put this month's figures in the place of those there are."""
    places = await places_within(session, widest)
    said = await _said(session, [area.removeprefix("hub:") for area in places], now.date())
    broader = {row.id: row.broader for row in (await session.execute(_BROADER)).all()}
    # Beside the loop: a region of a hundred thousand statements is counted for a second.
    demand, supply = await asyncio.to_thread(_tables, said, places, broader)
    areas = sorted({area for path in places.values() for area in path if area is not None})
    month = now.date().replace(day=1)
    await session.execute(_FORGET, {"areas": areas, "month": month})
    await session.execute(_COUNTED, {"areas": areas, "month": month, "now": now})
    rows = [
        {
            "area": key[0],
            "month": month,
            "concept": key[1],
            "demand": demand.get(key),
            "supply": supply.get(key),
        }
        for key in sorted(demand.keys() | supply.keys())
    ]
    if rows:
        await session.execute(_KEEP, rows)


async def _said(
    session: AsyncSession, hubs: list[str], today: date
) -> dict[Side, dict[tuple[str, str], Said]]:
    said: dict[Side, dict[tuple[str, str], Said]] = defaultdict(dict)
    for row in (await session.execute(_SAID, {"hubs": hubs, "today": today})).all():
        said[Side(row.side)][row.hub, row.concept] = Said(row.people, frozenset(row.few or ()))
    return said


def _tables(
    said: dict[Side, dict[tuple[str, str], Said]], places: dict[str, Path], broader: dict[str, list[str]]
) -> tuple[Table, Table]:
    vocabulary = Vocabulary(broader)
    demand, supply = (published(said.get(side, {}), places, vocabulary) for side in (Side.NEED, Side.OFFER))
    return demand, supply
