"""iCalendar files (RFC 5545, RFC 7986): the same events give the same bytes, whoever asks and whenever."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vDuration, vText

from services.events.rules.zones import vtimezone

PRODUCT = "-//Foci//events//EN"
REFRESH = timedelta(hours=1)
MOST_ENTRIES = 1000
MOST_BYTES = 900_000
"""Of the text as it travels in an answer; a message on the bus has 1 MiB."""
LONGEST_TEXT = 400
"""Characters of an event's text in a feed; the single event has all of it."""
CONFIRMED, TENTATIVE, CANCELLED = "CONFIRMED", "TENTATIVE", "CANCELLED"

_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# RFC 5545 has no way to write them; what people gave is kept as visible signs before it comes here.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BEFORE_EVENTS = b"END:VCALENDAR\r\n"


@dataclass(frozen=True)
class Entry:
    """One date of the programme as a calendar shows it.

    `stamp` is when it last changed, `sequence` counts changes of time, place and state; `zone` is the one its
    wall times are written in. `conference` is an address to take part at a distance. `status` is one of
    CONFIRMED, TENTATIVE and CANCELLED.
    """

    id: UUID
    title: str
    text: str
    start: datetime
    end: datetime
    zone: str
    stamp: datetime
    status: str = CONFIRMED
    sequence: int = 0
    location: str | None = None
    url: str | None = None
    conference: str | None = None
    categories: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True)
class _Written:
    entry: Entry
    raw: bytes


def calendar_of(
    name: str, entries: Iterable[Entry], *, refresh: timedelta = REFRESH, left_out: int = 0
) -> bytes:
    """A calendar of these entries, as many of the first ones as fit; `left_out` were never asked for.

    How many are missing stands in X-FOCI-LEFT-OUT. Programs look again after `refresh`.
    """
    written = [_Written(entry, _event(entry)) for entry in entries]
    shown = _fitting(written)
    missing = left_out + len(written) - len(shown)
    head = _head(name, refresh, missing)
    for zone, first, last in _zones(shown):
        head.add_component(vtimezone(zone, first, last))
    body = head.to_ical().removesuffix(_BEFORE_EVENTS)
    return b"".join((body, *(one.raw for one in shown), _BEFORE_EVENTS))


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, or as much of it as a feed carries."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _head(name: str, refresh: timedelta, missing: int) -> Calendar:
    # Not Calendar.new: it gives every rendering a UID of its own.
    head = Calendar()
    head.add("VERSION", "2.0")
    head.add("PRODID", PRODUCT)
    head.add("CALSCALE", "GREGORIAN")
    for title in ("NAME", "X-WR-CALNAME"):
        head.add(title, vText(_text(name)))  # the library knows neither and would write it unescaped
    head.add("REFRESH-INTERVAL", refresh, parameters={"VALUE": "DURATION"})
    head.add("X-PUBLISHED-TTL", vDuration(refresh).to_ical().decode())  # type: ignore[no-untyped-call]  # it has no types
    if missing:
        head.add("X-FOCI-LEFT-OUT", str(missing))
    return head


@lru_cache(maxsize=8192)
def _event(entry: Entry) -> bytes:
    """Remembered: a third of a millisecond each, and where one date changes a thousand stay as they were."""
    zone = ZoneInfo(entry.zone)
    event = Event()
    event.add("UID", f"{entry.id}@foci")
    event.add("DTSTAMP", entry.stamp.astimezone(UTC))
    event.add("LAST-MODIFIED", entry.stamp.astimezone(UTC))
    event.add("SEQUENCE", entry.sequence)
    event.add("STATUS", entry.status)
    event.add("DTSTART", _written_time(entry.start, zone))
    event.add("DTEND", _written_time(entry.end, zone))
    event.add("SUMMARY", _text(entry.title))
    for name, text in (
        ("DESCRIPTION", entry.text),
        ("LOCATION", entry.location or entry.conference),
        ("COMMENT", entry.comment),
    ):
        if text:
            event.add(name, _text(text))
    if entry.url:
        event.add("URL", entry.url)
    if entry.conference:
        event.add("CONFERENCE", entry.conference, parameters={"VALUE": "URI"})
    if entry.categories:
        event.add("CATEGORIES", [_text(one) for one in entry.categories])
    raw: bytes = event.to_ical()
    return raw


def _written_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """Wall time; UTC for the second run of a doubled hour, which RFC 5545 cannot write as wall time."""
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if local.fold else local


def _text(given: str) -> str:
    return _UNWRITABLE.sub("\ufffd", _BREAKS.sub("\n", given))


def _fitting(written: Sequence[_Written]) -> list[_Written]:
    room = MOST_BYTES
    shown: list[_Written] = []
    for one in written[:MOST_ENTRIES]:
        room -= len(json.dumps(one.raw.decode(), ensure_ascii=False).encode())
        if room < 0:
            break
        shown.append(one)
    return shown


def _zones(written: Iterable[_Written]) -> list[tuple[str, date, date]]:
    """Each zone with the first and last day it is needed for."""
    days: dict[str, tuple[date, date]] = {}
    for entry in (one.entry for one in written):
        first, last = entry.start.date(), entry.end.date()
        known = days.get(entry.zone, (first, last))
        days[entry.zone] = (min(first, known[0]), max(last, known[1]))
    return [(zone, *span) for zone, span in sorted(days.items())]
