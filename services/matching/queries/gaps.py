"""Reading what an area lacks: figures that have been counted, and protected, before; and the operators' lists."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.areas import HUB, MUNICIPALITY, REGION, area_of
from services.matching.queries.labels import label_of
from shared.contracts.matching.gaps import (
    FEW,
    Area,
    GetSkillsMissing,
    GetTarget,
    ListTargets,
    MonthGap,
    Shown,
    SkillGap,
    SkillsMissing,
    TargetPage,
    TargetView,
)
from shared.kit.errors import Invalid, NotFound

TREND = 12
"""Months shown, with the last."""

_MONTHS = text("SELECT month FROM gap_month WHERE area = :area ORDER BY month DESC LIMIT :trend")
_KEY = {Area.HUB: HUB, Area.MUNICIPALITY: MUNICIPALITY, Area.REGION: REGION}
_ITEMS = {
    area: text(f"""
        WITH wanted AS (
            SELECT t.concept, sum(t.wanted)::int AS wanted FROM target t JOIN hub h ON h.id = t.hub
            WHERE {key} = :area GROUP BY t.concept
        )
        SELECT f.concept, {label_of("f.concept")} AS label, f.demand, f.supply, f.wanted,
               greatest(0, coalesce(f.demand, 0) + f.wanted - coalesce(f.supply, 0)) AS missing,
               ARRAY(SELECT r.other FROM relation r WHERE r.concept = f.concept AND r.kind = 'broader' ORDER BY r.other)
               AS broader
        FROM (
            SELECT coalesce(g.concept, w.concept) AS concept, g.demand, g.supply, coalesce(w.wanted, 0) AS wanted
            FROM (SELECT * FROM gap_figure WHERE area = :area AND month = :month) g
            FULL JOIN wanted w ON w.concept = g.concept
        ) f
        ORDER BY missing DESC, f.concept OFFSET :after LIMIT :limit
    """)  # noqa: S608  # constants
    for area, key in _KEY.items()
}
_TREND = text("""
    SELECT concept, month, demand, supply FROM gap_figure
    WHERE area = :area AND month = ANY(:months) AND concept = ANY(:concepts)
""")
_NEVER = date(1, 1, 1)


def shown(people: int | None) -> Shown:
    """A figure as it is told."""
    return FEW if people is None else people


async def get_skills_missing(session: AsyncSession, request: GetSkillsMissing) -> SkillsMissing:
    """What an area lacks, what it lacks most first."""
    key, place = await area_of(session, request.hub, request.area)
    months = await months_of(session, key)
    after = _offset(request.cursor)
    asked = {
        "area": key,
        "month": months[0] if months else _NEVER,
        "language": request.language,
        "after": after,
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_ITEMS[request.area], asked)).all()
    found = rows[: request.limit]
    trends = await _trends(session, key, months[:0:-1], [row.concept for row in found])
    return SkillsMissing(
        hub=request.hub,
        area=request.area,
        place=place,
        month=written(months[0]) if months else None,
        items=tuple(_gap(row, trends[row.concept]) for row in found),
        cursor=str(after + request.limit) if len(rows) > request.limit else None,
    )


async def months_of(session: AsyncSession, key: str) -> list[date]:
    """The months in which an area was counted, the last first; at most TREND."""
    return list((await session.execute(_MONTHS, {"area": key, "trend": TREND})).scalars())


def _gap(row: Any, trend: tuple[MonthGap, ...]) -> SkillGap:
    return SkillGap(
        concept=row.concept,
        label=row.label,
        broader=tuple(row.broader),
        demand=shown(row.demand),
        supply=shown(row.supply),
        wanted=row.wanted,
        missing=row.missing,
        trend=trend,
    )


async def _trends(
    session: AsyncSession, key: str, months: list[date], concepts: list[str]
) -> dict[str, tuple[MonthGap, ...]]:
    asked = {"area": key, "months": months, "concepts": concepts}
    told: dict[tuple[str, date], Any] = defaultdict(lambda: (None, None))
    for row in (await session.execute(_TREND, asked)).all():
        told[row.concept, row.month] = (row.demand, row.supply)
    return {
        concept: tuple(
            MonthGap(
                month=written(month),
                demand=shown(told[concept, month][0]),
                supply=shown(told[concept, month][1]),
            )
            for month in months
        )
        for concept in concepts
    }


def written(month: date) -> str:
    """A month as it is told."""
    return month.strftime("%Y-%m")


def _offset(cursor: str | None) -> int:
    # Figures move once a day at most, and in no way that a place in their list could tell.
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 7):
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor")
    return int(cursor or 0)


_TARGETS = text(f"""
    SELECT t.hub, t.concept, {label_of("t.concept")} AS label, t.wanted FROM target t
    WHERE t.hub = :hub AND t.concept > :after ORDER BY t.concept LIMIT :limit
""")  # noqa: S608  # constants
_TARGET = text(f"""
    SELECT t.hub, t.concept, {label_of("t.concept")} AS label, t.wanted FROM target t
    WHERE t.hub = :hub AND t.concept = :concept
""")  # noqa: S608  # constants


async def list_targets(session: AsyncSession, request: ListTargets) -> TargetPage:
    """A hub's list, by concept."""
    asked = {
        "hub": request.hub,
        "after": request.cursor or "",
        "language": request.language,
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_TARGETS, asked)).all()
    items = tuple(TargetView.model_validate(row, from_attributes=True) for row in rows[: request.limit])
    return TargetPage(items=items, cursor=items[-1].concept if len(rows) > request.limit else None)


async def get_target(session: AsyncSession, request: GetTarget) -> TargetView:
    """One line of the list; NotFound when the skill is not on it."""
    asked = {"hub": request.hub, "concept": request.concept, "language": request.language}
    row = (await session.execute(_TARGET, asked)).first()
    if row is None:
        raise no_such_target(request.concept)
    return TargetView.model_validate(row, from_attributes=True)


def no_such_target(concept: str) -> NotFound:
    """When a skill is not on the list."""
    return NotFound(f"{concept} is not on this hub's list.")
