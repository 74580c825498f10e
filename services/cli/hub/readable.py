"""The same once more for people and other programs: tables as CSV, bookings and events as iCalendar."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from icalendar import Calendar, Event

Row = Mapping[str, Any]
TABLES = {
    ("directory", "people"): ("id", "name", "email", "language"),
    ("directory", "memberships"): ("person", "role", "since"),
    ("directory", "organisations"): ("id", "name", "kind", "website"),
    ("booking", "spaces"): ("slug", "name", "kind", "capacity", "active"),
    ("booking", "bookings"): ("id", "space", "starts_at", "ends_at", "seats", "status", "title", "person", "created_at"),
    ("events", "events"): ("id", "status", "kind", "starts_at", "ends_at", "space", "address", "visibility"),
    ("events", "sign-ups"): ("id", "event", "person", "way", "seats", "status", "came_at"),
}  # fmt: skip
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LIVE = frozenset({"held", "confirmed", "checked_in", "checked_out"})
_SEEN = frozenset({"published", "changed", "held"})


def as_csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """RFC 4180 with a header; what a spreadsheet would take for a formula is marked as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(_RISKY) else text


def as_calendar(name: str, entries: Sequence[Event]) -> bytes:
    """RFC 5545, times in UTC."""
    calendar = Calendar()
    calendar.add("prodid", "-//Foci//hub export//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    for entry in entries:
        calendar.add_component(entry)
    written: bytes = calendar.to_ical()
    return written


def of_bookings(rows: Sequence[Row]) -> list[Event]:
    """Bookings that took or will take place."""
    return [_entry(row, row["title"] or row["space"], row["space"]) for row in rows if row["status"] in _LIVE]


def of_events(rows: Sequence[Row]) -> list[Event]:
    """Events that people could or can see."""
    return [
        _entry(row, _title(row), row["space"] or row["address"]) for row in rows if row["status"] in _SEEN
    ]


def _title(row: Row) -> str:
    texts = row["texts"] or {}
    said: Any = texts.get(row["language"]) or next(iter(texts.values()), {})
    return str(said.get("title", "")) if isinstance(said, Mapping) else str(said)


def _entry(row: Row, title: str, place: str | None) -> Event:
    entry = Event()
    entry.add("uid", f"{row['id']}@foci")
    entry.add("dtstamp", datetime.fromisoformat(row["created_at"]).astimezone(UTC))
    entry.add("dtstart", datetime.fromisoformat(row["starts_at"]).astimezone(UTC))
    entry.add("dtend", datetime.fromisoformat(row["ends_at"]).astimezone(UTC))
    entry.add("summary", title)
    if place:
        entry.add("location", place)
    return entry
