"""Whatever stands in a calendar file, it is read or refused; and local times stay local in every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from services.cli.calendar.entry import Limits, Reading, RefusedError
from services.cli.calendar.reading import read
from tests.cli.calendars import BERLIN, NOW, REAL_FILE, calendar, event

LIMITS = Limits(occurrences=300)
REAL = REAL_FILE.read_bytes()
SCRAPS = [
    *(
        b"BEGIN:VEVENT END:VEVENT BEGIN:VALARM END:VCALENDAR END:VTIMEZONE UID: UID:x SUMMARY:\\ DTSTART:0 DTEND:".split()
    ),
    *(
        b"DTSTART;VALUE=DATE:20180230 DURATION:P RDATE:, EXDATE;TZID=X:20180101T000000 RRULE:FREQ=WEEKLY;UNTIL=".split()
    ),
    *(b"RECURRENCE-ID:20180303T130000Z STATUS:CANCELLED RRULE:; ;;== \x00 \xff \xc3 \x1b[2J".split()),
]
ZONES = (
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "America/St_Johns",
    "Europe/Stockholm",
    "Africa/Cairo",
)


def checked(raw: bytes) -> Reading | None:
    """Read, or refused for a reason; nothing else may happen."""
    try:
        reading = read(raw, home=BERLIN, now=NOW, limits=LIMITS)
    except RefusedError:
        return None
    for entry in reading.entries:
        assert entry.start < entry.end
        assert entry.start.tzinfo is entry.end.tzinfo is UTC
        assert entry.title == entry.title.strip()
        assert 0 < len(entry.title) <= 200
    assert len({entry.key for entry in reading.entries}) == len(reading.entries)
    assert all(each.why for each in (*reading.not_understood, *reading.left_out))
    return reading


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    checked(raw)
    checked(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\n" + raw + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(REAL)), st.integers(0, 60), st.sampled_from([b"", b"\r\n", *SCRAPS])),
        max_size=6,
    )
)
def test_a_damaged_real_calendar_is_read_or_refused(damage: list[tuple[int, int, bytes]]) -> None:
    raw = REAL
    for place, length, scrap in damage:
        raw = raw[:place] + scrap + raw[place + length :]
    checked(raw)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([scrap.decode("latin-1") for scrap in SCRAPS[5:]]), max_size=5))
def test_a_strange_entry_never_takes_a_sound_one_with_it(lines: list[str]) -> None:
    sound = event("DTSTART:20190701T100000", "DURATION:PT1H", uid="sound")
    strange = event("DTSTART:20180303T130000Z", *(line for line in lines if "\0" not in line), uid="strange")
    reading = checked(calendar(strange, sound))
    if reading is not None:
        assert "sound" in {entry.uid for entry in reading.entries}


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - wall time is the point
    floating=st.booleans(),
)
@example(zone="Australia/Lord_Howe", first=datetime(2019, 4, 1, 1, 45), floating=True)  # noqa: DTZ001
def test_a_weekly_hour_stays_at_its_wall_time(zone: str, first: datetime, floating: bool) -> None:
    first = first.replace(microsecond=0)
    home = ZoneInfo(zone)
    start = f"DTSTART:{first:%Y%m%dT%H%M%S}" if floating else f"DTSTART;TZID={zone}:{first:%Y%m%dT%H%M%S}"
    raw = calendar(event(start, "DURATION:PT5M", "RRULE:FREQ=WEEKLY;COUNT=60"))
    reading = read(raw, home=home if floating else BERLIN, now=NOW)
    wanted = [(first + timedelta(weeks=week)).replace(tzinfo=home).astimezone(UTC) for week in range(60)]
    ends = [
        (first + timedelta(weeks=week, minutes=5)).replace(tzinfo=home).astimezone(UTC) for week in range(60)
    ]
    assume(all(start < end for start, end in zip(wanted, ends, strict=True)))  # a gap swallows five minutes
    assert [entry.start for entry in reading.entries] == wanted
