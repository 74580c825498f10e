"""Finding the event somebody means, if they may see it or run it."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.rules.authority import may_run, may_see, viewer_of
from services.events.tables import Event, Hub, Organiser, Series
from shared.kit.errors import Forbidden, NotFound, VersionMismatch
from shared.kit.principal import Principal

R = TypeVar("R", Event, Series)


def no_such_event(event: UUID) -> NotFound:
    """Said alike when there is none and when it is not yours to see."""
    return NotFound(f"There is no event {event} here.")


async def load(
    session: AsyncSession, hub: str, event: UUID, who: Principal | None, *, lock: bool = True
) -> Event:
    """The event, locked for a change; NotFound unless it may be seen."""
    found, _ = await _load(session, hub, event, who, lock=lock)
    return found


async def load_to_run(session: AsyncSession, hub: str, event: UUID, who: Principal) -> Event:
    """The event, locked; NotFound unless it may be seen, Forbidden unless one may run it."""
    found, organisers = await _load(session, hub, event, who, lock=True)
    if not may_run(viewer_of(who, hub), organisers):
        raise Forbidden("Only those who organise the event, and the hub's staff, may do this.")
    return found


async def _load(
    session: AsyncSession, hub: str, event: UUID, who: Principal | None, *, lock: bool
) -> tuple[Event, tuple[Organiser, ...]]:
    wanted = select(Event).where(Event.hub == hub, Event.id == event)
    wanted = wanted.execution_options(populate_existing=True)
    found = await session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise no_such_event(event)
    organisers = await organisers_of(session, event)
    if not may_see(viewer_of(who, hub), found, organisers):
        raise no_such_event(event)
    return found, organisers


async def locked_for_duty(session: AsyncSession, row: type[R], key: UUID) -> tuple[R | None, bool]:
    """The row, locked, if nobody else has it; and whether it is there but in somebody's hands.

    A duty holds its timer, and whoever holds the row may be about to move that timer: the duty must never wait for them.
    """
    wanted = select(row).where(row.id == key)
    found = await session.scalar(
        wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    )
    if found is not None:
        return found, False
    return None, await session.scalar(select(row.id).where(row.id == key)) is not None


async def organisers_of(session: AsyncSession, event: UUID) -> tuple[Organiser, ...]:
    """Who organises it."""
    found = select(Organiser).where(Organiser.event == event).order_by(Organiser.kind, Organiser.id)
    return tuple((await session.scalars(found)).all())


async def hub_of(session: AsyncSession, hub: str) -> Hub:
    """The hub; NotFound when events has not heard of it."""
    found = await session.get(Hub, hub)
    if found is None:
        raise NotFound(f"There is no hub {hub}.", field="hub")
    return found


def refuse_stale(what: str, present: int, wanted: int) -> None:
    """VersionMismatch when somebody has changed it since the caller read it."""
    if present != wanted:
        raise VersionMismatch(f"The {what} is at version {present} now. Read it again, then decide.")
