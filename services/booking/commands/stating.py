"""Stating what happened to a booking: the one place that turns a row into its fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.tables import Booking, Space
from shared.contracts.base import Fact
from shared.kit.ids import Ids
from shared.kit.outbox import emit

F = TypeVar("F", bound=Fact)


async def state(
    session: AsyncSession, fact: type[F], booking: Booking, *, by: UUID, now: datetime, ids: Ids, **more: Any
) -> None:
    """State `fact` about a booking whose `version` has been counted up for it."""
    await emit(
        session,
        fact(
            id=ids(),
            hub=booking.hub,
            occurred_at=now,
            subject=str(booking.id),
            subject_version=booking.version,
            space=booking.space,
            units=booking.units,
            seats=booking.seats,
            start=booking.starts_at,
            end=booking.ends_at,
            person=booking.person,
            by=by,
            for_event=booking.event,
            imported=booking.calendar is not None,
            **more,
        ),
    )


async def state_next(
    session: AsyncSession, fact: type[F], booking: Booking, *, by: UUID, now: datetime, ids: Ids, **more: Any
) -> None:
    """Count the booking's version up, write its change, and state `fact` about it."""
    booking.version += 1
    await session.flush()
    await state(session, fact, booking, by=by, now=now, ids=ids, **more)


async def state_space(session: AsyncSession, fact: type[F], space: Space, *, now: datetime, ids: Ids) -> None:
    """State `fact` about a space whose `stated` has been counted up for it."""
    await emit(
        session,
        fact(
            id=ids(),
            hub=space.hub,
            occurred_at=now,
            subject=f"{space.hub}/{space.slug}",
            subject_version=space.stated,
            space=space.slug,
            name=space.name,
            kind=space.kind,
            units=space.units,
            capacity=space.capacity,
        ),
    )
