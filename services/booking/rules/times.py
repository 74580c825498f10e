"""Moments, spans, opening hours and the rules about when: computed in the hub's zone, kept in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.booking.rules.refusals import AgainstTheRules, AmbiguousTime, Closed, NoSuchTime, WrongState
from shared.contracts.booking.space_rules import SpaceRules, Weekday
from shared.kit.errors import Invalid

Span = tuple[datetime, datetime]
"""From and until, aware UTC; the end is not part of it."""

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GRACE = timedelta(minutes=15)
"""How long after its start a booking can still be made: somebody is standing at the desk."""
CHECK_IN_EARLY = timedelta(minutes=30)
EARLIEST_YEAR, LATEST_YEAR = 1990, 2200
LONGEST_BOOKING = timedelta(days=400)
"""No booking is longer, imported ones included; lists and look-ups count on it to know how far back to look."""
LONGEST_QUESTION = timedelta(days=62)
"""Availability is asked for at most so long a time."""


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


def span(start: str, end: str, zone: ZoneInfo, *, longest: timedelta = LONGEST_BOOKING) -> Span:
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


def _clock(day: date, text: str, zone: ZoneInfo) -> datetime:
    if text == "24:00":
        return datetime.combine(day + timedelta(days=1), clock_time(), zone).astimezone(UTC)
    return datetime.combine(day, clock_time.fromisoformat(text), zone).astimezone(UTC)


def open_spans(rules: SpaceRules, zone: ZoneInfo, first: date, last: date) -> list[Span]:
    """When the doors are open on these days of the hub's calendar, merged across midnight."""
    spans: list[Span] = []
    closed = frozenset(rules.closed_days)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day in closed:
            continue
        for start, end in _open_on(rules, zone, day):
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], end))
            elif start < end:
                spans.append((start, end))
    return spans


def _open_on(rules: SpaceRules, zone: ZoneInfo, day: date) -> list[Span]:
    if rules.opening_hours is None:
        return [(_clock(day, "00:00", zone), _clock(day, "24:00", zone))]
    intervals = rules.opening_hours.get(WEEKDAYS[day.weekday()], ())
    return sorted((_clock(day, one.opens, zone), _clock(day, one.closes, zone)) for one in intervals)


def is_open(rules: SpaceRules, zone: ZoneInfo, wanted: Span) -> bool:
    """True when the doors are open the whole time."""
    if rules.opening_hours is None and not rules.closed_days:
        return True
    first, last = wanted[0].astimezone(zone).date(), wanted[1].astimezone(zone).date()
    return any(start <= wanted[0] and wanted[1] <= end for start, end in open_spans(rules, zone, first, last))


def check_rules(rules: SpaceRules, zone: ZoneInfo, wanted: Span, now: datetime) -> None:
    """Raises the first rule of the space that stands against a booking of that time made now."""
    start, end = wanted
    minutes = (end - start) / timedelta(minutes=1)
    if minutes < rules.shortest_minutes:
        raise AgainstTheRules(
            "too-short", f"Bookings here last at least {rules.shortest_minutes} minutes.", field="end"
        )
    if minutes > rules.longest_minutes:
        raise AgainstTheRules(
            "too-long", f"Bookings here last at most {rules.longest_minutes} minutes.", field="end"
        )
    if start < now - GRACE or end <= now:
        raise AgainstTheRules("in-the-past", "That time has already begun.", field="start")
    # Days, not hours: "a week ahead" lasts until the end of that day whatever the clocks do in between.
    if start.astimezone(zone).date() > now.astimezone(zone).date() + timedelta(days=rules.days_ahead):
        raise AgainstTheRules(
            "too-far-ahead", f"This can be booked {rules.days_ahead} days ahead.", field="start"
        )
    if not is_open(rules, zone, wanted):
        raise Closed(
            "It is closed for at least a part of that time.",
            field="start",
            open=_opening_around(rules, zone, wanted),
        )


def _opening_around(rules: SpaceRules, zone: ZoneInfo, wanted: Span) -> list[dict[str, str]]:
    day = wanted[0].astimezone(zone).date()
    spans = open_spans(rules, zone, day, day + timedelta(days=7))
    return [shown_span(one, zone) for one in spans[:3]]


def check_makes_sense(rules: SpaceRules) -> None:
    """Invalid when nobody could ever book by these rules, or they say something they cannot mean."""
    if rules.shortest_minutes > rules.longest_minutes:
        raise Invalid(
            "shortest_minutes is more than longest_minutes: nothing could be booked.",
            field="rules.shortest_minutes",
        )
    for day, intervals in (rules.opening_hours or {}).items():
        for one in intervals:
            if one.opens >= one.closes:
                raise Invalid(
                    f"On {day} it opens at {one.opens} and closes at {one.closes}. "
                    f"For hours past midnight write until 24:00, and from 00:00 on the next day.",
                    field=f"rules.opening_hours.{day}",
                )


def shown_span(one: Span, zone: ZoneInfo) -> dict[str, str]:
    """A span for people, in the hub's zone."""
    return {"start": one[0].astimezone(zone).isoformat(), "end": one[1].astimezone(zone).isoformat()}


def check_in_window(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises when it is too early or too late to check in."""
    if now < starts_at - CHECK_IN_EARLY:
        minutes = int(CHECK_IN_EARLY / timedelta(minutes=1))
        raise WrongState(f"It is too early: check-in opens {minutes} minutes before the start.")
    if now >= ends_at:
        raise WrongState("The booking is over.")
