"""Changing an event, and cancelling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places, venues
from services.events.commands.loading import organisers_of as organisers_there
from services.events.commands.publishing import EVENT_ENDS, changed_from, hold
from services.events.commands.stating import state_events, touch
from services.events.rules import texts
from services.events.rules.changes import (
    HISTORY,
    THE_HUB,
    Position,
    check_time,
    details,
    moved,
    organisers_of,
    parts_between,
    refuse_nothing,
    ways,
)
from services.events.rules.refusals import EventState
from services.events.tables import Event, Organiser, Places, Venue
from shared.contracts.events.facts import EventCancelledV1, EventChangedV1
from shared.contracts.events.given import EventChange
from shared.contracts.events.words import OPEN, EventPart, EventStatus, OrganiserKind, Way
from shared.kit.errors import Invalid
from shared.kit.ids import Ids
from shared.kit.principal import Principal
from shared.kit.timers import wake_no_later


@dataclass(frozen=True)
class _Places:
    capacity: int | None = None
    waits: bool = True


_NONE = _Places()
_KNOWN = frozenset({*OPEN, EventStatus.HELD})
"""States of an event that people have heard of, and hear of again when it changes."""


@dataclass
class Order:
    """One change of one event: who ordered it, when, where it was, and which parts have been changed so far."""

    session: AsyncSession
    event: Event
    change: EventChange
    who: Principal
    now: datetime
    ids: Ids
    was: Position
    venue: Venue | None
    parts: list[EventPart] = field(default_factory=list)
    waits: bool = False
    """True when time or place stay as they are until booking has agreed."""

    def said(self, *names: str) -> bool:
        """True when the change speaks of one of these."""
        return not self.change.model_fields_set.isdisjoint(names)


async def change(
    session: AsyncSession, event: Event, change: EventChange, who: Principal, *, now: datetime, ids: Ids
) -> None:
    """Change what is said to; a new time or room of a published event waits until booking has agreed.

    The event is locked. Raises EventState when it is cancelled or over, CapacityBelow when people would lose their places.
    """
    venues_there = await venues_of(session, [event])
    order = await apply(session, event, change, who, venues_there, now=now, ids=ids)
    await tell(session, [order], by=who.person, now=now, ids=ids)


async def venues_of(session: AsyncSession, events: Sequence[Event]) -> dict[UUID, Venue]:
    """The rooms these events, which are locked, have asked for."""
    found = select(Venue).where(Venue.event.in_([event.id for event in events]))
    rows = await session.scalars(found.execution_options(populate_existing=True))
    return {venue.event: venue for venue in rows}


async def apply(
    session: AsyncSession,
    event: Event,
    change: EventChange,
    who: Principal,
    venues_there: Mapping[UUID, Venue],
    *,
    now: datetime,
    ids: Ids,
) -> Order:
    """The part of a change that can be refused; `tell` has to follow."""
    _refuse_state(event, change)
    refuse_nothing(change)
    order = Order(session, event, change, who, now, ids, Position.of(event), venues_there.get(event.id))
    _say(order)
    await _organise(order)
    await _place(order)
    await _count_places(order)
    return order


def _refuse_state(event: Event, change: EventChange) -> None:
    if event.status == EventStatus.CANCELLED:
        raise EventState("A cancelled event stays as it was. Start a new one.")
    said = change.model_fields_set & EventChange.model_fields.keys()
    if event.status == EventStatus.HELD and not said <= HISTORY:
        raise EventState("The event is over: only what is said of it can be changed.")


async def tell(session: AsyncSession, orders: Sequence[Order], *, by: UUID, now: datetime, ids: Ids) -> None:
    """Published events read differently now, and everybody hears of it; a mere wish is seen by those who run it."""
    orders = [order for order in orders if order.parts or order.waits]
    if not orders:
        return
    await places.sync_all(session, [order.event for order in orders])
    heard = {order.event.id: order for order in orders if order.parts and order.event.status in _KNOWN}
    for order in orders:
        if order.event.id not in heard:
            touch(order.event, now)
        elif order.event.status in OPEN:
            order.event.status = EventStatus.CHANGED
    each = {
        one: changed_from((*order.was.span, order.was.space), order.parts) for one, order in heard.items()
    }
    events = [order.event for order in heard.values()]
    await state_events(session, EventChangedV1, events, by=by, now=now, ids=ids, each=each)
    for event in events:
        if event.status in OPEN and event.ends_at <= now:
            await hold(session, event, now=now, ids=ids)
    # An end that was put off keeps its timer: the duty finds that it is too early and sets it anew.
    ahead = {str(event.id): event.ends_at for event in events if event.status in OPEN}
    await wake_no_later(session, EVENT_ENDS, ahead)


def _say(order: Order) -> None:
    """Texts and details."""
    event = order.event
    said, own = texts.changed(event.texts, event.language, order.change)
    if (said, own) != (event.texts, event.language):
        event.texts, event.language = said, own
        order.parts.append(EventPart.TEXTS)
    given = details(event, order.change)
    for name, value in given.items():
        setattr(event, name, value)
    if given:
        order.parts.append(EventPart.DETAILS)


async def _organise(order: Order) -> None:
    if not order.said("organisers"):
        return
    session, event = order.session, order.event
    starter = None if event.calendar else event.created_by
    wanted = set(organisers_of(order.change.organisers or (), started_by=starter))
    wanted = wanted or {(OrganiserKind.HUB, THE_HUB)}
    present = {(one.kind, one.id): one for one in await organisers_there(session, event.id)}
    for gone in present.keys() - wanted:
        await session.delete(present[gone])
    for kind, one in wanted - present.keys():
        session.add(Organiser(event=event.id, hub=event.hub, kind=kind, id=one))
    if wanted != present.keys():
        order.parts.append(EventPart.ORGANISERS)


async def _place(order: Order) -> None:
    """Time and place: at once, unless a published event needs booking's word for its room."""
    if not order.said("start", "end", "place", "capacity"):
        return
    event = order.event
    present = Position.of(event)
    wanted = moved(_last_asked(event, order.venue), order.change, ZoneInfo(event.time_zone))
    if wanted.span[0] != present.span[0]:
        check_time(wanted.span, order.now, imported=event.calendar is not None)
    if event.status != EventStatus.DRAFT and not wanted.anywhere and event.calendar is None:
        raise Invalid("People have been told of it: say where it takes place.", field="place")
    order.waits = await _ask_for_room(order, wanted)
    event.online_url = wanted.online_url
    if not (order.waits and event.status in OPEN):
        event.space, event.address = wanted.space, wanted.address
        event.starts_at, event.ends_at = wanted.span
    order.parts += parts_between(present, Position.of(event))


