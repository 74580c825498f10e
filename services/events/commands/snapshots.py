"""Stating again what is: for read models that are new or were rebuilt, and for comparing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.comparing import AT_ONCE, mend_own, state_again
from services.events.commands.line import fact_of
from services.events.commands.stating import restate_event
from services.events.rules.venues import STILL_OF_INTEREST
from services.events.tables import Event, SignUp, Venue
from shared.contracts.events.facts import SignUpSnapshotV1
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

FIRST = UUID(int=0)


async def restate_events(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next events that anybody has been told of and that are not over yet: how many, and where to go on."""
    now = clock()
    following = select(Event).where(Event.id > _beginning(after), Event.stated > 0, Event.ends_at > now)
    events = (await session.scalars(following.order_by(Event.id).limit(AT_ONCE))).all()
    for event in events:
        await restate_event(session, event, now=now, ids=ids)
    return len(events), _following([event.id for event in events])


async def restate_sign_ups(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next sign-ups for what is not over yet: how many, and where to go on."""
    now = clock()
    following = (
        select(SignUp, Event.starts_at)
        .join(Event, Event.id == SignUp.event)
        .where(SignUp.id > _beginning(after), Event.ends_at > now)
    )
    found = (await session.execute(following.order_by(SignUp.id).limit(AT_ONCE))).all()
    for sign_up, start in found:
        fact = fact_of(SignUpSnapshotV1, sign_up, start, by=None, now=now, ids=ids, status=sign_up.status)
        await emit(session, fact)
    return len(found), _following([sign_up.id for sign_up, _ in found])


async def restate_venues(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next wishes that matter as they are: how many, and where to go on.

    They are read without locking: a snapshot that is overtaken while it is on its way does no harm. First, what is apart
    among our own rows is mended.
    """
    now = clock()
    if not after:
        await mend_own(session, now=now, ids=ids)
    venues = await _venues(session, _beginning(after), now)
    for venue in venues:
        await state_again(session, venue, now=now, ids=ids)
    return len(venues), _following([venue.event for venue in venues])


async def _venues(session: AsyncSession, after: UUID, now: datetime) -> list[Venue]:
    matters = (Venue.wants & (Venue.ends_at > now)) | (Venue.changed_at > now - STILL_OF_INTEREST)
    following = select(Venue).where(Venue.event > after, Venue.version > 0, matters)
    return list((await session.scalars(following.order_by(Venue.event).limit(AT_ONCE))).all())


def _beginning(after: str) -> UUID:
    return UUID(after) if after else FIRST


def _following(ids: list[UUID]) -> str | None:
    return str(ids[-1]) if len(ids) == AT_ONCE else None
