"""Time zones, pure: every wall time is one moment or is refused with the valid ones, everywhere."""

# ruff: noqa: DTZ001  # wall times have no zone until they are given one
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.booking.rules.claims import (
    Claim,
    Wanted,
    free_units,
    from_multirange,
    nearest_free,
    to_multirange,
)
from services.booking.rules.times import check_rules, open_spans
from shared.contracts.booking.space_rules import GivenRules
from shared.kit.moments import AmbiguousTime, NoSuchTime, moment

ODD = (
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Eucla",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Europe/Dublin",
    "Pacific/Apia",
    "America/Nuuk",
    "Antarctica/Troll",
    "Europe/Stockholm",
)
zones = st.one_of(st.sampled_from(ODD), st.sampled_from(sorted(available_timezones()))).map(ZoneInfo)
walls = st.datetimes(datetime(1990, 1, 2), datetime(2199, 12, 30)).map(
    lambda one: one.replace(second=0, microsecond=0)
)


def changes_in(zone: ZoneInfo, year: int) -> list[datetime]:
    """The moments of a year at which the zone's offset changes, to the quarter of an hour."""
    found, before = [], None
    for hour in range(366 * 24 * 4):
        now = datetime(year, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * hour)
        offset = now.astimezone(zone).utcoffset()
        if before is not None and offset != before:
            found.append(now)
        before = offset
    return found


def check_wall(wall: datetime, zone: ZoneInfo) -> None:
    """One moment that shows this wall time; or refused, with exactly the choices that are themselves accepted."""
    possible = {
        utc
        for fold in (0, 1)
        if (utc := wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)).astimezone(zone).replace(tzinfo=None)
        == wall
    }
    try:
        found = moment(wall.isoformat(timespec="minutes"), zone, "start")
    except (NoSuchTime, AmbiguousTime) as refused:
        choices = refused.extra["choices"]
        meant = [moment(choice, zone, "start") for choice in choices]
        assert len(set(meant)) == 2
        for choice, utc in zip(choices, meant, strict=True):
            assert utc.astimezone(zone).isoformat() == choice
        if isinstance(refused, AmbiguousTime):
            assert set(meant) == possible
        else:
            assert possible == set()
            # They lie before and after the gap, as far from it as the wanted time lies inside.
            gap = meant[1].astimezone(zone).replace(tzinfo=None) - wall
            assert gap > timedelta(0) > meant[0].astimezone(zone).replace(tzinfo=None) - wall
    else:
        assert possible == {found}


@settings(max_examples=200, deadline=None)
@given(wall=walls, zone=zones)
@example(datetime(2027, 4, 4, 1, 45), ZoneInfo("Australia/Lord_Howe"))
@example(datetime(2027, 10, 3, 2, 15), ZoneInfo("Australia/Lord_Howe"))
@example(datetime(2011, 12, 30, 12, 0), ZoneInfo("Pacific/Apia"))  # a day that never was
def test_every_wall_time_is_one_moment_or_is_refused_with_the_valid_ones(
    wall: datetime, zone: ZoneInfo
) -> None:
    check_wall(wall, zone)


@pytest.mark.parametrize("name", ODD)
def test_around_every_change_of_clocks(name: str) -> None:
    zone = ZoneInfo(name)
    for change in changes_in(zone, 2027):
        for step in range(-9, 10):
            utc = change + timedelta(minutes=15 * step)
            check_wall(utc.astimezone(zone).replace(tzinfo=None), zone)
            check_wall(
                (utc - timedelta(minutes=15)).astimezone(zone).replace(tzinfo=None) + timedelta(minutes=15),
                zone,
            )


@settings(max_examples=100, deadline=None)
@given(
    instant=st.datetimes(datetime(1990, 1, 3), datetime(2199, 12, 29), timezones=st.just(UTC)),
    here=zones,
    there=zones,
)
def test_a_viewer_in_another_zone_means_the_same_instant(
    instant: datetime, here: ZoneInfo, there: ZoneInfo
) -> None:
    shown = instant.astimezone(there).isoformat()
    if instant.astimezone(there).utcoffset().total_seconds() % 60:  # type: ignore[union-attr]
        return  # offsets of days before railways have seconds; RFC 3339 cannot write them
    assert moment(shown, here, "start") == instant


