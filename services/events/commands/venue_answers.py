"""Acting on what booking says about a room: agreed, refused, moved, lost, given back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import publishing
from services.events.commands.loading import locked_for_duty
from services.events.commands.venues import (
    accept,
    forget_refusal,
    locked,
    release_anew,
    unwanted,
    want_anew,
)
from services.events.rules.venues import PENDING
from services.events.tables import Event, Refusal, Venue
from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueMovedV1,
    VenueRefusedV1,
)
from shared.contracts.booking.words import VenueLoss, VenueRefusal
from shared.contracts.events.words import OPEN, EventStatus, VenueState
from shared.kit.ids import Ids
from shared.kit.timers import set_timer

ASKS_AGAIN = "venue-asks-again"
"""Timer per event: the room it was refused because the day was too far ahead can be booked from now on."""


@dataclass(frozen=True)
class Agreement:
    """An event with its venue's row, both locked, and what is needed to act on them."""

    session: AsyncSession
    event: Event | None
    venue: Venue
    now: datetime
    ids: Ids

    @property
    def open(self) -> bool:
        """True when people see the event."""
        return self.event is not None and self.event.status in OPEN

    @property
    def publishing(self) -> bool:
        """True while the event waits for its room to be seen."""
        return self.event is not None and self.event.status == EventStatus.PUBLISHING


async def take_in(session: AsyncSession, fact: Fact, *, now: datetime, ids: Ids) -> None:
    """Act on one answer, whatever has become of the wish meanwhile."""
    answer: Any = fact
    on = await agreement(session, answer, now=now, ids=ids)
    if answer.subject_version <= on.venue.heard:
        return  # comparing has been faster
    on.venue.heard = answer.subject_version
    on.venue.changed_at = now
    await _ACTS[type(fact)](on, answer)
    await session.flush()


async def agreement(session: AsyncSession, fact: Any, *, now: datetime, ids: Ids) -> Agreement:
    """Both rows, locked in this order.

    An event that has none, or is not known here, gets one: a fact about it is no dead letter. It wants nothing, unless
    people have been told that the event is where booking says it is.
    """
    find = select(Event).where(Event.id == fact.event, Event.hub == fact.hub).with_for_update()
    event = await session.scalar(find.execution_options(populate_existing=True))
    venue = await locked(session, fact.event)
    if venue is None:
        venue = await unwanted(session, fact.hub, fact.event, now=now, before=fact.subject_version)
        venue.edition, venue.version = fact.edition, getattr(fact, "heard", 0)
        if event is not None and _is_where_it_says(event, fact):
            venue.state, venue.wants = VenueState.CONFIRMED, True
            venue.person = event.created_by
            note(venue, fact)
            wish_for_what_is(venue)
        session.add(venue)
    return Agreement(session, event, venue, now, ids)


def _is_where_it_says(event: Event, fact: Any) -> bool:
    there = tuple(getattr(fact, name, None) for name in ("space", "start", "end"))
    return event.status in OPEN and (event.space, event.starts_at, event.ends_at) == there


def note(venue: Venue, fact: Any) -> None:
    """Write down the booking and where it is."""
    venue.booking, venue.booked_space = fact.booking, fact.space
    venue.booked_starts_at, venue.booked_ends_at = fact.start, fact.end


def forget(venue: Venue) -> None:
    """There is no booking any more."""
    venue.booking = venue.booked_space = venue.booked_starts_at = venue.booked_ends_at = None


def wish_for_what_is(venue: Venue) -> None:
    """The event follows its room: where the booking is, is what is wanted."""
    venue.space = venue.booked_space
    venue.starts_at, venue.ends_at = venue.booked_starts_at, venue.booked_ends_at


async def _held(on: Agreement, fact: VenueHeldV1) -> None:
    note(on.venue, fact)
    if await _unwanted(on, fact):
        return
    if fact.edition == on.venue.edition and on.venue.state in PENDING:
        await accept(on.session, on.venue, now=on.now, ids=on.ids)


