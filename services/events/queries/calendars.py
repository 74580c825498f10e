"""Reading what stands in calendars: one event, a hub's programme, a person's own events, linked data."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.queries import events
from services.events.rules import ics
from services.events.rules.authority import PUBLISHED, viewer_of
from services.events.rules.changes import LONGEST_EVENT
from services.events.rules.ics import CANCELLED, CONFIRMED, TENTATIVE, Entry, calendar_of, shortened
from services.events.rules.linked_data import Surroundings, document_of
from services.events.rules.texts import pick
from shared.contracts.events.calendars import (
    GetEventCalendar,
    GetLinkedData,
    GetPersonalCalendar,
    GetProgrammeCalendar,
)
from shared.contracts.events.views import CalendarFile, EventView, LinkedData
from shared.contracts.events.words import EventKind, EventStatus, SignUpStatus
from shared.kit.errors import NotFound
from shared.kit.principal import Principal

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
"""What of a programme a feed shows; a cancelled event stays in it as long as the past does."""
MINE = {"en": "My events", "sv": "Mina evenemang", "da": "Mine arrangementer"}

_IN_WINDOW = """
    e.ends_at > :first AND e.starts_at < :last AND e.starts_at > CAST(:first AS timestamptz) - CAST(:longest AS interval)
    AND (e.cancelled_at IS NULL OR e.cancelled_at > :first)
"""
_SEEN_BY_PEOPLE = "e.hidden_at IS NULL AND e.usable_at IS NOT NULL AND e.status = ANY(:published)"
_IN_PROGRAMME = f"e.hub = :hub AND e.visibility = 'public' AND {_SEEN_BY_PEOPLE} AND {_IN_WINDOW}"
# Whoever runs an event has its drafts too; whoever has signed up has what people see.
_MY_OWN = f"""
    e.id = ANY(ARRAY(SELECT event FROM sign_up WHERE person = :person AND status = ANY(:taking_part)
                     UNION SELECT id_of.event FROM organiser id_of WHERE id_of.kind = 'person' AND id_of.id = :person))
    AND (CAST(:everywhere AS boolean) OR e.hub = :hub)
    AND (({_SEEN_BY_PEOPLE}) OR (o.id IS NOT NULL AND (e.usable_at IS NOT NULL OR e.status <> 'cancelled')))
    AND {_IN_WINDOW}
"""  # noqa: S608  # made of the constants above
_AND_MINE = """
    LEFT JOIN sign_up u ON u.event = e.id AND u.person = :person AND u.status = ANY(:taking_part)
    LEFT JOIN organiser o ON o.event = e.id AND o.kind = 'person' AND o.id = :person
"""
_COLUMNS = """
    e.id, e.texts, e.language, e.kind, e.status, e.starts_at, e.ends_at, e.time_zone, e.space, e.address, e.online_url,
    e.tags, e.link, e.cancel_reason, e.sequence, e.changed_at, h.name AS hub_name, s.name AS space_name
"""
_ROOMS = "LEFT JOIN space s ON s.hub = e.hub AND s.slug = e.space"
# Names are mirrored and have no version here; they are part of what is shown, so they are part of the tag.
_NAMES = "(SELECT md5(string_agg(slug || ' ' || name, ',' ORDER BY hub, slug)) FROM space WHERE hub = :hub) AS names"

_PROGRAMME_TAG = text(f"""
    SELECT h.name, count(e.id) AS events, max(e.changed_at) AS changed_at, sum(e.version) AS versions, {_NAMES}
    FROM hub h LEFT JOIN event e ON {_IN_PROGRAMME} WHERE h.slug = :hub GROUP BY h.slug
""")  # noqa: S608  # made of the constants above
_PROGRAMME = text(f"""
    SELECT {_COLUMNS}, NULL AS my_status, NULL AS since, false AS runs
    FROM event e JOIN hub h ON h.slug = e.hub {_ROOMS}
    WHERE {_IN_PROGRAMME} ORDER BY e.starts_at, e.id LIMIT :most
