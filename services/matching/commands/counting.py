"""Counting what is needed and offered in an area and what came of meetings, and keeping of it what may be told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.areas import WIDEST, places_within
from services.matching.queries.seeing import holds
from services.matching.rules.smallness import SMALLEST, Path, Said, Vocabulary, published
from shared.contracts.matching.words import Outcome, Side
from shared.kit.timers import set_timer

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
# Whoever said what came of a meeting counts like what they offer: where they have consented, as long as they are open.
_CAME = text(f"""
    SELECT 'hub:' || said.hub AS hub, said.outcome, said.people,
           CASE WHEN said.people < {SMALLEST} THEN said.few END AS few
    FROM (
        SELECT c.hub, o.outcome, count(DISTINCT m.person) AS people, array_agg(DISTINCT CAST(m.person AS text)) AS few
        FROM consent c
        JOIN profile p ON p.person = c.person AND p.visibility <> 'nobody' AND NOT p.paused
        JOIN membership m ON m.person = coalesce(p.kept_by, p.person) AND m.hub = c.hub AND m.left_at IS NULL
        JOIN outcome o ON o.person = p.person AND o.said_at > :since
        WHERE c.hub = ANY(:hubs) AND c.withdrawn_at IS NULL
        GROUP BY c.hub, o.outcome
    ) said
""")  # noqa: S608  # constants
_SAID_WITHIN = timedelta(days=365)
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
_FORGET_OUTCOMES = text("DELETE FROM outcome_figure WHERE area = ANY(:areas) AND month = :month")
_KEEP_OUTCOME = text(
    "INSERT INTO outcome_figure (area, month, outcome, people) VALUES (:area, :month, :outcome, :people)"
)
_WIDEST = text(f"SELECT DISTINCT {WIDEST} AS widest FROM hub h ORDER BY widest")  # noqa: S608  # constants

COUNTS = "counts"
"""Kind of the standing timer that has every area counted."""

Table = dict[tuple[str, str], int]


async def widest_areas(session: AsyncSession) -> list[str]:
    """Every area that is counted by itself."""
    return list((await session.execute(_WIDEST)).scalars())


async def count_soon(session: AsyncSession, *, now: datetime) -> int:
    """Have every area counted now instead of when it is next due; how many there are."""
    await set_timer(session, COUNTS, "", now, only_earlier=True)
    return len(await widest_areas(session))


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
    await _count_outcomes(session, places, areas, month, now)


async def _count_outcomes(
    session: AsyncSession, places: dict[str, Path], areas: list[str], month: date, now: datetime
) -> None:
    hubs = [area.removeprefix("hub:") for area in places]
    came = (await session.execute(_CAME, {"hubs": hubs, "since": now - _SAID_WITHIN})).all()
    said = {(row.hub, row.outcome): Said(row.people, frozenset(row.few or ())) for row in came}
    # Each by itself: a sum of them would tell the rarest by subtraction.
    apart = Vocabulary(dict.fromkeys(Outcome, ()))
    await session.execute(_FORGET_OUTCOMES, {"areas": areas, "month": month})
    rows = [
        {"area": area, "month": month, "outcome": outcome, "people": people}
        for (area, outcome), people in sorted(published(said, places, apart).items())
    ]
    if rows:
        await session.execute(_KEEP_OUTCOME, rows)


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
