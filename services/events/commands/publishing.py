"""Publishing an event: asking the hub, asking for its room, becoming visible, and what becomes of it with its room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places, venues
from services.events.commands.stating import state_event, state_events, touch
from services.events.rules.authority import is_staff, viewer_of
from services.events.rules.counting import participants
from services.events.rules.refusals import EventState
from services.events.tables import Event, HubSettings, Refusal, Venue
from shared.contracts.events.facts import EventChangedV1, EventHeldV1, EventProposedV1, EventPublishedV1
from shared.contracts.events.words import OPEN, EventPart, EventStatus
from shared.kit.errors import Invalid
from shared.kit.ids import Ids
from shared.kit.moments import Span
from shared.kit.principal import Principal
from shared.kit.timers import set_timer, wake_no_later

EVENT_ENDS = "event-ends"

_SEATS = text("SELECT capacity FROM places WHERE event = :event AND way = 'room'")
_COUNTED = text("""
    SELECT coalesce(sum(taken), 0)::int AS signed_up, coalesce(sum(came), 0)::int AS came FROM places WHERE event = :event
""")


async def publish(session: AsyncSession, event: Event, who: Principal, *, now: datetime, ids: Ids) -> None:
    """Let people see it: at once, when the hub has approved, or when its room is confirmed.

    Publishing twice changes nothing, except that a room which was refused or lost is asked for again.
    """
    if event.status in (EventStatus.CANCELLED, EventStatus.HELD):
        raise EventState(f"An event that is {event.status} cannot be published.")
    if event.status == EventStatus.PUBLISHING:
        return
    if event.status in OPEN:
        await _ask_again(session, event, now=now, ids=ids)
        return
    refuse_nowhere(event)
    staff = is_staff(viewer_of(who, event.hub))
    if event.status == EventStatus.AWAITING and not staff:
        return
    if not staff and await approves(session, event.hub):
        await _propose(session, event, by=who.person, now=now, ids=ids)
    else:
        await go(session, event, by=who.person, now=now, ids=ids)


async def publish_drafts(
    session: AsyncSession, events: Sequence[Event], who: Principal, *, now: datetime, ids: Ids
) -> None:
    """Publish what nobody has seen yet: a series at once, in a few statements whatever the number of its dates."""
    if not events:
        return
    for event in events:
        refuse_nowhere(event)
        event.asked_at = event.asked_at or now
        event.returned_reason = None
    if not is_staff(viewer_of(who, events[0].hub)) and await approves(session, events[0].hub):
        for event in events:
            event.status, event.waited = EventStatus.AWAITING, True
        await state_events(session, EventProposedV1, events, by=who.person, now=now, ids=ids)
        return
    seen = [event for event in events if event.space is None or event.ends_at <= now]
    for event in seen:
        event.status, event.usable_at = EventStatus.PUBLISHED, now
    await state_events(session, EventPublishedV1, seen, by=who.person, now=now, ids=ids)
    ahead = [event for event in seen if event.ends_at > now]
    await places.open_new(session, ahead)
    for event in events:
        if event not in seen:
            await go(session, event, by=who.person, now=now, ids=ids)
        elif event not in ahead:
            await hold(session, event, now=now, ids=ids)
    await wake_no_later(session, EVENT_ENDS, {str(event.id): event.ends_at for event in ahead})


def refuse_nowhere(event: Event) -> None:
    """Invalid while nothing has been said of the place; imported calendars often say nothing."""
    if event.space is None and event.address is None and event.online_url is None and event.calendar is None:
        raise Invalid("Say where it takes place before people see it.", field="place")


async def approves(session: AsyncSession, hub: str) -> bool:
    """True when members' events wait for the hub's approval."""
    chosen = await session.get(HubSettings, hub)
    return chosen is not None and chosen.approval


async def _propose(session: AsyncSession, event: Event, *, by: UUID, now: datetime, ids: Ids) -> None:
    event.status = EventStatus.AWAITING
    event.waited = True
    event.asked_at = event.asked_at or now
    event.returned_reason = None
    await state_event(session, EventProposedV1, event, by=by, now=now, ids=ids)


async def go(session: AsyncSession, event: Event, *, by: UUID | None, now: datetime, ids: Ids) -> None:
    """Nobody has to be asked any more but booking, if it needs a room; a time that is over needs none."""
    event.asked_at = event.asked_at or now
    event.returned_reason = None
    if event.space is None or event.ends_at <= now:
        await become_public(session, event, by=by, now=now, ids=ids)
        return
    event.status = EventStatus.PUBLISHING
    touch(event, now)
    await session.flush()
    await want_room(session, event, event.space, (event.starts_at, event.ends_at), now=now, ids=ids)


async def want_room(
    session: AsyncSession, event: Event, space: str, span: Span, *, now: datetime, ids: Ids
) -> None:
    """Ask booking for a room that takes as many as the event has places, for who started the event."""
    seats = (await session.execute(_SEATS, {"event": event.id})).scalar() or None
    await venues.want(
        session, event, space=space, span=span, seats=seats, person=event.created_by, now=now, ids=ids
    )


async def _ask_again(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    venue = await session.get(Venue, event.id, populate_existing=True)
    if event.space is None or event.ends_at <= now or (venue is not None and venue.wants):
        return
    touch(event, now)
    await want_room(session, event, event.space, (event.starts_at, event.ends_at), now=now, ids=ids)


async def become_public(
    session: AsyncSession, event: Event, *, by: UUID | None, now: datetime, ids: Ids
) -> None:
    """From now on people see it and sign up; one that is over already is history at once."""
    event.status = EventStatus.PUBLISHED
    event.asked_at = event.asked_at or now
    event.usable_at = event.usable_at or now
    await state_event(session, EventPublishedV1, event, by=by, now=now, ids=ids)
    if event.ends_at <= now:
        await hold(session, event, now=now, ids=ids)
        return
    await places.sync(session, event)
    await set_timer(session, EVENT_ENDS, str(event.id), event.ends_at)


async def hold(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    """The event is over: say who was there."""
    event.status = EventStatus.HELD
    await session.flush()
    await places.sync(session, event)
    counted = (await session.execute(_COUNTED, {"event": event.id})).one()
    await state_event(
        session,
        EventHeldV1,
        event,
        by=None,
        now=now,
        ids=ids,
        signed_up=counted.signed_up,
        came=counted.came,
        walk_ins=event.walk_ins,
        participants=participants(counted.came, event.walk_ins, counted.signed_up),
    )


async def fall_back(session: AsyncSession, event: Event, because: str, *, now: datetime, ids: Ids) -> None:
    """Its room was refused while it was being published: a draft again."""
    if event.status != EventStatus.PUBLISHING:
        return
    event.status = EventStatus.DRAFT
    touch(event, now)
    session.add(Refusal(id=ids(), hub=event.hub, event=event.id, at=now, because=because, by=None))
    await session.flush()


async def room_changed(
    session: AsyncSession,
    event: Event,
    *,
    space: str,
    span: Span,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    regained: bool = False,
) -> None:
    """The event follows its room to another time or place; `regained` when it had lost the one it has again.

    A date of a series that somebody moved in booking goes its own way from then on.
    """
    if event.status not in OPEN:
        return
    before = (event.starts_at, event.ends_at, event.space)
    changed = [EventPart.TIME] if span != (event.starts_at, event.ends_at) else []
    if space != event.space or regained:
        changed.append(EventPart.PLACE)
    if not changed:
        return
    event.status = EventStatus.CHANGED
    event.space, event.address = space, None
    event.starts_at, event.ends_at = span
    event.detached = event.detached or (by is not None and event.series_start is not None)
    await session.flush()
    await places.sync(session, event)
    await set_timer(session, EVENT_ENDS, str(event.id), event.ends_at)
    more = changed_from(before, changed)
    await state_event(session, EventChangedV1, event, by=by, now=now, ids=ids, **more)


async def room_lost(session: AsyncSession, event: Event, *, by: UUID | None, now: datetime, ids: Ids) -> None:
    """The room of a published event is gone; the event stays, and says so."""
    if event.status not in OPEN:
        return
    event.status = EventStatus.CHANGED
    await state_event(
        session, EventChangedV1, event, by=by, now=now, ids=ids, changed=(EventPart.PLACE,), venue_lost=True
    )


def changed_from(
    before: tuple[datetime, datetime, str | None], changed: Iterable[EventPart]
) -> dict[str, Any]:
    """What EventChangedV1 says beside the event as it is: which parts differ, and the time and space it had."""
    parts = tuple(part for part in EventPart if part in set(changed))
    said: dict[str, Any] = {"changed": parts}
    if EventPart.TIME in parts:
        said |= {"previous_start": before[0], "previous_end": before[1]}
    if EventPart.PLACE in parts:
        said |= {"previous_space": before[2]}
    return said
