"""Writes small calendar files for tests, line by line as programs in the wild do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from services.cli.calendar.entry import Limits, Reading
from services.cli.calendar.reading import read

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2019, 3, 5, 12, tzinfo=UTC)
REAL_FILE = Path(__file__).parent / "data" / "fablab_cottbus.ics"


def event(*lines: str, uid: str = "one@example.org", title: str = "Meeting") -> list[str]:
    """A VEVENT with these lines beside its UID and SUMMARY."""
    return ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", *lines, "END:VEVENT"]


def calendar(*parts: list[str], head: tuple[str, ...] = ()) -> bytes:
    """A whole file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *head]
    for part in parts:
        lines += part
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def reading_of(
    *parts: list[str], home: ZoneInfo = BERLIN, now: datetime = NOW, limits: Limits | None = None
) -> Reading:
    """What the file with these parts says."""
    return read(calendar(*parts), home=home, now=now, limits=limits)


def utc(*when: int) -> datetime:
    """A moment in UTC."""
    year, month, day, *clock = when
    hour, minute = [*clock, 0, 0][:2]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)
