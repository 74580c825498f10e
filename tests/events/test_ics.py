"""Calendar files read back by icalendar say what went in; the same programme is the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from services.events.rules.ics import (
    CANCELLED,
    MOST_BYTES,
    MOST_ENTRIES,
    TENTATIVE,
    Entry,
    calendar_of,
    shortened,
)

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
ENTRY = Entry(
    id=UUID(int=7),
    title="Frukost i hamnen; kaffe, te",
    text="Välkomna!\nTa med en kopp.",
    start=MONDAY,
    end=MONDAY + timedelta(hours=1),
    zone="Europe/Stockholm",
    stamp=datetime(2027, 1, 5, 12, 30, tzinfo=UTC),
    sequence=3,
    location="Hamnen 1, Nordviken",
    url="https://example.org/frukost?a=1,2;b",
    conference="https://meet.example.org/frukost",
    categories=("breakfast", "fika, tidig"),
)
texts = st.text(max_size=300)


def read(raw: bytes) -> Any:
    """The calendar a program sees."""
    return Calendar.from_ical(raw)


def only_event(raw: bytes) -> Any:
    """The one event in it."""
    [event] = read(raw).walk("VEVENT")
    assert event.errors == []
    return event


def test_an_entry_is_read_back_as_it_went_in() -> None:
    event = only_event(calendar_of("Nordviken", [ENTRY]))
    assert str(event["SUMMARY"]) == ENTRY.title
    assert str(event["DESCRIPTION"]) == ENTRY.text
    assert str(event["LOCATION"]) == ENTRY.location
    assert str(event["URL"]) == ENTRY.url
    assert str(event["CONFERENCE"]) == ENTRY.conference
    assert event["CONFERENCE"].params["VALUE"] == "URI"
    assert tuple(str(one) for one in event["CATEGORIES"].cats) == ENTRY.categories
    assert (str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"])) == (
        "00000000-0000-0000-0000-000000000007@foci",
        3,
        "CONFIRMED",
    )
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (ENTRY.start, ENTRY.end)
    assert event["DTSTART"].params["TZID"] == "Europe/Stockholm"
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == ENTRY.stamp


def test_the_calendar_says_what_it_is_and_when_to_look_again() -> None:
    raw = calendar_of("Nordviken, hamnen", [ENTRY])
    lines = raw.decode().split("\r\n")
    for line in (
        "VERSION:2.0",
        "PRODID:-//Foci//events//EN",
        "CALSCALE:GREGORIAN",
        "NAME:Nordviken\\, hamnen",
        "X-WR-CALNAME:Nordviken\\, hamnen",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "DTSTART;TZID=Europe/Stockholm:20270301T100000",
    ):
        assert line in lines
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert b"X-FOCI-LEFT-OUT" not in raw
    assert max(len(line.encode()) for line in lines) <= 75
    assert lines.index("BEGIN:VTIMEZONE") < lines.index("BEGIN:VEVENT")


def test_the_same_entries_give_the_same_bytes_and_an_empty_programme_is_a_calendar() -> None:
    assert calendar_of("N", [ENTRY]) == calendar_of("N", [replace(ENTRY)])
    assert calendar_of("N", [ENTRY]) != calendar_of("N", [replace(ENTRY, sequence=4)])
    assert read(calendar_of("N", [])).walk("VEVENT") == []


@pytest.mark.parametrize("status", [CANCELLED, TENTATIVE])
def test_what_is_cancelled_or_not_sure_says_so(status: str) -> None:
    event = only_event(calendar_of("N", [replace(ENTRY, status=status, comment="No heating")]))
    assert (str(event["STATUS"]), str(event["COMMENT"])) == (status, "No heating")


def test_an_online_event_is_found_where_programs_look() -> None:
    event = only_event(calendar_of("N", [replace(ENTRY, location=None)]))
    assert str(event["LOCATION"]) == ENTRY.conference


def test_hostile_text_stays_text() -> None:
    evil = "</b>\x00\x07\r\nEND:VEVENT\u2028BEGIN:VALARM\x1b[2J\\n;,\ud800\x85x"
    event = only_event(calendar_of(evil, [replace(ENTRY, title=evil, text=evil, location=evil)]))
    shown = "</b>\ufffd\ufffd\nEND:VEVENT\nBEGIN:VALARM\ufffd[2J\\n;,\ufffd\nx"
    assert str(event["DESCRIPTION"]).replace("\\n", "\n") == shown.replace("\\n", "\n")
    raw = calendar_of(evil, [replace(ENTRY, title=evil, text=evil, location=evil)])
    assert not {byte for byte in raw.decode() if byte < " "} - {"\r", "\n"}
    assert raw.count(b"\r\nEND:VEVENT") == raw.count(b"\r\nBEGIN:VEVENT") == 1
    assert b"\r\nBEGIN:VALARM" not in raw


@given(title=texts.filter(str.strip), text=texts, tag=texts.filter(str.strip))
def test_whatever_people_write_the_file_can_be_read(title: str, text: str, tag: str) -> None:
    raw = calendar_of(title, [replace(ENTRY, title=title, text=text, location=text, categories=(tag,))])
    event = only_event(raw)
    assert (event["DTSTART"].dt, str(event["UID"])) == (ENTRY.start, f"{ENTRY.id}@foci")
    assert "SUMMARY" in event


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001  # given its zone here
        lambda naive: naive.replace(tzinfo=UTC, microsecond=0)
    ),
    zone=st.sampled_from(
        ["Europe/Stockholm", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
    ),
)
def test_every_moment_survives_the_wall_clock(moment: datetime, zone: str) -> None:
    entry = replace(ENTRY, start=moment, end=moment + timedelta(minutes=90), zone=zone)
    event = only_event(calendar_of("N", [entry]))
    assert event["DTSTART"].dt.astimezone(UTC) == entry.start
    assert event["DTEND"].dt.astimezone(UTC) == entry.end


def test_the_second_run_of_a_doubled_hour_is_written_in_utc() -> None:
    first, second = (datetime(2027, 10, 31, hour, 30, tzinfo=UTC) for hour in (0, 1))
    raw = calendar_of("N", [replace(ENTRY, start=first, end=second)])
    assert b"DTSTART;TZID=Europe/Stockholm:20271031T023000\r\n" in raw
    assert b"DTEND:20271031T013000Z\r\n" in raw


def test_each_zone_is_defined_once_for_all_its_entries() -> None:
    far = replace(ENTRY, id=UUID(int=8), start=MONDAY + timedelta(days=800), end=MONDAY + timedelta(days=801))
    other = replace(ENTRY, id=UUID(int=9), zone="Asia/Kathmandu")
    zones = read(calendar_of("N", [ENTRY, far, other])).walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["Asia/Kathmandu", "Europe/Stockholm"]
    years = [part["DTSTART"].dt.year for part in zones[1].subcomponents]
    assert (min(years), max(years)) == (2026, 2030)


def many(count: int, text: str = "") -> list[Entry]:
    """So many dates, an hour apart."""
    hour = timedelta(hours=1)
    return [
        replace(ENTRY, id=UUID(int=n), text=text, start=MONDAY + n * hour, end=MONDAY + (n + 1) * hour)
        for n in range(1, count + 1)
    ]


def test_a_feed_has_at_most_a_thousand_entries_and_says_how_many_are_missing() -> None:
    raw = calendar_of("N", many(MOST_ENTRIES + 5), left_out=2)
    assert raw.count(b"BEGIN:VEVENT") == MOST_ENTRIES
    assert b"\r\nX-FOCI-LEFT-OUT:7\r\n" in raw


@pytest.mark.parametrize("text", ["å" * 2000, '"\\' * 1000])
def test_a_feed_fits_the_bus_and_keeps_what_is_nearest(text: str) -> None:
    raw = calendar_of("N", many(400, text))
    travelling = json.dumps(raw.decode(), ensure_ascii=False).encode()
    assert MOST_BYTES * 0.9 < len(travelling) < 1_000_000
    uids = [str(event["UID"]) for event in read(raw).walk("VEVENT")]
    assert uids == [f"{UUID(int=n)}@foci" for n in range(1, len(uids) + 1)]
    assert f"X-FOCI-LEFT-OUT:{400 - len(uids)}".encode() in raw


def test_a_feeds_text_is_cut_where_it_is_long() -> None:
    assert shortened("a" * 400) == "a" * 400
    assert shortened("b " * 400) == "b " * 199 + "b…"