async def _confirmed(on: Agreement, fact: VenueConfirmedV1) -> None:
    note(on.venue, fact)
    if await _unwanted(on, fact) or fact.edition != on.venue.edition:
        return
    await agreed(on, by=None)


async def agreed(on: Agreement, *, by: UUID | None) -> None:
    """The room is the event's: it is published, or follows its room."""
    venue, event = on.venue, on.event
    regained = venue.lost_because is not None
    venue.state, venue.lost_because = VenueState.CONFIRMED, None
    forget_refusal(venue)
    wish_for_what_is(venue)
    if event is None or event.status in (EventStatus.DRAFT, EventStatus.AWAITING, EventStatus.CANCELLED):
        await release_anew(on.session, venue, now=on.now, ids=on.ids)
    elif on.publishing:
        _bring(event, venue)
        await publishing.become_public(on.session, event, by=by, now=on.now, ids=on.ids)
    else:
        await follow(on, by=by, regained=regained)


def _bring(event: Event, venue: Venue) -> None:
    """Nobody has seen the event yet: somebody who moved its booking meanwhile has moved it."""
    if venue.booked_starts_at is not None and venue.booked_ends_at is not None:
        event.space, event.address = venue.booked_space, None
        event.starts_at, event.ends_at = venue.booked_starts_at, venue.booked_ends_at


async def follow(on: Agreement, *, by: UUID | None, regained: bool = False) -> None:
    """An open event goes where its booking is."""
    venue = on.venue
    if on.event is None or venue.booked_space is None:
        return
    if venue.booked_starts_at is None or venue.booked_ends_at is None:
        return
    await publishing.room_changed(
        on.session,
        on.event,
        space=venue.booked_space,
        span=(venue.booked_starts_at, venue.booked_ends_at),
        by=by,
        now=on.now,
        ids=on.ids,
        regained=regained,
    )


async def _refused(on: Agreement, fact: VenueRefusedV1) -> None:
    venue = on.venue
    if fact.edition != venue.edition or not venue.wants:
        return
    venue.refused_because = fact.because
    venue.free_starts, venue.free_spaces = list(fact.free_starts), list(fact.free_spaces)
    venue.bookable_from = fact.bookable_from
    if fact.kept and venue.booking is None:
        return  # which booking it keeps has not been heard yet: it is asked for soon
    if on.event is not None and not on.publishing:
        on.session.add(_refusal(on.event, fact.because, on))
    if fact.kept:
        await _as_it_was(on, fact)
    else:
        await _without(on, fact)
    if fact.because is VenueRefusal.TOO_FAR_AHEAD and fact.bookable_from is not None and not fact.kept:
        await set_timer(on.session, ASKS_AGAIN, str(venue.event), fact.bookable_from)


def _refusal(event: Event, because: str, on: Agreement) -> Refusal:
    return Refusal(id=on.ids(), hub=event.hub, event=event.id, at=on.now, because=because, by=None)


async def ask_again(session: AsyncSession, event: UUID, *, now: datetime, ids: Ids) -> None:
    """Ask once more for a room that could not be booked so far ahead, unless something else is wished by now."""
    found, busy = await locked_for_duty(session, Event, event)
    if busy:
        await set_timer(session, ASKS_AGAIN, str(event), now + timedelta(seconds=10))
    if found is None:
        return
    venue = await locked(session, event)
    if venue is None or venue.state != VenueState.REFUSED or venue.space is None or found.ends_at <= now:
        return
    if venue.refused_because != VenueRefusal.TOO_FAR_AHEAD or not _is_there(found, venue):
        return
    if found.status == EventStatus.DRAFT:
        await publishing.go(session, found, by=found.created_by, now=now, ids=ids)
    elif found.status in OPEN:
        span = (found.starts_at, found.ends_at)
        await publishing.want_room(session, found, venue.space, span, now=now, ids=ids)