def _last_asked(event: Event, venue: Venue | None) -> Position:
    """Where the event is, or shall be: what a change leaves out stays as it was last asked for."""
    position = Position.of(event)
    if event.status not in OPEN or venue is None or not venue.wants or venue.space is None:
        return position
    if venue.starts_at is None or venue.ends_at is None:
        return position
    return Position((venue.starts_at, venue.ends_at), venue.space, None, event.online_url)


async def _ask_for_room(order: Order, wanted: Position) -> bool:
    """Wish for the room it needs now, or for none; True when something is asked that is not answered yet."""
    session, event, venue = order.session, order.event, order.venue
    if event.status not in {*OPEN, EventStatus.PUBLISHING}:
        return False
    if wanted.space is None:
        if venue is None:
            return False
        await venues.release(session, event, now=order.now, ids=order.ids)
        return False
    room = (await _places_of(session, event)).get(Way.ROOM, _NONE)
    seats = (order.change.capacity if order.said("capacity") else room.capacity) or None
    wants = venue is not None and venue.wants
    if venue is not None and venue.wants:
        asked = (venue.space, venue.starts_at, venue.ends_at, venue.seats)
        if asked == (wanted.space, *wanted.span, seats):
            return Position.of(event).span != wanted.span or event.space != wanted.space
    if not wants and not order.said("start", "end", "place"):
        return False
    await venues.want(
        session,
        event,
        space=wanted.space,
        span=wanted.span,
        seats=seats,
        person=event.created_by,
        now=order.now,
        ids=order.ids,
    )
    return True


async def _places_of(session: AsyncSession, event: Event) -> dict[Way, _Places]:
    """How many there are of each way, and whether there is a waiting line, as it is at this moment."""
    found = await session.execute(
        select(Places.way, Places.capacity, Places.waits).where(Places.event == event.id)
    )
    return {Way(row.way): _Places(row.capacity, row.waits) for row in found}


async def _count_places(order: Order) -> None:
    """Capacities, ways that come and go, and whether there is a waiting line."""
    if not order.said("capacity", "capacity_online", "waiting_list", "place"):
        return
    session, event, change = order.session, order.event, order.change
    before = await _places_of(session, event)
    room, online = before.get(Way.ROOM, _NONE), before.get(Way.ONLINE, _NONE)
    capacities = {
        Way.ROOM: change.capacity if order.said("capacity") else room.capacity,
        Way.ONLINE: change.capacity_online if order.said("capacity_online") else online.capacity,
    }
    # While a room is being asked for, its places stand ready.
    present = set(ways(Position.of(event), online_wanted=capacities[Way.ONLINE] is not None))
    present |= {Way.ROOM} if order.waits else set()
    waits = all(one.waits for one in before.values()) if change.waiting_list is None else change.waiting_list
    await places.make(session, event, {way: capacities[way] for way in present}, waits=waits)
    changed = [way for way in Way if way in present and way in before]
    for way in [way for way in changed if before[way].capacity != capacities[way]]:
        await places.set_capacity(
            session,
            event,
            way,
            capacities[way],
            losing=frozenset(change.losing),
            by=order.who.person,
            now=order.now,
            ids=order.ids,
        )
    if before != await _places_of(session, event):
        order.parts.append(EventPart.CAPACITY)


async def cancel(
    session: AsyncSession, event: Event, *, reason: str | None, by: UUID, now: datetime, ids: Ids
) -> None:
    """It does not take place; its room goes back, everybody's place is gone with it. Twice changes nothing."""
    if event.status == EventStatus.CANCELLED:
        return
    if event.status == EventStatus.HELD:
        raise EventState("The event has taken place already.")
    await cancel_all(session, [event], reason=reason, by=by, now=now, ids=ids)


async def cancel_all(
    session: AsyncSession, events: Sequence[Event], *, reason: str | None, by: UUID, now: datetime, ids: Ids
) -> None:
    """The same of several events, which are locked and neither cancelled nor over. Their timers find nothing to do."""
    if not events:
        return
    for event in events:
        event.status = EventStatus.CANCELLED
        event.cancelled_at, event.cancel_reason = now, reason
    await session.flush()
    with_room = await venues_of(session, events)
    for event in events:
        if event.id in with_room:
            await venues.release(session, event, now=now, ids=ids)
    await places.sync_all(session, events)
    known = [event for event in events if event.stated]
    for event in events:
        if not event.stated:
            touch(event, now)  # a draft nobody has heard of
    await state_events(session, EventCancelledV1, known, by=by, now=now, ids=ids)
