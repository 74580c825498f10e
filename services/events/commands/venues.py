"""Wishing for a room, and wishing for none: the one place that turns a wish into its fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.rules.venues import ANSWER_WITHIN
from services.events.tables import Event, Venue
from shared.contracts.base import Fact
from shared.contracts.events.facts import VenueAcceptedV1, VenueReleasedV1, VenueWantedV1
from shared.contracts.events.words import VenueState
from shared.kit.ids import Ids
from shared.kit.inbox import heard_so_far
from shared.kit.moments import Span
from shared.kit.outbox import emit
from shared.kit.timers import set_timer

F = TypeVar("F", bound=Fact)

FOLLOWS = "events__follows_venues"
UNANSWERED = "venue-unanswered"
"""Timer per event: booking should have answered by now. Its duty locks nothing, so it may be set under any lock."""


async def want(
    session: AsyncSession,
    event: Event,
    *,
    space: str,
    span: Span,
    seats: int | None,
    person: UUID,
    now: datetime,
    ids: Ids,
) -> None:
    """Ask booking for this room, in place of any the event has; what it has stays until booking has answered."""
    venue = await locked(session, event.id)
    if venue is None:
        venue = await unwanted(session, event.hub, event.id, now=now)
        session.add(venue)
    venue.space, venue.seats, venue.person = space, seats, person
    venue.starts_at, venue.ends_at = span
    await want_anew(session, venue, now=now, ids=ids)


async def want_anew(session: AsyncSession, venue: Venue, *, now: datetime, ids: Ids) -> None:
    """State the row's wish as a new one, whatever came of the last."""
    venue.edition += 1
    venue.state, venue.wants = VenueState.WANTED, True
    forget_refusal(venue)
    venue.moved_by = None
    venue.asked_at = now
    await state_wish(
        session,
        VenueWantedV1,
        venue,
        now=now,
        ids=ids,
        space=venue.space,
        start=venue.starts_at,
        end=venue.ends_at,
        seats=venue.seats,
        person=venue.person,
    )
    await _expect_answer(session, venue, now)


async def accept(session: AsyncSession, venue: Venue, *, now: datetime, ids: Ids) -> None:
    """Take the room that is held for the event."""
    venue.state = VenueState.HELD
    await state_wish(session, VenueAcceptedV1, venue, now=now, ids=ids)
    await _expect_answer(session, venue, now)


async def release(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    """Give the room back; nothing wanted or booked: nothing happens."""
    venue = await locked(session, event.id)
    if venue is not None and (venue.wants or venue.booking is not None):
        await release_anew(session, venue, now=now, ids=ids)


async def release_anew(
    session: AsyncSession,
    venue: Venue,
    *,
    now: datetime,
    ids: Ids,
    state: VenueState = VenueState.RELEASED,
) -> None:
    """State that nothing is wanted, whatever was said before; `state` is what its organisers see."""
    venue.edition += 1
    venue.state, venue.wants = state, False
    await state_wish(session, VenueReleasedV1, venue, now=now, ids=ids)


async def state_wish(
    session: AsyncSession, fact: type[F], venue: Venue, *, now: datetime, ids: Ids, **more: Any
) -> None:
    """Count our facts about the venue up and state `fact`."""
    venue.version += 1
    venue.changed_at = now
    await session.flush()
    await emit(session, wish(fact, venue, now=now, ids=ids, **more))


def wish(fact: type[F], venue: Venue, *, now: datetime, ids: Ids, **more: Any) -> F:
    """`fact` about a venue whose `version` has been counted up for it."""
    return fact(
        id=ids(),
        hub=venue.hub,
        occurred_at=now,
        subject=f"{venue.event}/venue",
        subject_version=venue.version,
        event=venue.event,
        edition=venue.edition,
        **more,
    )


async def locked(session: AsyncSession, event: UUID) -> Venue | None:
    """The event's row, kept for us and as it is now; whoever takes it holds the event's row already."""
    found = select(Venue).where(Venue.event == event).with_for_update()
    return await session.scalar(found.execution_options(populate_existing=True))


async def unwanted(session: AsyncSession, hub: str, event: UUID, *, now: datetime, before: int = 0) -> Venue:
    """A row for an event that has never wished for a room.

    If there was one and it is gone, it had heard what the order of facts has let pass, but for the one with the version
    `before` that is being acted on.
    """
    heard = await heard_so_far(session, FOLLOWS, hub, f"{event}/venue")
    return Venue(
        event=event,
        hub=hub,
        edition=0,
        state=VenueState.RELEASED,
        wants=False,
        free_starts=[],
        free_spaces=[],
        version=0,
        heard=0 if heard == before else heard,
        changed_at=now,
    )


def forget_refusal(venue: Venue) -> None:
    """What was refused is no news any more."""
    venue.refused_because = venue.bookable_from = None
    venue.free_starts, venue.free_spaces = [], []


async def _expect_answer(session: AsyncSession, venue: Venue, now: datetime) -> None:
    await set_timer(session, UNANSWERED, str(venue.event), now + ANSWER_WITHIN)
