"""Starting events: by a member, as a date of a series, in a theme, or from an imported calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places
from services.events.commands.loading import hub_of
from services.events.commands.publishing import publish_drafts
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


@dataclass(frozen=True)
class Plan:
    """An event to be made: what was said of it, when it shall be, where it comes from."""

    given: ThemeEvent
    span: Span
    origin: Origin = Origin()


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
    plan = Plan(request, wanted, origin)
    [event] = await make(session, hub, [plan], who, publish=request.publish, now=now, ids=ids)
    return event


async def make(
    session: AsyncSession,
    hub: Hub,
    plans: Sequence[Plan],
    who: Principal,
    *,
    publish: bool,
    now: datetime,
    ids: Ids,
) -> list[Event]:
    """Events with their organisers and places, as the caller has found them to be allowed; drafts unless `publish`."""
    viewer = viewer_of(who, hub.slug)
    events = [_event(hub, plan, viewer, now=now, ids=ids) for plan in plans]
    ways_of = [_ways(event, plan.given) for event, plan in zip(events, plans, strict=True)]
    await _add(session, events)
    for event, plan in zip(events, plans, strict=True):
        starter = None if plan.origin.source else who.person
        chosen = organisers_of(plan.given.organisers, started_by=starter)
        for kind, one in chosen or {(OrganiserKind.HUB, THE_HUB): None}:
            session.add(Organiser(event=event.id, hub=hub.slug, kind=kind, id=one))
    await session.flush()
    waits = [plan.given.waiting_list for plan in plans]
    await places.make_new(session, list(zip(events, ways_of, waits, strict=True)))
    if publish:
        await publish_drafts(session, events, who, now=now, ids=ids)
    return events


def _ways(event: Event, given: ThemeEvent) -> dict[Way, int | None]:
    capacities = {Way.ROOM: given.capacity, Way.ONLINE: given.capacity_online}
    present = ways(Position.of(event), online_wanted=given.capacity_online is not None)
    if given.capacity is not None and Way.ROOM not in present:
        raise Invalid("It is online only: say `capacity_online`.", field="capacity")
    return {way: capacities[way] for way in present}


def _event(hub: Hub, plan: Plan, viewer: Viewer, *, now: datetime, ids: Ids) -> Event:
    given, source = plan.given, plan.origin.source
    said, own = texts.of_new(given, hub.languages)
    return Event(
        id=ids(),
        hub=hub.slug,
        series=plan.origin.series,
        series_start=plan.origin.series_start,
        kind=given.kind,
        visibility=given.visibility,
        status=EventStatus.DRAFT,
        starts_at=plan.span[0],
        ends_at=plan.span[1],
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


async def _add(session: AsyncSession, events: Sequence[Event]) -> None:
    if all(event.calendar is None for event in events):
        session.add_all(events)
        await session.flush()
        return
    try:
        async with session.begin_nested():
            session.add_all(events)
    except IntegrityError as refused:
        if "event_source" not in str(refused.orig):
            raise
        raise AlreadyImportedEvent(
            f"The entry {events[0].uid} of {events[0].calendar} has become an event already.", field="source"
        ) from None
