"""A hostile calendar file costs its sender's time: it is refused or reported with bounded time and memory."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from services.cli.calendar.confined import read_confined
from services.cli.calendar.entry import Limits, Reading, RefusedError
from tests.cli.calendars import BERLIN, NOW, calendar, event

MINUTE = ("DTSTART:20190101T000000Z", "DURATION:PT1M")
SHORT = Limits(cpu_seconds=2, wall_seconds=60)
NEVER = ";BYMONTH=2;BYMONTHDAY=30;BYHOUR=23;BYMINUTE=59;BYSECOND=59"


def confined(raw: bytes, limits: Limits = SHORT) -> Reading:
    """Read, and insist that it took no longer than the limit allows."""
    began = time.monotonic()
    try:
        return read_confined(raw, home=BERLIN, now=NOW, limits=limits)
    finally:
        assert timedelta(seconds=time.monotonic() - began) < timedelta(seconds=45)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=MINUTELY;UNTIL=99991231T235959Z",
        "FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,10,20",
    ],
)
def test_a_rule_with_too_many_occurrences_is_stopped_while_it_is_counted(rule: str) -> None:
    with pytest.raises(RefusedError, match=r"more than 10000 occurrences; see the entry 'one@example\.org'"):
        confined(calendar(event(*MINUTE, f"RRULE:{rule}")))


def test_a_rule_that_searches_for_ever_is_stopped_by_the_clock() -> None:
    sound = event(*MINUTE, uid="sound")
    with pytest.raises(
        RefusedError, match="more time or memory than allowed; it was stopped in the entry 'endless'"
    ):
        confined(calendar(sound, event(*MINUTE, f"RRULE:FREQ=SECONDLY{NEVER}", uid="endless")))


def test_a_reader_that_wants_too_much_memory_is_stopped() -> None:
    many = [event(*MINUTE, uid=f"{number}") for number in range(9000)]
    limits = Limits(memory_bytes=36_000_000)
    assert confined(calendar(many[0]), limits), "so much is enough for somebody who wants little"
    with pytest.raises(RefusedError, match=r"memory|could not be read"):
        confined(calendar(*many), limits)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a calendar"),
        (b"<html>\n" * 1000, "not a calendar"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "not a calendar"),
        (b"x" * 5_000_001, "larger than 5 MB"),
        (calendar(event(*MINUTE))[:-30], "cut off"),
        (calendar(event(*MINUTE), ["END:VEVENT"]), "malformed: END:VEVENT"),
        (calendar(event(*MINUTE)).decode().encode("utf-16"), "not text"),
        (calendar(event(*MINUTE, title="NUL\0")), "NUL"),
        (calendar(event(*MINUTE)).replace(b"Meeting", b"Caf\xe9"), "not UTF-8"),
        (calendar(event(*MINUTE), head=("CALSCALE:HEBREW",)), "only GREGORIAN"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:X\r\n" * 500_000, "parts inside parts"),
        (
            calendar(event(*MINUTE, title="x" + "\r\n y" * 900_000)),
            "a SUMMARY of more than 262144 characters",
        ),
        (calendar(event(*MINUTE, *["STATUS:CONFIRMED"] * 200_000)), "one VEVENT of more than 20000 lines"),
        (calendar(*[["BEGIN:VEVENT", "END:VEVENT"]] * 10_001), "more than 10000 entries"),
    ],
)
def test_what_is_no_decent_calendar_is_refused_with_a_reason(raw: bytes, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        confined(raw)


@pytest.mark.parametrize(
    "lines",
    [
        ["X-NOTHING:1"] * 300_000,
        ["DESCRIPTION:" + "x" * 4_000_000],
        ["DESCRIPTION:x" + "\r\n y" * 900_000],
        ["BEGIN:VALARM", "DTSTART:nonsense", *["ATTENDEE:x"] * 100_000, "END:VALARM"],
        ["no property at all", ":", ";", "=", "\x0b\x0c\x1b[2J"],
    ],
)
def test_what_is_not_needed_is_never_parsed(lines: list[str]) -> None:
    reading = confined(calendar(event(*MINUTE, *lines)))
    assert [entry.title for entry in reading.entries] == ["Meeting"]


def test_a_zone_that_changes_every_second_delays_nobody() -> None:
    zone = ["BEGIN:VTIMEZONE", "TZID:Bomb", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100"]
    zone += ["TZOFFSETTO:+0200", "RRULE:FREQ=SECONDLY", "END:STANDARD", "END:VTIMEZONE"]
    entry = event("DTSTART;TZID=Bomb:20190101T000000", "DURATION:PT1H", uid="bombed")
    reading = confined(calendar(zone, entry, event(*MINUTE, uid="sound")))
    assert "sound" in {each.uid for each in reading.entries}


def test_control_characters_reach_neither_titles_nor_complaints() -> None:
    raw = calendar(
        event(*MINUTE, title="\x1b[2Jclear\x07\u202e"),
        event("DTSTART:\x1b[31m", uid="u\x1b[2J", title="\x9b"),
    )
    reading = confined(raw)
    assert reading.entries[0].title == "[2Jclear"
    said = "".join((each.uid + each.title + each.why) for each in reading.not_understood)
    assert said.isprintable()


def test_ten_thousand_entries_are_within_the_limits() -> None:
    hourly = event(*MINUTE, "RRULE:FREQ=MINUTELY;INTERVAL=2;COUNT=10000")
    assert len(confined(calendar(hourly), Limits()).entries) == 10_000
