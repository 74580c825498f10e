"""Reading events, as much of them as the one who asks may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.queries import venues
from services.events.rules.authority import Viewer, is_staff
from services.events.rules.changes import LONGEST_EVENT, THE_HUB
from services.events.rules.texts import pick
from shared.contracts.events.requests import ListEvents, ListMyEvents
from shared.contracts.events.views import (
    EventPage,
    EventPlaceView,
    EventSource,
    EventView,
    HiddenView,
    OrganiserView,
    PlacesView,
)
from shared.contracts.events.words import SignUpStatus
from shared.kit.errors import Invalid, NotFound
from shared.kit.moments import moment, storable
from shared.kit.principal import Principal, required

# ruff: noqa: S608  # the statements are put together from constants
ORGANISES = """
    (CAST(:person AS uuid) IS NOT NULL AND EXISTS (
        SELECT 1 FROM organiser o WHERE o.event = e.id AND o.kind = 'person' AND o.id = CAST(:person AS uuid)))
"""
"""SQL for the events a person organises, over `event e` with :person."""

_USABLE = """
    (e.hidden_at IS NULL AND e.usable_at IS NOT NULL AND e.status IN ('published', 'changed', 'cancelled', 'held'))
"""
VISIBLE = f"""
    (CAST(:staff AS boolean) OR {ORGANISES} OR ({_USABLE} AND (
        e.visibility = 'public'
        OR (e.visibility = 'federation' AND CAST(:person AS uuid) IS NOT NULL)
        OR CAST(:role_known AS boolean))))
"""
"""SQL for the events a viewer may see, over `event e` with :person, :role_known and :staff; as `authority.may_see`."""

_COLUMNS = f"""
    e.id, e.hub, e.series, e.kind, e.visibility, e.status, e.starts_at, e.ends_at, e.time_zone, e.space, e.address,
    e.online_url, e.texts, e.language, e.tags, e.cost, e.accessibility, e.link, e.created_at, e.cancel_reason,
    e.returned_reason, e.hidden_at, e.hidden_reason, e.hidden_answer, e.calendar, e.uid, e.recurrence_id, e.version,
    {venues.COLUMNS},
    {ORGANISES} AS organises, su.id AS sign_up, su.status AS my_status,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'id', o.id) ORDER BY o.kind DESC, o.id), '[]')
     FROM organiser o WHERE o.event = e.id) AS organisers,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('way', p.way, 'capacity', p.capacity, 'taken', p.taken,
        'waiting', p.waiting, 'waiting_list', p.waits) ORDER BY p.way DESC), '[]')
     FROM places p WHERE p.event = e.id) AS places
"""
_FROM = """
    FROM event e LEFT JOIN venue v ON v.event = e.id
    LEFT JOIN sign_up su ON su.event = e.id AND su.person = CAST(:person AS uuid)
"""
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE e.hub = :hub AND e.id = :event AND {VISIBLE}")
# `after_start` bounds the walk through the index from below: no event that still matters began before it.
_FILTER = """
    (CAST(:start AS timestamptz) IS NULL OR e.ends_at > :start)
    AND (CAST(:end AS timestamptz) IS NULL OR e.starts_at < :end)
    AND (e.starts_at, e.id) > (CAST(:after_start AS timestamptz), CAST(:after_id AS uuid))
    ORDER BY e.starts_at, e.id LIMIT :limit
"""
_PAGE = text(f"""
    SELECT {_COLUMNS} {_FROM}
    WHERE e.hub = :hub AND {VISIBLE}
      AND (CAST(:kind AS text) IS NULL OR e.kind = :kind)
      AND (CAST(:tag AS text) IS NULL OR e.tags @> ARRAY[CAST(:tag AS text)])
      AND (CAST(:statuses AS text[]) = '{{}}' OR e.status = ANY(:statuses))
      AND (CAST(:series AS uuid) IS NULL OR e.series = :series)
      AND (CAST(:calendar AS text) IS NULL OR e.calendar = :calendar)
      AND (NOT CAST(:mine AS boolean) OR {ORGANISES})
      AND {_FILTER}
""")
_MINE = text(f"""
    SELECT {_COLUMNS} {_FROM}
    WHERE e.id IN (
        SELECT event FROM organiser WHERE kind = 'person' AND id = CAST(:person AS uuid)
        UNION SELECT event FROM sign_up WHERE person = CAST(:person AS uuid)
            AND status IN ('pending', 'attending', 'offered', 'waiting'))
      AND ({ORGANISES} OR {_USABLE}) AND {_FILTER}
""")
_ZONE = text("SELECT time_zone FROM hub WHERE slug = :hub")
LARGEST_PAGE = 768 * 1024
"""Bytes of a page, at the most: the bus takes a megabyte."""
_NOBODY = UUID(int=0)
_BEGINNING = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


async def zone_of(session: AsyncSession, hub: str) -> ZoneInfo:
    """The hub's time zone; NotFound when events has not heard of the hub."""
    zone = (await session.execute(_ZONE, {"hub": hub})).scalar()
    if zone is None:
        raise NotFound(f"There is no hub {hub}.", field="hub")
    return ZoneInfo(zone)


async def view(
    session: AsyncSession, hub: str, event: UUID, viewer: Viewer, *, language: str | None = None
) -> EventView:
    """One event; NotFound unless the viewer may see it."""
    row = (await session.execute(_ONE, asked_by(viewer) | {"hub": hub, "event": event})).mappings().first()
    if row is None:
        raise NotFound(f"There is no event {event} here.")
    return _view(row, language, staff=is_staff(viewer))


def asked_by(viewer: Viewer) -> dict[str, Any]:
    """The parameters of VISIBLE."""
    return {"person": viewer.person, "role_known": viewer.belongs, "staff": is_staff(viewer)}


