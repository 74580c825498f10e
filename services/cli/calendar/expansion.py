"""Turns a series into its occurrences, stopping at the limit while counting and not after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Calendar
from recurring_ical_events import CalendarQuery

from services.cli.calendar.entry import NotUnderstoodError
from services.cli.calendar.events import ParsedEvent, instant, rules_of
from services.cli.calendar.zones import Zones

_MARGIN = timedelta(days=366)


class TooManyError(Exception):
    """The series has more occurrences than there is room for."""


def horizon(now: datetime, months: int, zones: Zones) -> datetime:
    """Up to where endless rules are expanded: midnight so many months after today."""
    today = now.astimezone(zones.home).date()
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    day = next(day for day in (today.day, 30, 29, 28) if day <= today.day and _exists(year, month + 1, day))
    return datetime(year, month + 1, day, tzinfo=zones.home)


def expanded(events: list[ParsedEvent], until: datetime, room: int, zones: Zones) -> list[ParsedEvent]:
    """The occurrences of one entry, overrides applied; endless rules stop at `until`."""
    calendar = Calendar()
    for event in events:
        calendar.add_component(event)
    query = CalendarQuery(calendar)
    endless = any("COUNT" not in rule and "UNTIL" not in rule for event in events for rule in rules_of(event))
    starts = _starts(query, until if endless else None, room, zones)
    times = [instant(time, zones) for time in (*(event["DTSTART"].dt for event in events), *starts)]
    # A finite rule ends by itself, so the window may be wide; overrides may lie outside the rule.
    first = min(times) - _MARGIN
    last = until if endless else max(times) + _MARGIN
    return [] if first >= last else list(query.between(first.astimezone(zones.home), last))


def _starts(query: CalendarQuery, until: datetime | None, room: int, zones: Zones) -> tuple[Any, ...]:
    """First and last start by the rules, counted one by one: a rule may name every second."""
    starts: set[Any] = set()  # the first one comes twice: by itself and by its rule
    for start in _rule_starts(query, until, zones):
        starts.add(start)
        if len(starts) > room:
            raise TooManyError
    return (min(starts), max(starts)) if starts else ()


def _rule_starts(query: CalendarQuery, until: datetime | None, zones: Zones) -> Iterator[datetime]:
    for series in query.series:
        for rule in getattr(series.recurrence, "rrules", ()):
            for start in rule:
                if until is not None and instant(start, zones) >= until:
                    break
                yield start


def identity(occurrence: ParsedEvent, events: list[ParsedEvent]) -> str:
    """Which of its series it is: the start before any override; empty when it does not recur."""
    alone = len(events) == 1 and not any(name in events[0] for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    if alone:
        return ""
    original = occurrence["RECURRENCE-ID"]
    if original.params.get("RANGE") == "THISANDFUTURE":
        return stamp(_unshifted(occurrence, original, events))
    return stamp(original.dt)


def _unshifted(occurrence: ParsedEvent, original: Any, events: list[ParsedEvent]) -> date:
    """Take back by how much "this and all following" moved the rest of a series."""
    for event in events:
        if "RECURRENCE-ID" in event and event["RECURRENCE-ID"].dt == original.dt:
            shift = event["DTSTART"].dt - original.dt
            unshifted: date = occurrence["DTSTART"].dt - shift
            return unshifted
    raise NotUnderstoodError("it changes an occurrence that is not in the file")


def stamp(value: date) -> str:
    """A start as iCalendar writes it, in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return value.strftime("%Y%m%d")


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
