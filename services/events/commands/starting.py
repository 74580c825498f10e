"""Starting events: by a member, as a date of a series, in a theme, or from an imported calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places
from services.events.commands.loading import hub_of
from services.events.commands.publishing import publish
from services.events.rules import texts
from services.events.rules.authority import Viewer, is_operator, is_staff, may_start, viewer_of
from services.events.rules.changes import (
    LONGEST_EVENT,
    THE_HUB,
    Position,
    check_time,
    organisers_of,
    ways,
)
from services.events.rules.refusals import AlreadyImportedEvent, NotAMember
from services.events.tables import Event, Hub, Organiser
from shared.contracts.events.given import GivenEventSource, ThemeEvent
from shared.contracts.events.requests import StartEvent
from shared.contracts.events.words import EventStatus, OrganiserKind, Way
from shared.kit.errors import Forbidden, Invalid
from shared.kit.ids import Ids
from shared.kit.moments import Span, span
from shared.kit.principal import Principal

_SOURCE = ("hub", "calendar", "uid", "recurrence_id")
_SAME_SOURCE = text("""
    SELECT id FROM event
    WHERE (hub, calendar, uid, recurrence_id) = (:hub, :calendar, :uid, :recurrence_id) AND status <> 'cancelled'
""")


@dataclass(frozen=True)
class Origin:
    """Where an event comes from beside its starter: a series and the date in it, or an imported calendar."""

    series: UUID | None = None
    series_start: str | None = None
    source: GivenEventSource | None = None


async def welcome(session: AsyncSession, hub: str, who: Principal) -> Hub:
    """The hub, for somebody who may start events there."""
    found = await hub_of(session, hub)
    if not may_start(viewer_of(who, hub)):
        raise NotAMember(f"Any member starts events in {hub}. Join it first.")
    return found


async def start(
    session: AsyncSession, request: StartEvent, who: Principal, *, now: datetime, ids: Ids
) -> Event:
    """Start one event; a draft unless `publish` is said."""
    hub = await welcome(session, request.hub, who)
    if request.source is not None and not is_operator(viewer_of(who, request.hub)):
        raise Forbidden(f"Importing needs one of these roles in {request.hub}: admin, operator.")
    wanted = span(request.start, request.end, ZoneInfo(hub.time_zone), longest=LONGEST_EVENT)
    check_time(wanted, now, imported=request.source is not None)
    origin = Origin(series=request.theme, source=request.source)
    event = await make(session, hub, request, wanted, who, origin=origin, now=now, ids=ids)
    if request.publish:
        await publish(session, event, who, now=now, ids=ids)
    return event


async def make(
    session: AsyncSession,
    hub: Hub,
    given: ThemeEvent,
    wanted: Span,
    who: Principal,
    *,
    origin: Origin,
    now: datetime,
    ids: Ids,
) -> Event:
    """A draft with its organisers and places, as the caller has found it to be allowed."""
    event = _event(hub, given, wanted, viewer_of(who, hub.slug), origin, now=now, ids=ids)
    await _add(session, event)
    starter = None if origin.source else who.person
    chosen = organisers_of(given.organisers, started_by=starter)
    for kind, person in chosen or {(OrganiserKind.HUB, THE_HUB): None}:
        session.add(Organiser(event=event.id, hub=hub.slug, kind=kind, id=person))
    await session.flush()
    capacities = {Way.ROOM: given.capacity, Way.ONLINE: given.capacity_online}
    present = ways(Position.of(event), online_wanted=given.capacity_online is not None)
    if given.capacity is not None and Way.ROOM not in present:
        raise Invalid("It is online only: say `capacity_online`.", field="capacity")
    await places.make(session, event, {way: capacities[way] for way in present}, waits=given.waiting_list)
    return event


def _event(
    hub: Hub, given: ThemeEvent, wanted: Span, viewer: Viewer, origin: Origin, *, now: datetime, ids: Ids
) -> Event:
    said, own = texts.of_new(given, hub.languages)
    source = origin.source
    return Event(
        id=ids(),
        hub=hub.slug,
        series=origin.series,
        series_start=origin.series_start,
        kind=given.kind,
        visibility=given.visibility,
        status=EventStatus.DRAFT,
        starts_at=wanted[0],
        ends_at=wanted[1],
        time_zone=hub.time_zone,
        space=given.place.space,
        address=given.place.address,
        online_url=given.place.online_url,
        texts=said,
        language=own,
        tags=list(dict.fromkeys(given.tags)),
        cost=given.cost,
        accessibility=given.accessibility,
        link=given.link,
        created_by=viewer.person,
        created_at=now,
        started_by="staff" if is_staff(viewer) else "member",
        calendar=source.calendar if source else None,
        uid=source.uid if source else None,
        recurrence_id=source.recurrence_id if source else None,
        changed_at=now,
        stated=0,
        version=1,
        sequence=0,
        walk_ins=0,
    )


async def _add(session: AsyncSession, event: Event) -> None:
    if event.calendar is None:
        session.add(event)
        await session.flush()
        return
    try:
        async with session.begin_nested():
            session.add(event)
    except IntegrityError as refused:
        if "event_source" not in str(refused.orig):
            raise
        known = await session.scalar(_SAME_SOURCE, {name: getattr(event, name) for name in _SOURCE})
        raise AlreadyImportedEvent(
            f"The entry {event.uid} of {event.calendar} has become an event already.",
            field="source",
            event=str(known),
        ) from None