""")  # noqa: S608  # as above
_PERSONAL_TAG = text(f"""
    SELECT h.name, count(e.id) AS events, greatest(max(e.changed_at), max(u.changed_at)) AS changed_at,
           sum(e.version) + coalesce(sum(u.version), 0) AS versions, count(o.id) AS runs, {_NAMES}
    FROM hub h LEFT JOIN (event e {_AND_MINE}) ON {_MY_OWN} WHERE h.slug = :hub GROUP BY h.slug
""")  # noqa: S608  # as above
_PERSONAL = text(f"""
    SELECT {_COLUMNS}, u.status AS my_status, u.changed_at AS since, o.id IS NOT NULL AS runs
    FROM event e JOIN hub h ON h.slug = e.hub {_ROOMS} {_AND_MINE}
    WHERE {_MY_OWN} ORDER BY e.starts_at, e.id LIMIT :most
""")  # noqa: S608  # as above
_AROUND = text(f"""
    SELECT e.sequence, e.changed_at, h.name AS hub_name, h.municipality, h.country, s.name AS space_name
    FROM event e JOIN hub h ON h.slug = e.hub {_ROOMS} WHERE e.hub = :hub AND e.id = :event
""")  # noqa: S608  # as above
_FEED = text("SELECT hub, person, everywhere FROM feed WHERE secret_hash = :hash AND revoked_at IS NULL")

_TAKING_PART = (SignUpStatus.ATTENDING, SignUpStatus.OFFERED, SignUpStatus.WAITING, SignUpStatus.PENDING)
_NOT_YET = frozenset((EventStatus.DRAFT, EventStatus.AWAITING, EventStatus.PUBLISHING))


@dataclass(frozen=True)
class _Feed:
    """A feed about to be answered: what marks its present content, and how its rows are found."""

    tag: str
    name: str
    rows: Any
    asked: Mapping[str, Any]
    events: int


async def event_calendar(
    session: AsyncSession, request: GetEventCalendar, principal: Principal | None
) -> CalendarFile:
    """One event for whoever may see it, with all of its text."""
    viewer = viewer_of(principal, request.hub)
    shown = await events.view(session, request.hub, request.event, viewer, language=request.language)
    around = await _around(session, request.hub, request.event)
    body = calendar_of(around.hub_name, [_entry_of(shown, around)])
    tag = _digest(body)
    return CalendarFile(tag=tag, text=None if _has(request.seen, tag) else body.decode())


async def linked_data(
    session: AsyncSession, request: GetLinkedData, principal: Principal | None
) -> LinkedData:
    """One event as schema.org/Event, for whoever may see it."""
    viewer = viewer_of(principal, request.hub)
    shown = await events.view(session, request.hub, request.event, viewer, language=request.language)
    around = await _around(session, request.hub, request.event)
    names = Surroundings(around.hub_name, around.municipality, around.country, around.space_name)
    document = document_of(shown, names)
    return LinkedData(tag=_digest(orjson.dumps(document)), document=document)


async def programme(session: AsyncSession, request: GetProgrammeCalendar, *, now: datetime) -> CalendarFile:
    """A hub's public events, 60 days back and 400 ahead; NotFound where there is no such hub."""
    asked = {"hub": request.hub, **_window(now)}
    mark = (await session.execute(_PROGRAMME_TAG, asked)).first()
    if mark is None:
        raise NotFound(f"There is no hub {request.hub}.")
    tag = _tag("programme", request.hub, request.language, asked["first"], *mark)
    feed = _Feed(tag, mark.name, _PROGRAMME, asked, mark.events)
    return await _answered(session, feed, request)


async def personal(session: AsyncSession, request: GetPersonalCalendar, *, now: datetime) -> CalendarFile:
    """What a person runs or takes part in; NotFound alike for an address that never was and one revoked."""
    hash_ = secret_hash(request.secret)
    found = (await session.execute(_FEED, {"hash": hash_})).mappings().first()
    if found is None:
        raise NotFound("There is no calendar at this address.")
    asked = {**found, **_window(now), "taking_part": list(_TAKING_PART)}
    mark = (await session.execute(_PERSONAL_TAG, asked)).one()
    tag = _tag("personal", hash_.hex(), request.language, asked["first"], *mark)
    mine = MINE.get((request.language or "en").partition("-")[0], MINE["en"])
    name = mine if found["everywhere"] else f"{mine}, {mark.name}"
    return await _answered(session, _Feed(tag, name, _PERSONAL, asked, mark.events), request)


