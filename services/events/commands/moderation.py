"""Approving, returning, hiding and showing events, and the author's answer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import places
from services.events.commands.loading import load
from services.events.commands.publishing import go
from services.events.commands.stating import state_event, touch
from services.events.rules.authority import is_staff, viewer_of
from services.events.rules.refusals import EventState
from services.events.tables import Event, Refusal
from shared.contracts.events.facts import EventHiddenV1, EventReturnedV1, EventShownV1
from shared.contracts.events.words import OPEN, EventStatus
from shared.kit.errors import Forbidden
from shared.kit.ids import Ids
from shared.kit.principal import Principal

APPROVAL, HIDDEN = "approval", "hidden"


async def load_as_staff(session: AsyncSession, hub: str, event: UUID, who: Principal) -> Event:
    """The event, locked, for the hub's staff; NotFound for who may not see it, Forbidden for everybody else."""
    found = await load(session, hub, event, who)
    if not is_staff(viewer_of(who, hub)):
        raise Forbidden("Only the hub's staff approve, return, hide and show events.")
    return found


async def approve(session: AsyncSession, event: Event, *, by: UUID, now: datetime, ids: Ids) -> None:
    """Let it be published; approving twice changes nothing."""
    if event.status in {*OPEN, EventStatus.PUBLISHING}:
        return
    _refuse_unless(event, EventStatus.AWAITING, "approved")
    await go(session, event, by=by, now=now, ids=ids)


async def give_back(
    session: AsyncSession, event: Event, reason: str, *, by: UUID, now: datetime, ids: Ids
) -> None:
    """Do not approve: the author reads why, changes it and asks again."""
    _refuse_unless(event, EventStatus.AWAITING, "returned")
    event.status = EventStatus.DRAFT
    event.returned_reason = reason
    session.add(Refusal(id=ids(), hub=event.hub, event=event.id, at=now, because=APPROVAL, by=by))
    await state_event(session, EventReturnedV1, event, by=by, now=now, ids=ids)


async def hide(
    session: AsyncSession, event: Event, reason: str, *, by: UUID, now: datetime, ids: Ids
) -> None:
    """Hide what was published, with a reason; nobody signs up meanwhile. Hiding twice changes nothing."""
    if event.hidden_at is not None:
        return
    if event.usable_at is None or event.status not in {*OPEN, EventStatus.HELD, EventStatus.CANCELLED}:
        raise EventState("Only what has been published can be hidden.")
    event.hidden_at, event.hidden_by, event.hidden_reason = now, by, reason
    session.add(Refusal(id=ids(), hub=event.hub, event=event.id, at=now, because=HIDDEN, by=by))
    await session.flush()
    await places.sync(session, event)
    await state_event(session, EventHiddenV1, event, by=by, now=now, ids=ids)


async def show(session: AsyncSession, event: Event, *, by: UUID, now: datetime, ids: Ids) -> None:
    """Show it again; showing what is not hidden changes nothing."""
    if event.hidden_at is None:
        return
    event.hidden_at = event.hidden_by = event.hidden_reason = event.hidden_answer = None
    await session.flush()
    await places.sync(session, event)
    await state_event(session, EventShownV1, event, by=by, now=now, ids=ids)


async def answer(session: AsyncSession, event: Event, said: str, *, now: datetime) -> None:
    """What the author says to the hub's reason; the last answer stands."""
    if event.hidden_at is None:
        raise EventState("The event is not hidden: there is nothing to answer.")
    if event.hidden_answer != said:
        event.hidden_answer = said
        touch(event, now)
        await session.flush()


def _refuse_unless(event: Event, status: EventStatus, done: str) -> None:
    if event.status != status:
        raise EventState(f"An event that is {event.status} cannot be {done}.")
