"""After the database went back in time: what others were told of events, places and rooms is stated again as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places
from services.events.commands.comparing import state_again
from services.events.commands.line import fact_of
from services.events.commands.stating import restate_event
from services.events.commands.venues import locked
from services.events.tables import Event, SignUp
from shared.contracts.base import Fact
from shared.contracts.events.facts import (
    EventCancelledV1,
    EventHeldV1,
    EventHiddenV1,
    EventSnapshotV1,
    OfferDeclinedV1,
    OfferLapsedV1,
    PlaceGivenBackV1,
    SignUpSnapshotV1,
)
from shared.contracts.events.words import EventStatus, SignUpStatus
from shared.contracts.streams import EVENT_FACTS, SIGN_UP_FACTS, VENUE_WISHES
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit

_OVER = (EventCancelledV1, EventHeldV1)
_OVER_STATUS = (EventStatus.CANCELLED, EventStatus.HELD)
_WHY_LOST = {
    "sv": "Arrangemanget doldes av huben. Skälet gick förlorat när en äldre databas togs i bruk; fråga huben.",
    "da": "Arrangementet blev skjult af hubben. Begrundelsen gik tabt, da en ældre database blev taget i brug; spørg hubben.",
    "en": "The hub has hidden the event. Its reason was lost when an older database was brought back; ask the hub.",
}
_OUT = (OfferDeclinedV1, OfferLapsedV1, PlaceGivenBackV1)
_OUT_STATUS = (SignUpStatus.DECLINED, SignUpStatus.LAPSED, SignUpStatus.CANCELLED)


async def recollect(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """State each thing as it is now, after the version others have heard; sign-ups before the events they are for."""
    now = clock()
    for fact in facts:
        if isinstance(fact, SIGN_UP_FACTS):
            await _sign_up(session, fact, now=now, ids=ids)
    for fact in facts:
        if isinstance(fact, VENUE_WISHES):
            await _venue(session, fact, now=now, ids=ids)
        elif isinstance(fact, EVENT_FACTS):
            await _event(session, fact, now=now, ids=ids)


async def _event(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """An event nobody remembers does not take place: whoever heard of it hears that it is cancelled."""
    event = await session.get(Event, UUID(told.subject), with_for_update=True)
    if event is not None:
        if isinstance(told, EventHiddenV1):
            await _hide_again(session, event, told)
        event.stated = max(event.stated, told.subject_version) + 1
        await session.flush()
        await restate_event(session, event, now=now, ids=ids)
        return
    over = isinstance(told, _OVER) or (isinstance(told, EventSnapshotV1) and told.status in _OVER_STATUS)
    if over or told.end <= now:
        return
    await emit(session, _again(EventCancelledV1, told, now, ids))


async def _hide_again(session: AsyncSession, event: Event, told: EventHiddenV1) -> None:
    """What the hub had hidden stays so; why is not part of any fact."""
    if event.hidden_at is not None or event.usable_at is None:
        return
    event.hidden_at, event.hidden_by = told.occurred_at, told.by
    event.hidden_reason = _WHY_LOST.get(event.language, _WHY_LOST["en"])
    await session.flush()
    await places.sync(session, event)


async def _sign_up(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """A place nobody remembers is not taken."""
    sign_up = await session.get(SignUp, UUID(told.subject), with_for_update=True)
    if sign_up is not None:
        sign_up.version = max(sign_up.version, told.subject_version) + 1
        await session.flush()
        event = await session.get(Event, sign_up.event)
        start = told.start if event is None else event.starts_at
        fact = fact_of(SignUpSnapshotV1, sign_up, start, by=None, now=now, ids=ids, status=sign_up.status)
        await emit(session, fact)
        return
    out = isinstance(told, _OUT) or (isinstance(told, SignUpSnapshotV1) and told.status in _OUT_STATUS)
    if out or told.start <= now:
        return
    await emit(session, _again(PlaceGivenBackV1, told, now, ids))


async def _venue(session: AsyncSession, told: Any, *, now: datetime, ids: Ids) -> None:
    """Only the version: that the two sides are apart is found by comparing, which asks booking what it holds."""
    venue = await locked(session, told.event)
    if venue is None:
        return
    venue.version = max(venue.version, told.subject_version)
    await session.flush()
    await state_again(session, venue, now=now, ids=ids)


def _again(kind: type[EventCancelledV1 | PlaceGivenBackV1], told: Any, now: datetime, ids: Ids) -> Fact:
    said = {name: getattr(told, name) for name in kind.model_fields if hasattr(told, name)}
    after = {"id": ids(), "occurred_at": now, "subject_version": told.subject_version + 1, "by": None}
    return kind(**said | after)