def secret_hash(secret: str) -> bytes:
    """What is kept of a feed's secret: it has 256 bits of chance, so its plain hash gives nothing away."""
    return sha256(secret.encode()).digest()


async def _answered(
    session: AsyncSession, feed: _Feed, request: GetProgrammeCalendar | GetPersonalCalendar
) -> CalendarFile:
    if _has(request.seen, feed.tag):
        return CalendarFile(tag=feed.tag)
    asked = {**feed.asked, "most": ics.MOST_ENTRIES}
    rows = (await session.execute(feed.rows, asked)).all()
    entries = [_entry(row, request.language) for row in rows]
    # A thousand dates take a third of a second the first time; others are answered meanwhile.
    left_out = max(feed.events - len(entries), 0)
    body = await asyncio.to_thread(calendar_of, feed.name, entries, left_out=left_out)
    return CalendarFile(tag=feed.tag, text=body.decode())


def _window(now: datetime) -> dict[str, Any]:
    """By days, not by moments: within a day the same programme is the same bytes."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "first": today - BACK,
        "last": today + AHEAD,
        "longest": LONGEST_EVENT,
        "published": sorted(PUBLISHED),
    }


def _entry(row: Any, language: str | None) -> Entry:
    _, title, words = pick(row.texts, language, row.language)
    joins = row.runs or row.my_status == SignUpStatus.ATTENDING
    return Entry(
        id=row.id,
        title=title,
        text=shortened(words),
        start=row.starts_at,
        end=row.ends_at,
        zone=row.time_zone,
        stamp=max(row.changed_at, row.since or row.changed_at),
        status=_status(row.status, row.my_status, runs=row.runs),
        sequence=row.sequence,
        location=_location(row.address, row.space, row.space_name, row.hub_name),
        url=row.link,
        conference=row.online_url if joins else None,
        categories=_categories(row.kind, row.tags),
        comment=row.cancel_reason,
    )


def _entry_of(shown: EventView, around: Any) -> Entry:
    return Entry(
        id=shown.id,
        title=shown.title,
        text=shown.text,
        start=shown.start,
        end=shown.end,
        zone=shown.time_zone,
        stamp=around.changed_at,
        status=_status(shown.status, shown.my_status, runs=shown.mine),
        sequence=around.sequence,
        location=_location(shown.place.address, shown.place.space, around.space_name, around.hub_name),
        url=shown.link,
        conference=shown.place.online_url,
        categories=_categories(shown.kind, shown.tags),
        comment=shown.cancel_reason,
    )


def _status(status: str, my_status: str | None, *, runs: bool) -> str:
    if status == EventStatus.CANCELLED:
        return CANCELLED
    waits = my_status in _TAKING_PART and my_status != SignUpStatus.ATTENDING
    return TENTATIVE if status in _NOT_YET or (waits and not runs) else CONFIRMED


def _location(address: str | None, space: str | None, name: str | None, hub: str) -> str | None:
    return address if space is None else f"{name or space}, {hub}"


def _categories(kind: str, tags: Sequence[str]) -> tuple[str, ...]:
    own = (kind,) if kind != EventKind.OTHER else ()
    return tuple(dict.fromkeys((*own, *tags)))


async def _around(session: AsyncSession, hub: str, event: UUID) -> Any:
    return (await session.execute(_AROUND, {"hub": hub, "event": event})).one()


def _tag(*parts: object) -> str:
    return _digest(repr(tuple(str(part) for part in parts)).encode())


def _digest(body: bytes) -> str:
    return blake2b(body, digest_size=12).hexdigest()


def _has(seen: str | None, tag: str) -> bool:
    """Whether If-None-Match names the tag."""
    return seen is not None and (f'"{tag}"' in seen or seen.strip() == "*")
