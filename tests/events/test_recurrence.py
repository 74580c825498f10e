"""The dates of a rule: as dateutil finds them, in the hub's own time, and quickly even when there are none."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import dateutil.rrule
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.events.rules.recurrence import WEEKDAYS, Dates, expand, wall_text
from services.events.rules.refusals import RuleNotUnderstood, RuleWithoutDates, TooManyDates

wall = datetime.fromisoformat
STOCKHOLM = ZoneInfo("Europe/Stockholm")
MONDAY = wall("2027-03-01T10:00")
YEAR = date(2028, 2, 29)


def dates(rule: str, first: datetime = MONDAY, *, zone: ZoneInfo = STOCKHOLM, until: date = YEAR) -> Dates:
    """What a rule comes to within a year."""
    return expand(rule, first, zone=zone, until=until)


def walls(found: Dates) -> list[str]:
    """The wall times of the dates."""
    return [wall for wall, _ in found.moments]


def test_monday_at_ten_stays_monday_at_ten_when_the_clocks_change() -> None:
    found = dates("FREQ=WEEKLY;BYDAY=MO;UNTIL=20270412")
    assert walls(found) == [
        f"2027-{day}T10:00" for day in ("03-01", "03-08", "03-15", "03-22", "03-29", "04-05", "04-12")
    ]
    assert {moment.astimezone(STOCKHOLM).hour for _, moment in found.moments} == {10}
    assert [moment.hour for _, moment in found.moments] == [9, 9, 9, 9, 8, 8, 8]
    assert not found.goes_on


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", ["03-01", "03-02", "03-03"]),
        ("FREQ=DAILY;INTERVAL=10;UNTIL=20270321T095959Z", ["03-01", "03-11", "03-21"]),
        ("FREQ=DAILY;INTERVAL=10;UNTIL=20270321T085959Z", ["03-01", "03-11"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", ["03-01", "03-03", "03-08"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", ["03-01", "03-26", "04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", ["03-01", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", ["03-01", "03-31", "04-30"]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", ["03-01", "12-24"]),
    ],
)
def test_rules_people_have(rule: str, expected: list[str]) -> None:
    assert walls(dates(rule)) == [f"2027-{day}T10:00" for day in expected]


def test_the_start_given_is_always_a_date() -> None:
    assert walls(dates("FREQ=WEEKLY;BYDAY=WE;COUNT=2")) == ["2027-03-01T10:00", "2027-03-03T10:00"]


def test_a_time_the_clocks_jump_over_is_left_out_and_not_counted() -> None:
    found = dates("FREQ=DAILY;COUNT=3", wall("2027-03-27T02:30"))
    assert walls(found) == ["2027-03-27T02:30", "2027-03-29T02:30", "2027-03-30T02:30"]
    assert found.skipped == (("2027-03-28T02:30", "time-does-not-exist"),)


def test_a_time_that_comes_twice_is_meant_the_first_time() -> None:
    found = dates("FREQ=DAILY;COUNT=2", wall("2027-10-30T02:30"))
    assert found.moments[1][1] == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def test_dates_are_added_and_left_out() -> None:
    also = [wall("2027-03-04T19:00"), MONDAY]
    without = [wall("2027-03-08T10:00"), wall("2027-03-09T10:00")]
    found = expand("FREQ=WEEKLY;COUNT=3", MONDAY, also, without, zone=STOCKHOLM, until=YEAR)
    assert walls(found) == ["2027-03-01T10:00", "2027-03-04T19:00", "2027-03-15T10:00"]
    assert found.skipped == (("2027-03-08T10:00", "left-out"),)


def test_going_on_gives_what_was_not_given_before() -> None:
    rule, middle = "FREQ=WEEKLY;COUNT=40", date(2027, 8, 1)
    first = dates(rule, until=middle)
    second = expand(rule, MONDAY, zone=STOCKHOLM, until=YEAR, since=middle)
    assert first.goes_on
    assert not second.goes_on
    assert walls(first) + walls(second) == walls(dates(rule))


def test_an_old_endless_rule_goes_on_with_few_dates() -> None:
    found = expand(
        "FREQ=DAILY",
        wall("2001-01-01T08:00"),
        zone=STOCKHOLM,
        until=date(2027, 3, 10),
        since=date(2027, 3, 1),
    )
    assert walls(found) == [f"2027-03-{day:02}T08:00" for day in range(2, 11)]
    assert found.goes_on


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;INTERVAL=52;BYSETPOS=5",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=9",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=DAILY;UNTIL=20200101",
    ],
)
def test_a_rule_without_dates_says_so_at_once(rule: str) -> None:
    began = time.perf_counter()
    with pytest.raises(RuleWithoutDates):
        dates(rule)
    assert time.perf_counter() - began < 0.2


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=DAILY;COUNT=201", "FREQ=DAILY;COUNT=999999999"])
def test_more_dates_than_a_series_takes_are_refused(rule: str) -> None:
    with pytest.raises(TooManyDates):
        dates(rule)


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=999999999", "FREQ=YEARLY;INTERVAL=9000", "FREQ=MONTHLY;INTERVAL=99999"]
)
def test_an_interval_may_be_longer_than_the_calendar(rule: str) -> None:
    assert walls(dates(rule)) == ["2027-03-01T10:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "every week",
        "RRULE:FREQ=DAILY",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=DAILY;COUNT=3;UNTIL=20270401",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=1,2",
        "FREQ=DAILY;BYHOUR=10",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;BYMONTHDAY=3",
        "FREQ=MONTHLY;BYDAY=99MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;BYMONTH=5L",
        "FREQ=DAILY;UNTIL=100000",
        "FREQ=DAILY;RSCALE=HEBREW",
        "FREQ=DAILY;COUNT=" + "9" * 600,
        "FREQ=MONTHLY;BYDAY=0MO",
        ";;;;;;;;",
    ],
)
def test_what_is_not_understood_is_refused(rule: str) -> None:
    with pytest.raises(RuleNotUnderstood):
        dates(rule)


WEEKDAY = st.sampled_from(WEEKDAYS)
DAY = st.integers(-31, 31).filter(bool)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of every form that dateutil reads as RFC 5545 does."""
    every = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={every}", f"INTERVAL={draw(st.integers(1, 5))}"]
    # Not mixed with plain ones: of `MO,1MO` dateutil takes what is both, RFC 5545 what is either.
    numbered = every in {"MONTHLY", "YEARLY"} and draw(st.booleans())
    nth = st.sampled_from((-4, -1, 1, 2, 4))
    weekdays = st.tuples(nth, WEEKDAY).map(lambda one: f"{one[0]}{one[1]}") if numbered else WEEKDAY
    choices: dict[str, st.SearchStrategy[list[Any]]] = {
        "BYDAY": st.lists(weekdays, min_size=1, max_size=3, unique=True),
        "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True),
    }
    if every != "WEEKLY":
        choices["BYMONTHDAY"] = st.lists(DAY, min_size=1, max_size=4, unique=True)
    if every == "YEARLY":
        choices["BYYEARDAY"] = st.lists(
            st.integers(-366, 366).filter(bool), min_size=1, max_size=4, unique=True
        )
    chosen = draw(st.lists(st.sampled_from(sorted(choices)), unique=True, max_size=2))
    parts += [f"{name}={','.join(str(one) for one in draw(choices[name]))}" for name in chosen]
    if chosen and every != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from((1, 2, -1)))}")
    if every == "YEARLY" and "BYDAY" in chosen and not numbered and draw(st.booleans()):
        # Only beside BYDAY: without it dateutil takes the whole week, RFC 5545 the weekday of the start.
        weeks = st.lists(st.integers(-53, 53).filter(bool), min_size=1, max_size=6, unique=True)
        parts.append(f"BYWEEKNO={','.join(map(str, draw(weeks)))}")
    if every in {"WEEKLY", "YEARLY"}:
        parts.append(f"WKST={draw(WEEKDAY)}")
    return ";".join(parts)


ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in ("Europe/Stockholm", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC")
    ]
)
MOMENTS = st.datetimes(wall("2026-01-01T00:00"), wall("2027-12-31T00:00")).map(
    lambda one: one.replace(second=0, microsecond=0)
)


@pytest.fixture(scope="module", autouse=True)
def an_early_end_of_time() -> Iterator[None]:
    """dateutil looks for the next date of an impossible rule until the year 9999; 2040 is far enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dateutil.rrule, "datetime", SimpleNamespace(**vars(dt) | {"MAXYEAR": 2040}))
        yield


@settings(max_examples=300, deadline=None)
@given(rules(), MOMENTS, ZONES)
def test_the_dates_are_those_dateutil_finds(rule: str, first: datetime, zone: ZoneInfo) -> None:
    until = first.date() + timedelta(days=400)
    reference = dateutil.rrule.rrulestr(f"{rule};UNTIL={until:%Y%m%d}T235959", dtstart=first)
    theirs = {wall_text(one) for one in list(reference)}
    try:
        found = expand(rule, first, zone=zone, until=until, most=1000)
    except RuleWithoutDates:
        assert not theirs
        return
    ours = [*walls(found), *(wall for wall, _ in found.skipped)]
    assert sorted(ours) == sorted({wall_text(first)} | theirs)
    for wall, moment in found.moments:
        assert wall_text(moment.astimezone(zone)) == wall
    moments = [moment for _, moment in found.moments]
    assert moments == sorted(set(moments))
