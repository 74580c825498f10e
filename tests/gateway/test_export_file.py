"""The file of an export: written a page at a time, one file for each table, and a calendar that promises nothing uncertain."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from icalendar import Calendar

from services.gateway.routes.export_file import ExportFile, ExportTooLarge
from shared.contracts.booking.words import BookingStatus
from shared.contracts.events.words import SignUpStatus
from shared.contracts.exporting import ExportedRow

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
START, END = "2027-03-08T18:00:00+00:00", "2027-03-08T20:00:00+00:00"
CERTAIN = {"confirmed", "checked_in", "checked_out", "attending"}
OFF = {"cancelled", "expired", "declined", "lapsed"}


def row(table: str, **values: Any) -> ExportedRow:
    """A line of a table."""
    return ExportedRow(table=table, line=json.dumps(values))


def dated(number: int, status: str, **more: Any) -> dict[str, Any]:
    """Something at a time; its summary is its status."""
    when = {"created_at": START, "starts_at": START, "ends_at": END}
    return {
        "id": str(UUID(int=number)),
        "hub": "nordviken",
        "status": status,
        "title": status,
        **when,
        **more,
    }


def read(file: ExportFile) -> dict[str, str]:
    """What is in the file, by name; no name twice."""
    with file.finish() as made, ZipFile(made) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        assert {entry.date_time for entry in archive.infolist()} == {NOW.timetuple()[:6]}
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_table_that_comes_in_several_pages_is_one_file() -> None:
    file = ExportFile(NOW)
    file.take("directory", [row("person", language="da-DK"), row("look", n=1)])
    file.take("directory", [row("look", n=2)])
    file.take("notify", [row("look", n=3)])
    made = read(file)
    assert [json.loads(line)["n"] for line in made["directory/look.jsonl"].splitlines()] == [1, 2]
    assert set(made) == {
        "directory/person.jsonl", "directory/look.jsonl", "notify/look.jsonl", "calendar.ics", "README.txt",
    }  # fmt: skip
    assert made["README.txt"].startswith("Dette er alt")


def test_the_calendar_confirms_only_what_is_certain() -> None:
    file = ExportFile(NOW)
    bookings = [dated(number, one, for_me=True) for number, one in enumerate(BookingStatus)]
    file.take("booking", [*(row("booking", **one) for one in bookings), row("booking", for_me=False)])
    sign_ups = [
        dated(100 + number, one, mine=True, event_status="published")
        for number, one in enumerate(SignUpStatus)
    ]
    called_off = dated(200, "attending", mine=True, event_status="cancelled", title="called off")
    file.take("events", [row("sign-up", **one) for one in (*sign_ups, called_off)])
    found = Calendar.from_ical(read(file)["calendar.ics"]).walk("VEVENT")
    assert len(found) == len(BookingStatus) + len(SignUpStatus) + 1
    for event in found:
        said = str(event["summary"])
        wanted = (
            "CONFIRMED" if said in CERTAIN else "CANCELLED" if said in {*OFF, "called off"} else "TENTATIVE"
        )
        assert event["status"] == wanted, said


def test_what_nobody_could_have_is_no_file() -> None:
    file = ExportFile(NOW, most=100)
    with pytest.raises(ExportTooLarge):
        file.take("directory", [row("look", n="x" * 40) for _ in range(3)])
    file.drop()
    file.drop()
