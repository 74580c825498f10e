"""Parses single events and sets every time in them into a known zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias, TypedDict

from icalendar import Event

from services.cli.calendar.entry import NotUnderstoodError, one_line, some_lines
from services.cli.calendar.lines import DETAILS
from services.cli.calendar.zones import Zones

ParsedEvent: TypeAlias = Any
"""An icalendar Event: each of its properties may be any of thirty types, which `settle` narrows down."""

_ONCE = ("UID", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "SUMMARY", "STATUS", "TRANSP", "SEQUENCE")
_LONGEST_UID = 500
_LINK = re.compile(r"https?://[^\s<>\"]{1,500}")
_LONGEST_TAG, _MOST_TAGS = 40, 20


class Details(TypedDict):
    """What an entry says beside its time and title."""

    text: str
    location: str
    link: str
    tags: tuple[str, ...]


def parsed(lines: list[str]) -> ParsedEvent:
    """The event these content lines say, before anything in it is believed."""
    return Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))


def nameplate(lines: list[str]) -> ParsedEvent:
    """UID and SUMMARY alone, of an event whose other lines cannot even be parsed."""
    return parsed([line for line in lines if line.upper().startswith(("UID", "SUMMARY"))])


def uid_of(event: ParsedEvent) -> str:
    """The UID by which an entry is recognised again."""
    uid = "" if isinstance(event.get("UID"), list) else str(event.get("UID", "")).strip()
    if not uid:
        raise NotUnderstoodError("it has no UID, so it could not be kept in step")
    if len(uid) > _LONGEST_UID or uid != one_line(uid, _LONGEST_UID):
        raise NotUnderstoodError(f"its UID has control characters or is longer than {_LONGEST_UID}")
    return uid


def title_of(event: ParsedEvent) -> str:
    """The SUMMARY on one line; empty when there is none."""
    summary = event.get("SUMMARY")
    return "" if summary is None or isinstance(summary, list) else one_line(str(summary))


def details_of(event: ParsedEvent) -> Details:
    """Text, place, link and tags as the API takes them: shortened, and what is no web address left out."""
    link = one_line(_said(event, "URL"), 600)
    tags = (
        one_line(str(tag), _LONGEST_TAG) for one in _as_list(event.get("CATEGORIES")) for tag in _tags(one)
    )
    return {
        "text": some_lines(_said(event, "DESCRIPTION")),
        "location": one_line(_said(event, "LOCATION")),
        "link": link if _LINK.fullmatch(link) else "",
        "tags": tuple(dict.fromkeys(tag for tag in tags if tag))[:_MOST_TAGS],
    }


def _said(event: ParsedEvent, name: str) -> str:
    """The first one where a property that may stand once stands twice."""
    return str(next(iter(_as_list(event.get(name))), ""))


def _tags(categories: Any) -> list[Any]:
    return list(getattr(categories, "cats", ()))


def start_of(event: ParsedEvent, zones: Zones) -> datetime | None:
    """When it starts, for a report about an entry that may be broken everywhere."""
    start = getattr(event.get("DTSTART"), "dt", None) if not event.errors else None
    try:
        return instant(start, zones) if isinstance(start, date) else None
    except (NotUnderstoodError, OverflowError):
        return None


def settle(event: ParsedEvent, zones: Zones) -> None:
    """Check that the event is whole, and give every time in it its zone."""
    _check_whole(event)
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        if name in event:
            event[name].dt = _settled(event[name].dt, event[name].params, zones)
    for name in ("RDATE", "EXDATE"):
        for dates in _as_list(event.get(name)):
            for each in dates.dts:
                each.dt = _settled(each.dt, dates.params, zones)
    _check_span(event)


def _check_whole(event: ParsedEvent) -> None:
    for error in event.errors:
        if error[0] not in DETAILS:
            raise NotUnderstoodError(_complaint(error))
    for name in _ONCE:
        if isinstance(event.get(name), list):
            raise NotUnderstoodError(f"it has more than one {name}")
    if "DTSTART" not in event:
        raise NotUnderstoodError("it has no DTSTART")
    if "EXRULE" in event:
        raise NotUnderstoodError("it excludes times by an EXRULE, which is obsolete and not supported")
    for name in ("COUNT", "INTERVAL"):
        if any(number < 1 for rule in rules_of(event) for number in rule.get(name, [])):
            raise NotUnderstoodError(f"its RRULE has a {name} below 1")


def rules_of(event: ParsedEvent) -> list[Any]:
    """Its RRULEs, parsed."""
    return _as_list(event.get("RRULE"))


def instant(value: date, zones: Zones) -> datetime:
    """A moment in UTC; a day begins at midnight in the hub's zone, and a time without zone is the hub's."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=zones.home)
    elif value.tzinfo is None:
        value = value.replace(tzinfo=zones.home)
    return value.astimezone(UTC)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _settled(value: Any, params: Any, zones: Zones) -> Any:
    if isinstance(value, tuple):
        first, second = value
        return _settled(first, params, zones), _settled(second, params, zones)
    if isinstance(value, timedelta) or not isinstance(value, date):
        return value
    if params.get("VALUE") == "DATE" and isinstance(value, datetime):
        return value.date()  # the parser makes a whole day with a TZID into a midnight
    if isinstance(value, datetime) and value.tzinfo is None:
        tzid = params.get("TZID")
        return value.replace(tzinfo=zones.named(str(tzid)) if tzid else zones.home)
    return value


def _check_span(event: ParsedEvent) -> None:
    start = event["DTSTART"].dt
    whole_days = not isinstance(start, datetime)
    if not isinstance(start, date):
        raise NotUnderstoodError("its DTSTART is not a date or time")
    length = _length(event, start, whole_days=whole_days)
    if length < timedelta():
        raise NotUnderstoodError("it ends before it starts")
    if not length:
        raise NotUnderstoodError("it takes no time: it has no end, or ends when it starts")


def _length(event: ParsedEvent, start: date, *, whole_days: bool) -> timedelta:
    if "DTEND" in event and "DURATION" in event:
        raise NotUnderstoodError("it has both DTEND and DURATION")
    if "DTEND" in event:
        end = event["DTEND"].dt
        if not isinstance(end, date) or isinstance(end, datetime) == whole_days:
            raise NotUnderstoodError("it starts with a whole day and ends at a time, or the other way round")
        if isinstance(end, datetime) and isinstance(start, datetime):
            return end.astimezone(UTC) - start.astimezone(UTC)
        return end - start
    if "DURATION" in event:
        length = event["DURATION"].dt
        if not isinstance(length, timedelta) or (whole_days and length.seconds):
            raise NotUnderstoodError("its DURATION does not fit its start")
        return length
    return timedelta(days=1) if whole_days else timedelta()


def _complaint(error: tuple[str | None, str]) -> str:
    name, text = error
    return f"{name}: {one_line(text, 120)}" if name else f"a line in it is malformed: {one_line(text, 120)}"