async def _as_it_was(on: Agreement, fact: VenueRefusedV1) -> None:
    """The booking from before stands; an event nobody has seen yet has no use for it."""
    regained = on.venue.lost_because is not None
    on.venue.state, on.venue.lost_because = VenueState.CONFIRMED, None
    wish_for_what_is(on.venue)
    if on.event is not None and on.publishing:
        await publishing.fall_back(on.session, on.event, fact.because, now=on.now, ids=on.ids)
        await release_anew(on.session, on.venue, now=on.now, ids=on.ids, state=VenueState.REFUSED)
    else:
        await follow(on, by=None, regained=regained)


async def _without(on: Agreement, fact: VenueRefusedV1) -> None:
    """There is no room; people who were told of one hear that it is gone."""
    venue, event = on.venue, on.event
    had = venue.booking is not None or (event is not None and _is_there(event, venue))
    forget(venue)
    venue.state, venue.wants = VenueState.REFUSED, False
    if event is not None and on.publishing:
        await publishing.fall_back(on.session, event, fact.because, now=on.now, ids=on.ids)
    elif event is not None and on.open and had and venue.lost_because is None:
        venue.lost_because = fact.because
        await publishing.room_lost(on.session, event, by=None, now=on.now, ids=on.ids)


def _is_there(event: Event, venue: Venue) -> bool:
    """True when people have been told that the event is where it wished to be."""
    return (event.space, event.starts_at, event.ends_at) == (venue.space, venue.starts_at, venue.ends_at)


async def _moved(on: Agreement, fact: VenueMovedV1) -> None:
    note(on.venue, fact)
    if await _unwanted(on, fact):
        return
    on.venue.moved_by = fact.by
    if on.venue.state == VenueState.CONFIRMED:
        wish_for_what_is(on.venue)
        await follow(on, by=fact.by)


async def _lost(on: Agreement, fact: VenueLostV1) -> None:
    forget(on.venue)
    if not on.venue.wants or fact.edition < on.venue.edition:
        return  # given back anyway, or booking is about to answer a newer wish
    if fact.because is VenueLoss.LAPSED and on.venue.state in PENDING:
        # One of the two services was away for so long; nobody has said no.
        await want_anew(on.session, on.venue, now=on.now, ids=on.ids)
    else:
        await lose(on, fact.because, by=fact.by)


async def lose(on: Agreement, because: VenueLoss, *, by: UUID | None) -> None:
    """The room is gone: whoever waited for it is a draft again, whoever people know of stays and says so."""
    forget(on.venue)
    on.venue.state, on.venue.wants = VenueState.LOST, False
    on.venue.lost_because = because
    if on.event is not None and on.publishing:
        await publishing.fall_back(on.session, on.event, because, now=on.now, ids=on.ids)
    elif on.event is not None:
        await publishing.room_lost(on.session, on.event, by=by, now=on.now, ids=on.ids)


async def _freed(on: Agreement, fact: VenueFreedV1) -> None:
    forget(on.venue)
    if fact.edition != on.venue.edition:
        return
    if on.venue.wants:
        await want_anew(on.session, on.venue, now=on.now, ids=on.ids)
    elif on.event is not None and on.publishing and on.event.space is None:
        # Its room was taken away while it waited for it.
        await publishing.become_public(on.session, on.event, by=None, now=on.now, ids=on.ids)


async def _unwanted(on: Agreement, fact: Any) -> bool:
    """True when nothing is wanted; said again unless booking is about to hear it."""
    if on.venue.wants:
        return False
    if fact.edition >= on.venue.edition:
        state = VenueState(on.venue.state)
        await release_anew(on.session, on.venue, now=on.now, ids=on.ids, state=state)
    return True


_ACTS: dict[type[Fact], Callable[[Agreement, Any], Awaitable[None]]] = {
    VenueHeldV1: _held,
    VenueConfirmedV1: _confirmed,
    VenueRefusedV1: _refused,
    VenueMovedV1: _moved,
    VenueLostV1: _lost,
    VenueFreedV1: _freed,
}
