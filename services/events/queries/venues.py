"""Reading how far the agreement on a room is, as a part of reading the event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contracts.events.views import FreeTime, VenueView
from shared.contracts.events.words import VenueState

COLUMNS = """
    v.state AS venue_state, v.space AS venue_space, v.starts_at AS venue_starts_at, v.ends_at AS venue_ends_at, v.booking,
    v.lost_because, v.refused_because, v.free_starts, v.free_spaces, v.bookable_from, v.changed_at AS venue_changed_at
"""
"""What `view` needs of a row, over `venue v`, which has none for an event that never wanted a room."""


def view(row: Mapping[Any, Any], zone: ZoneInfo) -> VenueView | None:
    """The agreement on an event's room, times in `zone`; None when none was ever wanted.

    It tells more than everybody may know: the caller shows it to those who run the event.
    """
    if row["venue_state"] is None:
        return None

    def shown(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.astimezone(zone)

    state = VenueState(row["venue_state"])
    return VenueView(
        state=state,
        space=row["venue_space"],
        start=shown(row["venue_starts_at"]),
        end=shown(row["venue_ends_at"]),
        booking=row["booking"],
        because=row["lost_because"] if state is VenueState.LOST else row["refused_because"],
        free_times=_free_times(row, zone),
        free_spaces=tuple(row["free_spaces"]),
        bookable_from=shown(row["bookable_from"]),
        changed_at=row["venue_changed_at"].astimezone(zone),
    )


def _free_times(row: Mapping[Any, Any], zone: ZoneInfo) -> tuple[FreeTime, ...]:
    """Booking says when they begin; they are as long as the wish was."""
    if row["venue_starts_at"] is None or row["venue_ends_at"] is None:
        return ()
    length = row["venue_ends_at"] - row["venue_starts_at"]
    return tuple(
        FreeTime(start=start.astimezone(zone), end=(start + length).astimezone(zone))
        for start in row["free_starts"]
    )
