"""Moments and spans as people say them: read in a place's zone, kept in UTC, refused where the clocks jump."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.kit.errors import Invalid

Span = tuple[datetime, datetime]
"""From and until, aware UTC; the end is not part of it."""

EARLIEST_YEAR, LATEST_YEAR = 1990, 2200
LONGEST_SPAN = timedelta(days=400)
"""No span is longer unless its reader says so."""


class NoSuchTime(Invalid):
    """The clocks skip that wall time."""

    code = "time-does-not-exist"
    title = "That time does not exist there"


class AmbiguousTime(Invalid):
    """The clocks show that wall time twice."""

    code = "time-exists-twice"
    title = "That time exists twice there"


def moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    """The UTC moment meant by a time with offset, or by wall time in the hub's zone.

    Raises NoSuchTime or AmbiguousTime with the valid choices where the clocks jump (RFC 5545 leaves both to
    guessing; people who meet at a door must not guess), Invalid when it is no time at all.
    """
    parsed = _parsed(text)
    if parsed is None or not EARLIEST_YEAR <= parsed.year < LATEST_YEAR:
        raise Invalid(
            f"{field} must be a time such as 2027-03-01T10:00:00+01:00, or 2027-03-01T10:00 in the hub's zone.",
            field=field,
        )
    return _from_wall(parsed, zone, field) if parsed.tzinfo is None else parsed.astimezone(UTC)


# The library reads more than people mean: a date alone as midnight, week dates, a NUL at the end.
_WRITTEN = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def _parsed(text: str) -> datetime | None:
    if _WRITTEN.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def check_zone(name: str) -> None:
    """Invalid when this machine knows no such time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone this release knows.", field="time_zone") from None


def _from_wall(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    choices = sorted({first.astimezone(UTC), second.astimezone(UTC)})
    shown = [choice.astimezone(zone).isoformat() for choice in choices]
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
        raise AmbiguousTime(
            f"{wall.isoformat()} happens twice in {zone.key}: the clocks go back. Choose {' or '.join(shown)}.",
            field=field,
            choices=shown,
        )
    raise NoSuchTime(
        f"{wall.isoformat()} does not exist in {zone.key}: the clocks go forward. Choose {' or '.join(shown)}.",
        field=field,
        choices=shown,
    )


def span(start: str, end: str, zone: ZoneInfo, *, longest: timedelta = LONGEST_SPAN) -> Span:
    """Both ends as UTC moments; Invalid when the end is not after the start, or far too long after it."""
    begins, ends = moment(start, zone, "start"), moment(end, zone, "end")
    if ends <= begins:
        raise Invalid("end must be after start.", field="end")
    if ends - begins > longest:
        raise Invalid(f"end may be at most {longest.days} days after start.", field="end")
    return begins, ends


def storable(given: datetime, field: str) -> datetime:
    """An aware moment as UTC; Invalid at the edge of the calendar, where neither we nor the database can reckon."""
    if not 1 < given.year < 9999:
        raise Invalid(f"{field} is too far away.", field=field)
    return given.astimezone(UTC)
