"""Counting meetups, participants, and how little stood in the way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.queries.events import zone_of
from services.events.rules.authority import Viewer, is_staff
from services.events.rules.counting import (
    for_public,
    participants,
    share,
    total_for_public,
    year_of,
)
from shared.contracts.events.views import EventFigures, Initiative, MonthFigures, MonthInitiative
from shared.contracts.events.words import known_kind

# What is over counts as held, whether or not its timer has come round yet.
_MEETUPS = text("""
    SELECT e.kind, e.starts_at, e.walk_ins, p.taken, p.came
    FROM event e CROSS JOIN LATERAL (
        SELECT coalesce(sum(taken), 0)::int AS taken, coalesce(sum(came), 0)::int AS came
        FROM places WHERE event = e.id
    ) p
    WHERE e.hub = :hub AND e.starts_at >= :first AND e.starts_at < :last
      AND (e.status = 'held' OR (e.status IN ('published', 'changed') AND e.ends_at <= :now))
""")
# A series by a rule is one initiative, whatever the number of its dates; what was imported is none.
_INITIATIVES = text("""
    SELECT coalesce(s.created_at, e.created_at) AS created_at, bool_or(e.waited) AS waited,
           bool_or(e.started_by = 'member') AS by_member, min(e.asked_at) AS asked_at, min(e.usable_at) AS usable_at
    FROM event e LEFT JOIN series s ON s.id = e.series AND s.kind = 'rule'
    WHERE e.hub = :hub AND e.calendar IS NULL AND e.asked_at IS NOT NULL
      AND coalesce(s.created_at, e.created_at) >= :first AND coalesce(s.created_at, e.created_at) < :last
    GROUP BY coalesce(s.id, e.id), coalesce(s.created_at, e.created_at)
""")
_REFUSALS = text("SELECT at, because FROM refusal WHERE hub = :hub AND at >= :first AND at < :last")


async def get_figures(
    session: AsyncSession, hub: str, year: int, viewer: Viewer, *, now: datetime
) -> EventFigures:
    """A hub's year: protected figures for everybody, initiative for its people, all of it for its staff."""
    zone = await zone_of(session, hub)
    first, last = year_of(year, zone)
    asked = {"hub": hub, "first": first, "last": last}
    counted: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in (await session.execute(_MEETUPS, asked | {"now": now})).all():
        there = participants(row.came, row.walk_ins, row.taken)
        counted[_month(row.starts_at, zone), known_kind(row.kind)].append(there)
    staff = is_staff(viewer)
    cells = {key: sum(people) for key, people in sorted(counted.items())}
    initiatives = await _initiatives(session, asked, zone) if viewer.belongs else {}
    return EventFigures(
        hub=hub,
        year=year,
        meetups=sum(len(people) for people in counted.values()),
        participants=sum(cells.values()) if staff else total_for_public(list(cells.values())),
        months=tuple(
            MonthFigures(
                month=month,
                kind=kind,
                meetups=len(counted[month, kind]),
                participants=people if staff else for_public(people),
            )
            for (month, kind), people in cells.items()
        ),
        initiative=Initiative(**_summed(initiatives.values())) if viewer.belongs else None,
        initiatives=tuple(
            MonthInitiative(month=month, **_summed([one])) for month, one in sorted(initiatives.items())
        )
        if staff
        else (),
    )


def _month(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m")


Told = tuple[list[Any], Counter[str]]
"""What was started in a month, and what was refused in it."""


async def _initiatives(session: AsyncSession, asked: dict[str, Any], zone: ZoneInfo) -> dict[str, Told]:
    months: dict[str, Told] = defaultdict(lambda: ([], Counter()))
    for row in (await session.execute(_INITIATIVES, asked)).all():
        months[_month(row.created_at, zone)][0].append(row)
    for row in (await session.execute(_REFUSALS, asked)).all():
        months[_month(row.at, zone)][1][row.because] += 1
    return months


def _summed(months: Iterable[Told]) -> dict[str, Any]:
    started: list[Any] = []
    refusals: Counter[str] = Counter()
    for rows, refused in months:
        started += rows
        refusals += refused
    usable = [one for one in started if one.usable_at is not None]
    by_members, had_to_wait = sum(one.by_member for one in started), sum(one.waited for one in started)
    return {
        "started": len(started),
        "by_members": by_members,
        "had_to_wait": had_to_wait,
        "share_by_members": share(by_members, len(started)),
        "share_had_to_wait": share(had_to_wait, len(started)),
        "seconds_created_to_usable": _median([one.usable_at - one.created_at for one in usable]),
        "seconds_asked_to_usable": _median([one.usable_at - one.asked_at for one in usable]),
        "refusals": dict(sorted(refusals.items())),
    }


def _median(lengths: Sequence[timedelta]) -> int | None:
    return round(median(one.total_seconds() for one in lengths)) if lengths else None