ALWAYS = GivenRules()
DAY_AND_NIGHT = GivenRules.model_validate(
    {
        "opening_hours": {
            day: [{"opens": "00:00", "closes": "24:00"}]
            for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        }
    }
)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Stockholm", date(2027, 3, 28), 23),
        ("Europe/Stockholm", date(2027, 10, 31), 25),
        ("Europe/Stockholm", date(2027, 6, 1), 24),
        ("Australia/Lord_Howe", date(2027, 4, 4), 24.5),
        ("Australia/Lord_Howe", date(2027, 10, 3), 23.5),
        ("Asia/Kathmandu", date(2027, 3, 28), 24),
        ("America/St_Johns", date(2027, 3, 14), 23),
        ("Pacific/Chatham", date(2027, 4, 4), 25),
    ],
)
def test_a_day_is_as_long_as_it_is_on_change_days(zone: str, day: date, hours: float) -> None:
    for rules in (ALWAYS, DAY_AND_NIGHT):
        [(opens, closes)] = open_spans(rules, ZoneInfo(zone), day, day)
        assert (closes - opens) / timedelta(hours=1) == hours


@pytest.mark.parametrize(
    ("opens", "closes", "day", "hours"),
    [
        ("08:00", "18:00", date(2027, 3, 28), 10),
        ("08:00", "18:00", date(2027, 10, 31), 10),
        ("01:00", "04:00", date(2027, 3, 28), 2),
        ("01:00", "04:00", date(2027, 10, 31), 4),
        ("22:00", "24:00", date(2027, 3, 28), 2),
    ],
)
def test_opening_hours_on_change_days(opens: str, closes: str, day: date, hours: float) -> None:
    rules = GivenRules.model_validate({"opening_hours": {"sun": [{"opens": opens, "closes": closes}]}})
    [(start, end)] = open_spans(rules, ZoneInfo("Europe/Stockholm"), day, day)
    assert (end - start) / timedelta(hours=1) == hours


@settings(max_examples=100, deadline=None)
@given(zone=zones, first=st.dates(date(2026, 1, 1), date(2030, 1, 1)), days=st.integers(0, 30))
def test_open_day_and_night_is_open_without_a_break(zone: ZoneInfo, first: date, days: int) -> None:
    last = first + timedelta(days=days)
    [(opens, closes)] = open_spans(DAY_AND_NIGHT, zone, first, last)
    assert opens.astimezone(zone).date() == first
    assert closes.astimezone(zone).date() == last + timedelta(days=1)


@given(units=st.sets(st.integers(1, 60)))
def test_units_survive_the_way_to_postgresql_and_back(units: set[int]) -> None:
    assert from_multirange(to_multirange(units)) == tuple(sorted(units))


BASE = datetime(2027, 3, 1, tzinfo=UTC)
quarters = st.integers(0, 4 * 24 * 5)


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        start = BASE + timedelta(minutes=15 * draw(quarters))
        end = start + timedelta(minutes=15 * draw(st.integers(1, 40)))
        units = frozenset(draw(st.sets(st.integers(1, 3), min_size=1)))
        before, after = (timedelta(minutes=15 * draw(st.integers(0, 4))) for _ in range(2))
        found.append(Claim("a", units, start, end, start - before, end + after))
    return found


@settings(max_examples=100, deadline=None)
@given(
    taken=claims(),
    start=quarters,
    length=st.integers(1, 16),
    kind=st.sampled_from(["room", "flex"]),
    seats=st.integers(1, 3),
    before=st.integers(0, 4),
    after=st.integers(0, 4),
    hours=st.sampled_from(
        [None, {"mon": [("08:00", "18:00")], "tue": [("00:00", "24:00")], "wed": [("00:00", "12:00")]}]
    ),
)
def test_only_times_that_would_be_accepted_are_offered(
    taken: list[Claim], start: int, length: int, kind: str, seats: int, before: int, after: int, hours: object
) -> None:
    opening = None
    if isinstance(hours, dict):
        opening = {day: [{"opens": a, "closes": b} for a, b in spans] for day, spans in hours.items()}
    rules = GivenRules.model_validate(
        {"opening_hours": opening, "buffer_before_minutes": 15 * before, "buffer_after_minutes": 15 * after}
    )
    zone, now = ZoneInfo("Europe/Stockholm"), BASE + timedelta(hours=6)
    begins = BASE + timedelta(minutes=15 * start)
    span = (begins, begins + timedelta(minutes=15 * length))
    known = (begins - timedelta(days=2), span[1] + timedelta(days=8))
    wanted = Wanted(kind, (1, 2, 3), seats, span, rules, zone)
    offered = nearest_free(wanted, taken, now, known=known)
    assert len(offered) <= 3
    for number, one in enumerate(offered):
        assert one[1] - one[0] == span[1] - span[0]
        check_rules(rules, zone, one, now)
        assert one[0] >= now
        free = free_units((1, 2, 3), taken, one, rules)
        assert len(free) >= (seats if kind == "flex" else 3)
        assert all(one[1] <= other[0] or other[1] <= one[0] for other in offered[:number])
    distances = [abs(one[0] - begins) for one in offered]
    assert distances == sorted(distances)
