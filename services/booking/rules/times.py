"""Opening hours and the rules about when: computed in the hub's zone, kept in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from services.booking.rules.refusals import AgainstTheRules, Closed, WrongState
from shared.contracts.booking.space_rules import SpaceRules, Weekday
from shared.kit.errors import Invalid
from shared.kit.moments import LONGEST_SPAN, Span

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GRACE = timedelta(minutes=15)
"""How long after its start a booking can still be made: somebody is standing at the desk."""
CHECK_IN_EARLY = timedelta(minutes=30)
LONGEST_BOOKING = LONGEST_SPAN
"""No booking is longer, imported ones included; lists and look-ups count on it to know how far back to look."""
LONGEST_QUESTION = timedelta(days=62)
"""Availability is asked for at most so long a time."""


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
