"""Reading series."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.queries.events import VISIBLE, asked_by
from services.events.rules.authority import Viewer, is_staff
from services.events.rules.texts import pick
from shared.contracts.events.views import SeriesRefusal, SeriesView, SkippedDate
from shared.kit.errors import NotFound

# ruff: noqa: S608  # the statements are put together from constants
_ONE = text(f"""
    SELECT s.*, dates.dates, dates.first, dates.visible,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('start', k.wall_start, 'because', k.because)
                                      ORDER BY k.wall_start), '[]')
            FROM (
                SELECT wall_start, because FROM series_skip WHERE series = s.id
                UNION SELECT e.series_start, 'cancelled' FROM event e
                WHERE e.series = s.id AND e.status = 'cancelled' AND e.series_start IS NOT NULL AND {VISIBLE}
            ) k) AS skipped
    FROM series s CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE e.status <> 'cancelled') AS dates, count(*) AS visible,
               (array_agg(e.id ORDER BY e.starts_at, e.id) FILTER (WHERE e.status <> 'cancelled'))[1] AS first
        FROM event e WHERE e.series = s.id AND {VISIBLE}
    ) dates
    WHERE s.hub = :hub AND s.id = :series
""")


async def view(
    session: AsyncSession,
    hub: str,
    series: UUID,
    viewer: Viewer,
    *,
    language: str | None = None,
    refused: tuple[SeriesRefusal, ...] = (),
) -> SeriesView:
    """A series with the dates it left out; NotFound unless the viewer may see one of its events, or runs it."""
    asked = asked_by(viewer) | {"hub": hub, "series": series}
    row = (await session.execute(_ONE, asked)).mappings().first()
    if row is None or not (row["visible"] or is_staff(viewer) or row["created_by"] == viewer.person):
        raise NotFound(f"There is no series {series} here.")
    _, title, _ = pick(row["texts"], language, row["language"])
    return SeriesView(
        id=row["id"],
        hub=row["hub"],
        kind=row["kind"],
        title=title,
        texts=row["texts"],
        rule=row["rule"],
        first_start=row["first_start"],
        time_zone=row["time_zone"],
        dates=row["dates"],
        first=row["first"],
        skipped=tuple(SkippedDate(**one) for one in row["skipped"]),
        refused=refused,
        version=row["version"],
    )
