"""Quiet hours, digests and reminders in people's own time, in every sort of zone and over every change of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.rules.moments import end_of_quiet, gathered, next_digest, remind_at
from shared.contracts.notify.words import Pace

ZONES = (
    "Europe/Stockholm",
    "Europe/London",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",  # 5:45
    "Africa/Casablanca",  # goes back for Ramadan
    "America/New_York",
    "America/St_Johns",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Antarctica/Troll",  # two hours of summer time
    "UTC",
)
STOCKHOLM = "Europe/Stockholm"
MINUTE = timedelta(minutes=1)
PLACES = tuple(map(ZoneInfo, ZONES))
"""Kept: the library remembers eight zones that nobody holds, and reads the file of the ninth again every time."""
HOURS = tuple(datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24 * 365 + 1))
CHANGES = tuple(
    hour
    for hour, following in pairwise(HOURS)
    if any(hour.astimezone(place).utcoffset() != following.astimezone(place).utcoffset() for place in PLACES)
)
"""Hours of a year within which some of the zones change their clocks."""

zones = st.sampled_from(ZONES)
walls = st.times(min_value=time(0), max_value=time(23, 59)).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)
near_a_change = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)
moments = near_a_change | st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone
    max_value=datetime(2031, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))


def _quiet(at: datetime, zone: str, start: time, end: time) -> bool:
    wall = at.astimezone(ZoneInfo(zone)).time().replace(fold=0)
    return start <= wall < end if start <= end else not end <= wall < start


@given(at=moments, zone=zones, start=walls, end=walls)
def test_quiet_ends_at_the_first_moment_that_is_not_quiet(
    at: datetime, zone: str, start: time, end: time
) -> None:
    ends = end_of_quiet(at, zone, start, end)
    if not _quiet(at, zone, start, end):
        assert ends is None
        return
    assert ends is not None
    assert ends > at
    assert not _quiet(ends, zone, start, end), "it would wake somebody"
    # A jump over the only minutes of a day that are not quiet leaves it quiet for another.
    here = ZoneInfo(zone)
    jumped = at.astimezone(here).utcoffset() < ends.astimezone(here).utcoffset()  # type: ignore[operator]  # zones have one
    assert ends - at <= timedelta(hours=51 if jumped else 27)
    between = [at + 5 * MINUTE * step for step in range((ends - at) // (5 * MINUTE) + 1)]
    between.append(ends - timedelta(seconds=1))
    assert all(_quiet(one, zone, start, end) for one in between if at <= one < ends), (
        "it could have been sooner"
    )


@given(at=moments, zone=zones)
def test_who_wants_no_quiet_hours_has_none(at: datetime, zone: str) -> None:
    assert end_of_quiet(at, zone, time(7), time(7)) is None


@pytest.mark.parametrize(
    ("at", "start", "end", "ends"),
    [
        # 28 March 2027 the clocks in Stockholm jump from 02:00 to 03:00; 31 October they go back from 03:00 to 02:00.
        ("2027-03-28T00:30+00:00", time(21), time(2, 30), "2027-03-28T03:00+02:00"),
        ("2027-03-27T20:00+00:00", time(21), time(7), "2027-03-28T07:00+02:00"),
        ("2027-10-30T20:00+00:00", time(21), time(7), "2027-10-31T07:00+01:00"),
        ("2027-10-31T00:10+00:00", time(21), time(2, 30), "2027-10-31T02:30+02:00"),
        ("2027-10-31T01:10+00:00", time(21), time(2, 30), "2027-10-31T02:30+01:00"),
        ("2027-03-01T05:59+00:00", time(21), time(7), "2027-03-01T07:00+01:00"),
        # Back to before it was quiet; and over the only half hour of a day in which somebody wants to be told.
        ("2027-10-31T00:45+00:00", time(2, 30), time(22), "2027-10-31T02:00+01:00"),
        ("2027-03-28T00:30+00:00", time(2, 40), time(2, 10), "2027-03-29T02:10+02:00"),
    ],
)
def test_quiet_over_the_changes_of_clocks(at: str, start: time, end: time, ends: str) -> None:
    assert end_of_quiet(datetime.fromisoformat(at), STOCKHOLM, start, end) == datetime.fromisoformat(ends)


def test_the_end_of_quiet_is_not_quiet_and_its_beginning_is() -> None:
    seven, nine = datetime(2027, 3, 1, 6, tzinfo=UTC), datetime(2027, 3, 1, 20, tzinfo=UTC)
    assert end_of_quiet(seven, STOCKHOLM, time(21), time(7)) is None
    assert end_of_quiet(nine, STOCKHOLM, time(21), time(7)) == seven + timedelta(days=1)
    assert end_of_quiet(nine - MINUTE, STOCKHOLM, time(21), time(7)) is None


@given(at=moments, zone=zones, wall=walls, pace=st.sampled_from((Pace.DAILY, Pace.WEEKLY)))
def test_digests_come_when_the_clock_shows_their_time(
    at: datetime, zone: str, wall: time, pace: Pace
) -> None:
    digest = next_digest(at, zone, wall, pace)
    here = ZoneInfo(zone)
    local = digest.astimezone(here)
    assert digest > at
    assert digest - at <= (timedelta(hours=51) if pace is Pace.DAILY else timedelta(days=7, hours=27))
    if pace is Pace.WEEKLY:
        assert local.weekday() == 0
    if local.time().replace(fold=0) != wall:
        # Only where the clocks jump over it: then with the jump.
        before = (digest - timedelta(seconds=1)).astimezone(here)
        assert before.time() < wall < local.time()
        assert before.utcoffset() != local.utcoffset()
    assert next_digest(digest, zone, wall, pace) > digest


@settings(max_examples=25)  # a year each
@given(zone=zones, wall=walls, year=st.integers(2026, 2030))
def test_there_is_one_digest_a_day_the_whole_year(zone: str, wall: time, year: int) -> None:
    moment = datetime(year, 1, 1, tzinfo=UTC)
    days: list[date] = []
    while moment.year == year:
        moment = next_digest(moment, zone, wall, Pace.DAILY)
        days.append(moment.astimezone(ZoneInfo(zone)).date())
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


@given(start=moments, zone=zones, days=st.integers(1, 14))
def test_a_day_before_is_the_same_time_on_the_wall(start: datetime, zone: str, days: int) -> None:
    here = ZoneInfo(zone)
    reminder = remind_at(start, days * 1440, zone)
    wanted = start.astimezone(here).replace(tzinfo=None, fold=0) - timedelta(days=days)
    local = reminder.astimezone(here)
    assert reminder < start
    if local.replace(tzinfo=None, fold=0) == wanted:
        assert local.fold == 0, "of two such times it is the first"
    else:
        before = (reminder - timedelta(seconds=1)).astimezone(here)
        assert before.replace(tzinfo=None) < wanted < local.replace(tzinfo=None), "skipped: with the jump"


@given(start=moments, zone=zones, minutes=st.integers(15, 20_160))
def test_hours_before_go_by_and_no_reminder_is_late(start: datetime, zone: str, minutes: int) -> None:
    reminder = remind_at(start, minutes, zone)
    days, rest = divmod(minutes, 1440)
    assert reminder <= start - timedelta(minutes=rest)
    assert abs(start - reminder - timedelta(minutes=minutes)) <= timedelta(hours=3 if days else 0)


def test_a_day_before_across_both_changes_of_clocks() -> None:
    for day in (date(2027, 3, 28), date(2027, 10, 31)):
        start = datetime.combine(day, time(10), ZoneInfo(STOCKHOLM))
        reminder = remind_at(start, 1440, STOCKHOLM).astimezone(ZoneInfo(STOCKHOLM))
        assert (reminder.date(), reminder.time()) == (day - timedelta(days=1), time(10))
        assert start.astimezone(UTC) - reminder.astimezone(UTC) != timedelta(days=1)
        hour = remind_at(datetime.combine(day, time(4), ZoneInfo(STOCKHOLM)), 180, STOCKHOLM)
        assert datetime.combine(day, time(4), ZoneInfo(STOCKHOLM)).astimezone(UTC) - hour == timedelta(
            hours=3
        )


@given(
    first=moments,
    waited=st.timedeltas(timedelta(0), timedelta(hours=1)),
    gather=st.timedeltas(timedelta(0), timedelta(minutes=5)),
)
def test_edits_gather_for_two_minutes_at_most(first: datetime, waited: timedelta, gather: timedelta) -> None:
    due = gathered(first, first + waited, gather)
    assert due <= first + timedelta(minutes=2)
    assert due <= first + waited + gather
    assert due in {first + timedelta(minutes=2), first + waited + gather}