def _view(row: Mapping[Any, Any], language: str | None, *, staff: bool) -> EventView:
    zone = ZoneInfo(row["time_zone"])
    runs = staff or row["organises"]
    shown, title, said = pick(row["texts"], language, row["language"])
    return EventView(
        id=row["id"],
        hub=row["hub"],
        status=row["status"],
        kind=row["kind"],
        visibility=row["visibility"],
        title=title,
        text=said,
        language=shown,
        texts=row["texts"],
        start=row["starts_at"].astimezone(zone),
        end=row["ends_at"].astimezone(zone),
        time_zone=row["time_zone"],
        place=_place(row, inside=runs or row["my_status"] == SignUpStatus.ATTENDING),
        places=tuple(_places(one) for one in row["places"]),
        organisers=tuple(_organiser(one) for one in row["organisers"]),
        tags=tuple(row["tags"]),
        cost=row["cost"],
        accessibility=row["accessibility"],
        link=row["link"],
        series=row["series"],
        cancel_reason=row["cancel_reason"],
        mine=row["organises"],
        sign_up=row["sign_up"],
        my_status=row["my_status"],
        venue=venues.view(row, zone) if runs else None,
        hidden=_hidden(row) if runs else None,
        returned_reason=row["returned_reason"] if runs else None,
        source=_source(row) if runs else None,
        created_at=row["created_at"],
        version=row["version"],
    )


def _place(row: Mapping[Any, Any], *, inside: bool) -> EventPlaceView:
    """Where it is; how to get in online is for those who come and those who run it."""
    return EventPlaceView(
        space=row["space"],
        address=row["address"],
        online=row["online_url"] is not None,
        online_url=row["online_url"] if inside else None,
    )


def _places(row: Mapping[str, Any]) -> PlacesView:
    free = None if row["capacity"] is None else max(row["capacity"] - row["taken"], 0)
    return PlacesView(**row, free=free)


def _organiser(row: Mapping[str, Any]) -> OrganiserView:
    known = UUID(row["id"])
    return OrganiserView(kind=row["kind"], id=None if known == THE_HUB else known)


def _hidden(row: Mapping[Any, Any]) -> HiddenView | None:
    if row["hidden_at"] is None:
        return None
    return HiddenView(reason=row["hidden_reason"], since=row["hidden_at"], answer=row["hidden_answer"])


def _source(row: Mapping[Any, Any]) -> EventSource | None:
    if row["calendar"] is None:
        return None
    return EventSource(calendar=row["calendar"], uid=row["uid"], recurrence_id=row["recurrence_id"])


async def list_events(session: AsyncSession, request: ListEvents, viewer: Viewer) -> EventPage:
    """A page of a hub's events, those the viewer may see."""
    zone = await zone_of(session, request.hub)
    asked = asked_by(viewer) | {
        "hub": request.hub,
        "kind": request.kind,
        "tag": request.tag,
        "statuses": list(request.status),
        "series": request.series,
        "calendar": request.calendar,
        "mine": request.mine,
        "start": None if request.start is None else moment(request.start, zone, "start"),
        "end": None if request.end is None else moment(request.end, zone, "end"),
    }
    return await _page(session, _PAGE, asked, request, staff=is_staff(viewer))


async def list_my_events(
    session: AsyncSession, request: ListMyEvents, principal: Principal | None
) -> EventPage:
    """A page of what the signed-in person takes part in or runs, in all hubs of this cell."""
    asked = {
        "person": required(principal).person,
        "start": None if request.start is None else storable(request.start, "start"),
        "end": None if request.end is None else storable(request.end, "end"),
    }
    return await _page(session, _MINE, asked, request, staff=False)


async def _page(
    session: AsyncSession,
    statement: Any,
    asked: dict[str, Any],
    request: ListEvents | ListMyEvents,
    *,
    staff: bool,
) -> EventPage:
    after_start, after_id = _after(request.cursor, asked["start"])
    asked |= {"after_start": after_start, "after_id": after_id, "limit": request.limit + 1}
    rows = (await session.execute(statement, asked)).mappings().all()
    shown = rows[: min(request.limit, _fitting(rows))]
    cursor = None
    if len(rows) > len(shown):
        cursor = f"{shown[-1]['starts_at'].isoformat()}_{shown[-1]['id']}"
    return EventPage(items=tuple(_view(row, request.language, staff=staff) for row in shown), cursor=cursor)


def _fitting(rows: Sequence[Mapping[Any, Any]]) -> int:
    """How many events go into one answer: long texts in ten languages must not make a hub's programme unreadable."""
    size = 0
    for number, row in enumerate(rows):
        # The text that is shown stands in the answer twice.
        size += 2 * len(orjson.dumps(row["texts"])) + 8 * len(row["accessibility"] or "") + 4096
        if number and size > LARGEST_PAGE:
            return number
    return len(rows)


def _after(cursor: str | None, ends_after: datetime | None) -> tuple[datetime, UUID]:
    """Where the page begins: after the last one, or with the first event that can last until `ends_after`."""
    if cursor is not None:
        return _read_cursor(cursor)
    earliest = _BEGINNING + LONGEST_EVENT
    early = ends_after is None or ends_after < earliest
    return (_BEGINNING if early or ends_after is None else ends_after - LONGEST_EVENT), _NOBODY


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    start, _, event = cursor.partition("_")
    try:
        after, last = datetime.fromisoformat(start), UUID(event)
    except ValueError:
        raise _not_ours() from None
    if after.tzinfo is None:
        raise _not_ours()
    return storable(after, "cursor"), last


def _not_ours() -> Invalid:
    return Invalid("This cursor is not one of ours; start again without it.", field="cursor")
