"""Reading how far the agreement on a room is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Venue
from shared.contracts.events.views import FreeTime, VenueView
from shared.contracts.events.words import VenueState


async def view(session: AsyncSession, event: UUID, zone: ZoneInfo) -> VenueView | None:
    """The agreement on an event's room, times in `zone`; None when none was ever wanted.

    It tells more than everybody may know: the caller shows it to those who run the event.
    """
    venue = await session.scalar(select(Venue).where(Venue.event == event))
    if venue is None:
        return None

    def shown(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(zone)

    return VenueView(
        state=VenueState(venue.state),
        space=venue.space,
        start=shown(venue.starts_at),
        end=shown(venue.ends_at),
        booking=venue.booking,
        because=venue.lost_because if venue.state == VenueState.LOST else venue.refused_because,
        free_times=_free_times(venue, zone),
        free_spaces=tuple(venue.free_spaces),
        bookable_from=shown(venue.bookable_from),
        changed_at=venue.changed_at.astimezone(zone),
    )


def _free_times(venue: Venue, zone: ZoneInfo) -> tuple[FreeTime, ...]:
    """Booking says when they begin; they are as long as the wish was."""
    if venue.starts_at is None or venue.ends_at is None:
        return ()
    length = venue.ends_at - venue.starts_at
    return tuple(
        FreeTime(start=start.astimezone(zone), end=(start + length).astimezone(zone))
        for start in venue.free_starts
    )
