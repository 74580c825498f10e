"""Reading what came of introductions: figures that have been counted, and protected, before."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.areas import area_of
from services.matching.queries.gaps import months_of, shown, written
from shared.contracts.matching.outcomes import GetOutcomes, MonthOutcome, OutcomeFigure, OutcomeFigures
from shared.contracts.matching.words import Outcome

_FIGURES = text(
    "SELECT outcome, month, people FROM outcome_figure WHERE area = :area AND month = ANY(:months)"
)


async def get_outcomes(session: AsyncSession, request: GetOutcomes) -> OutcomeFigures:
    """Every outcome there is, with `<5` for the rare ones, so that its absence tells nothing."""
    key, place = await area_of(session, request.hub, request.area)
    months = await months_of(session, key)
    rows = (await session.execute(_FIGURES, {"area": key, "months": months})).all()
    told: dict[tuple[str, date], int] = {(row.outcome, row.month): row.people for row in rows}
    items = (
        OutcomeFigure(
            outcome=outcome,
            people=shown(told.get((outcome, months[0]))),
            trend=tuple(
                MonthOutcome(month=written(month), people=shown(told.get((outcome, month))))
                for month in months[:0:-1]
            ),
        )
        for outcome in Outcome
    )
    return OutcomeFigures(
        hub=request.hub,
        area=request.area,
        place=place,
        month=written(months[0]) if months else None,
        items=tuple(items) if months else (),
    )
