"""A calendar file is read as its writer meant it: recurrences, whole days, zones, overrides, broken entries."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.cli.calendar.entry import UNTITLED, Limits, RefusedError
from services.cli.calendar.reading import read
from tests.cli.calendars import BERLIN, NOW, REAL_FILE, calendar, event, reading_of, utc


def first_saturdays(since: tuple[int, int], before: date) -> list[date]:
    """Counted with nothing but a date, to check the libraries."""
    found = []
    day = date(*since, 1)
    while day < before:
        if day.weekday() == 5 and day.day <= 7:
            found.append(day)
        day += timedelta(days=1)
    return found


def test_the_real_calendar_has_27_single_entries_and_38_first_saturdays() -> None:
    reading = read(REAL_FILE.read_bytes(), home=BERLIN, now=NOW)
    saturdays = [entry for entry in reading.entries if entry.uid.startswith("ai1ec-1887@")]
    # 24 months from 5 March 2019: January 2018 to February 2021, as 6 March 2021 comes a day too late.
    expected = first_saturdays((2018, 1), before=date(2021, 3, 5))
    assert len(expected) == 38
    assert [entry.start.astimezone(BERLIN).date() for entry in saturdays] == expected
    assert {entry.start.astimezone(BERLIN).hour for entry in saturdays} == {14}  # in summer and in winter
    assert len(reading.entries) == 27 + 38
    assert len({entry.uid for entry in reading.entries}) == 28
    assert reading.not_understood == reading.left_out == ()
    assert reading.name is None


def test_the_real_calendar_has_a_whole_day_three_days_and_two_at_once() -> None:
    reading = read(REAL_FILE.read_bytes(), home=BERLIN, now=NOW)
    by_uid = {entry.uid.split("@")[0]: entry for entry in reading.entries}
    closed = by_uid["ai1ec-1862"]
    assert (closed.start, closed.end) == (utc(2018, 6, 8, 22), utc(2018, 6, 9, 22))
    assert closed.title == "Lab geschlossen: Wir sind auf dem Karlstraßenfest"
    fair = by_uid["ai1ec-1853"]
    assert (fair.start, fair.end) == (utc(2018, 5, 25, 7), utc(2018, 5, 27, 16))
    winter = by_uid["ai1ec-1441"]  # before the first date in the file's own definition of Europe/Berlin
    assert (winter.start, winter.end) == (utc(2016, 12, 3, 13), utc(2016, 12, 3, 18))
    summer = by_uid["ai1ec-1671"]
    assert (summer.start, summer.end) == (utc(2017, 7, 29, 12), utc(2017, 7, 29, 20))
    entries = reading.entries
    overlaps = [
        {one.uid.split("@")[0], other.uid.split("@")[0]}
        for place, one in enumerate(entries)
        for other in entries[place + 1 :]
        if one.start < other.end and other.start < one.end
    ]
    assert overlaps == [{"ai1ec-1704", "ai1ec-1707"}]


def test_whole_days_go_from_midnight_to_midnight_where_the_hub_is() -> None:
    days = event("DTSTART;VALUE=DATE:20190330", "DTEND;VALUE=DATE:20190401")
    berlin = reading_of(days).entries[0]
    assert (berlin.start, berlin.end) == (
        utc(2019, 3, 29, 23),
        utc(2019, 3, 31, 22),
    )  # one hour short: summer time
    lord_howe = reading_of(days, home=ZoneInfo("Australia/Lord_Howe")).entries[0]
    assert (lord_howe.start, lord_howe.end) == (utc(2019, 3, 29, 13), utc(2019, 3, 31, 13))


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART;VALUE=DATE:20190401",),
        ("DTSTART;VALUE=DATE:20190401", "DURATION:P1D"),
        ("DTSTART;VALUE=DATE;TZID=America/New_York:20190401", "DTEND;VALUE=DATE:20190402"),
    ],
)
def test_a_day_may_say_its_length_in_several_ways(lines: tuple[str, ...]) -> None:
    entry = reading_of(event(*lines)).entries[0]
    assert (entry.start, entry.end) == (utc(2019, 3, 31, 22), utc(2019, 4, 1, 22))


def test_a_time_without_zone_is_the_hubs_time() -> None:
    entry = reading_of(event("DTSTART:20190701T100000", "DTEND:20190701T113000")).entries[0]
    assert (entry.start, entry.end) == (utc(2019, 7, 1, 8), utc(2019, 7, 1, 9, 30))


def test_monday_at_ten_stays_at_ten_across_summer_time() -> None:
    weekly = event("DTSTART;TZID=Europe/Berlin:20190318T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4")
    assert [entry.start.hour for entry in reading_of(weekly).entries] == [9, 9, 8, 8]


RDATES_ONLY = [
    "BEGIN:VTIMEZONE",
    "TZID:Office time",
    "BEGIN:STANDARD",
    "DTSTART:20181028T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RDATE:20191027T030000",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:20190331T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RDATE:20200329T020000",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]
OUTLOOK = [
    "BEGIN:VTIMEZONE",
    "TZID:(UTC+01:00) Amsterdam\\, Berlin",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]
FIXED = [
    "BEGIN:VTIMEZONE",
    "TZID:Office time",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0545",
    "TZOFFSETTO:+0545",
    "END:STANDARD",
    "END:VTIMEZONE",
]


@pytest.mark.parametrize(
    ("tzid", "zone", "hour"),
    [
        ("Europe/Berlin", [], (8, 0)),
        ("europe/berlin", [], (8, 0)),
        ("W. Europe Standard Time", [], (8, 0)),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", [], (8, 0)),
        ("Tzfile/Europe/Berlin", [], (8, 0)),
        ("Asia/Kathmandu", [], (4, 15)),
        ("Office time", RDATES_ONLY, (8, 0)),
        ("Office time", FIXED, (4, 15)),
        ('"(UTC+01:00) Amsterdam, Berlin"', OUTLOOK, (8, 0)),
        ("Customized Time Zone", [OUTLOOK[0], "TZID:Customized Time Zone", *OUTLOOK[2:]], (8, 0)),
        ("Office time", [FIXED[0], FIXED[1], "X-LIC-LOCATION:America/New_York", *FIXED[2:]], (14, 0)),
    ],
)
def test_a_zone_is_found_by_name_or_else_by_its_definition(
    tzid: str, zone: list[str], hour: tuple[int, int]
) -> None:
    # July 2017: before every date in the definition that only lists dates.
    entry = event(f"DTSTART;TZID={tzid}:20170703T100000", f"DTEND;TZID={tzid}:20170703T110000")
    [found] = reading_of(zone, entry).entries
    assert (found.start.hour, found.start.minute) == hour


@pytest.mark.parametrize(
    "tzid", ["Nowhere/Land", "Europe", "../../etc/passwd", "A" * 4000, "(UTC+01:00) Amsterdam"]
)
def test_an_unknown_zone_is_reported_and_the_rest_imports(tzid: str) -> None:
    broken = event(f'DTSTART;TZID="{tzid}":20190701T100000', "DURATION:PT1H", uid="broken")
    sound = event("DTSTART:20190702T100000", "DURATION:PT1H", uid="sound")
    reading = reading_of(broken, sound)
    assert [entry.uid for entry in reading.entries] == ["sound"]
    [reported] = reading.not_understood
    assert (reported.uid, reported.title) == ("broken", "Meeting")
    assert len(reported.why) <= 200
    assert reading.unread_uids == {"broken"}


def test_exceptions_additions_and_changed_occurrences_count() -> None:
    series = event(
        "DTSTART;TZID=Europe/Berlin:20190401T100000",
        "DTEND;TZID=Europe/Berlin:20190401T110000",
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20190402T100000",
        "RDATE;TZID=Europe/Berlin:20190410T150000",
        "RDATE;VALUE=PERIOD:20190411T080000Z/PT3H",
    )
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20190403T100000",
        "DTSTART;TZID=Europe/Berlin:20190403T140000",
        "DTEND;TZID=Europe/Berlin:20190403T160000",
        title="Later today",
    )
    cancelled = event(
        "RECURRENCE-ID:20190404T080000Z",
        "DTSTART;TZID=Europe/Berlin:20190404T100000",
        "DTEND;TZID=Europe/Berlin:20190404T110000",
        "STATUS:CANCELLED",
    )
    reading = reading_of(series, moved, cancelled)
    assert [(entry.recurrence_id, entry.start, entry.title) for entry in reading.entries] == [
        ("20190401T080000Z", utc(2019, 4, 1, 8), "Meeting"),
        ("20190403T080000Z", utc(2019, 4, 3, 12), "Later today"),
        ("20190405T080000Z", utc(2019, 4, 5, 8), "Meeting"),
        ("20190410T130000Z", utc(2019, 4, 10, 13), "Meeting"),
        ("20190411T080000Z", utc(2019, 4, 11, 8), "Meeting"),
    ]
    assert reading.entries[-1].end == utc(2019, 4, 11, 11)
    [left_out] = reading.left_out
    assert "CANCELLED" in left_out.why


def test_this_and_all_following_keep_their_identity_when_they_move() -> None:
    series = event("DTSTART:20190401T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4")
    later = event(
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20190415T100000", "DTSTART:20190415T120000", "DURATION:PT2H"
    )
    assert [(entry.recurrence_id, entry.start) for entry in reading_of(series, later).entries] == [
        ("20190401T080000Z", utc(2019, 4, 1, 8)),
        ("20190408T080000Z", utc(2019, 4, 8, 8)),
        ("20190415T080000Z", utc(2019, 4, 15, 10)),
        ("20190422T080000Z", utc(2019, 4, 22, 10)),
    ]


def test_an_override_without_its_series_is_an_entry() -> None:
    orphan = event("RECURRENCE-ID:20190403T080000Z", "DTSTART:20190403T090000Z", "DTEND:20190403T100000Z")
    [entry] = reading_of(orphan).entries
    assert (entry.recurrence_id, entry.start) == ("20190403T080000Z", utc(2019, 4, 3, 9))


def test_one_broken_override_does_not_sink_its_series() -> None:
    series = event("DTSTART:20190401T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3")
    broken = event("RECURRENCE-ID:20190402T080000Z", "DTSTART:20190402T100000Z", "DTEND:20190402T090000Z")
    reading = reading_of(series, broken)
    assert [entry.start.day for entry in reading.entries] == [1, 3]
    assert reading.unread_keys == {("one@example.org", "20190402T080000Z")}
    assert reading.unread_uids == frozenset()


def test_endless_rules_go_24_months_from_the_import_and_finite_ones_to_their_end() -> None:
    endless = event("DTSTART;VALUE=DATE:20190101", "RRULE:FREQ=YEARLY", uid="endless")
    until = event("DTSTART;VALUE=DATE:20190101", "RRULE:FREQ=YEARLY;UNTIL=20300101", uid="until")
    count = event("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:FREQ=YEARLY;COUNT=30", uid="count")
    far = event("DTSTART:20350101T100000", "DURATION:PT1H", uid="far")
    later = event("DTSTART;VALUE=DATE:20300101", "RRULE:FREQ=DAILY", uid="begins after the horizon")
    reading = reading_of(endless, until, count, far, later)
    counted = Counter(entry.uid for entry in reading.entries)
    assert counted == {"endless": 3, "until": 12, "count": 30, "far": 1}
    [told] = reading.left_out
    assert (told.uid, told.why) == ("begins after the horizon", "it has no occurrence before 2021-03-05")


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2020, 2, 29, 12, tzinfo=UTC), date(2022, 2, 27)),  # 24 months from 29 February
        (datetime(2019, 3, 4, 23, 30, tzinfo=UTC), date(2021, 3, 4)),  # already 5 March where the hub is
        (datetime(2019, 3, 4, 22, 30, tzinfo=UTC), date(2021, 3, 3)),
    ],
)
def test_the_horizon_is_a_midnight_at_the_hub(now: datetime, last: date) -> None:
    daily = event("DTSTART:20190101T000000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    assert reading_of(daily, now=now).entries[-1].start.astimezone(BERLIN).date() == last


def test_free_time_and_other_kinds_of_entry_claim_no_space() -> None:
    free = event("DTSTART:20190101T100000", "DURATION:PT1H", "TRANSP:TRANSPARENT", "RRULE:FREQ=DAILY;COUNT=3")
    todo = ["BEGIN:VTODO", "UID:x", "SUMMARY:Sweep", "END:VTODO"]
    reading = reading_of(free, todo, todo)
    assert reading.entries == ()
    assert [(each.title, each.times) for each in reading.left_out] == [("VTODO", 2), ("Meeting", 3)]
    assert "does not claim a space" in reading.left_out[1].why


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("DTSTART:20190101T100000", "DTEND:20190101T090000"), "ends before it starts"),
        (("DTSTART:20190101T100000", "DURATION:-PT1H"), "ends before it starts"),
        (("DTSTART:20190101T100000", "DTEND:20190101T100000"), "takes no time"),
        (("DTSTART:20190101T100000",), "takes no time"),
        (("DTSTART;VALUE=DATE:20190101", "DTEND;VALUE=DATE:20190101"), "takes no time"),
        (("DTSTART;VALUE=DATE:20190101", "DTEND:20190101T100000"), "whole day"),
        (("DTSTART;VALUE=DATE:20190101", "DURATION:PT1H"), "DURATION"),
        (("DTEND:20190101T100000",), "no DTSTART"),
        (("DTSTART:soon", "DURATION:PT1H"), "DTSTART"),
        (("DTSTART:20190101T100000", "DTSTART:20190102T100000", "DURATION:PT1H"), "more than one DTSTART"),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:FREQ=SOMETIMES"), "RRULE"),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:COUNT=3"), ""),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=-1"), "COUNT"),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=0"), "INTERVAL"),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"), "EXRULE"),
        (("DTSTART:00010101T000000", "DURATION:PT1H"), ""),
        (
            ("DTSTART;TZID=Europe/Berlin:20190331T023000", "DTEND;TZID=Europe/Berlin:20190331T031500"),
            "before it",
        ),
        (("DTSTART:20190101T100000", "DURATION:P99999999999D"), "DURATION"),
        (("DTSTART:20190101T100000", "DURATION:PT1H", "UID:again"), "UID"),
    ],
)
def test_a_broken_entry_is_reported_with_its_reason(lines: tuple[str, ...], why: str) -> None:
    sound = event("DTSTART:20190701T100000", "DURATION:PT1H", uid="sound")
    reading = reading_of(event(*lines), sound)
    assert [entry.uid for entry in reading.entries] == ["sound"]
    [reported] = reading.not_understood
    assert why in reported.why
    assert reported.why


def test_of_two_entries_with_one_uid_the_later_version_counts_and_the_other_is_told() -> None:
    old = event("DTSTART:20190101T100000", "DURATION:PT1H", "SEQUENCE:1", title="Old")
    new = event("DTSTART:20190102T100000", "DURATION:PT1H", "SEQUENCE:2", title="New")
    for parts in ((old, new), (new, old)):
        reading = reading_of(*parts)
        assert [entry.title for entry in reading.entries] == ["New"]
        [told] = reading.not_understood
        assert (told.title, told.why) == (
            "Old",
            "the file has another entry with the same UID; that one counts",
        )


def test_an_entry_that_cannot_be_recognised_again_is_not_imported() -> None:
    nameless = ["BEGIN:VEVENT", "DTSTART:20190101T100000", "DURATION:PT1H", "SUMMARY:Who?", "END:VEVENT"]
    reading = reading_of(nameless)
    assert (reading.entries, reading.unread_uids) == ((), frozenset())
    assert "no UID" in reading.not_understood[0].why


def test_only_the_summary_becomes_text_and_only_on_one_clean_line() -> None:
    spoken = event(
        "DTSTART:20190101T100000",
        "DURATION:PT1H",
        "DESCRIPTION:private\\nthings",
        "X-ALT-DESC;FMTTYPE=text/html:<b>private</b>",
        "ATTENDEE;CN=Somebody:mailto:somebody@example.org",
        title="Tea\\, \x07coffee\\n\u202eand\u200b cake  " + "x" * 300,
    )
    [entry] = reading_of(spoken).entries
    assert entry.title.startswith("Tea, coffee and cake xxx")
    assert len(entry.title) == 200
    assert "private" not in repr(reading_of(spoken))
    untitled = ["BEGIN:VEVENT", "UID:u", "DTSTART:20190101T100000", "DURATION:PT1H", "END:VEVENT"]
    assert reading_of(untitled).entries[0].title == UNTITLED


def test_the_calendar_tells_its_name() -> None:
    raw = calendar(
        event("DTSTART:20190101T100000", "DURATION:PT1H"), head=("X-WR-CALNAME:Caf\u00e9\\, upstairs",)
    )
    assert read(raw, home=BERLIN, now=NOW).name == "Caf\u00e9, upstairs"


def test_a_file_folded_in_the_middle_of_a_character_is_read() -> None:
    raw = calendar(event("DTSTART:20190101T100000", "DURATION:PT1H", title="Caf\u00e9"))
    folded = raw.replace(b"Caf\xc3\xa9", b"Caf\xc3\r\n \xa9")
    assert read(b"\xef\xbb\xbf" + folded, home=BERLIN, now=NOW).entries[0].title == "Caf\u00e9"


def test_two_calendars_in_one_file_are_read_as_one() -> None:
    one, two = (calendar(event("DTSTART:20190101T100000", "DURATION:PT1H", uid=uid)) for uid in "ab")
    assert [entry.uid for entry in read(one + two, home=BERLIN, now=NOW).entries] == ["a", "b"]


def test_ten_thousand_occurrences_are_read_and_one_more_is_refused() -> None:
    hourly = "DTSTART:20190101T000000Z", "DURATION:PT30M"
    limits = Limits(occurrences=200)
    exactly = reading_of(event(*hourly, "RRULE:FREQ=HOURLY;COUNT=200"), limits=limits)
    assert len(exactly.entries) == 200
    with pytest.raises(RefusedError, match="more than 200 occurrences"):
        reading_of(event(*hourly, "RRULE:FREQ=HOURLY;COUNT=201"), limits=limits)
    together = [event(*hourly, "RRULE:FREQ=HOURLY;COUNT=101", uid=uid) for uid in "ab"]
    with pytest.raises(RefusedError, match="more than 200 occurrences; see the entry 'b'"):
        reading_of(*together, limits=limits)
