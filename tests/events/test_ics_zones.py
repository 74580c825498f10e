"""A VTIMEZONE gives the same offsets as the zone it stands for, around every jump, in both directions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from icalendar import Timezone

from services.events.rules.zones import vtimezone

FIRST, LAST = date(2027, 3, 1), date(2028, 5, 1)
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REMARKABLE = [
    "Europe/Stockholm",
    "Europe/Dublin",  # summer is its standard time
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "Africa/Casablanca",  # goes back for Ramadan, for less than 64 days
    "America/Sao_Paulo",
    "Pacific/Chatham",
    "UTC",
]
Onset = tuple[datetime, timedelta, timedelta]


def onsets_of(zone: Timezone) -> list[Onset]:
    """When, from which offset, to which: as RFC 5545 (3.6.5) says, onsets are wall time of the offset that ends."""
    found: list[Onset] = []
    parts: list[Any] = list(zone.subcomponents)
    for part in parts:
        assert "RDATE" not in part
        before, after = part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td
        found.append(((part["DTSTART"].dt - before).replace(tzinfo=UTC), before, after))
    return sorted(found)


def offset_at(moment: datetime, onsets: list[Onset]) -> timedelta:
    """The offset of the last onset."""
    return [after for since, _, after in onsets if since <= moment][-1]


def moments(zone: ZoneInfo) -> list[datetime]:
    """Each quarter of an hour around every jump, and every seventh hour between."""
    hours = [BEGIN + timedelta(hours=7 * n) for n in range(int((END - BEGIN) / timedelta(hours=7)))]
    near = []
    for before, after in pairwise(hours):
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            near += [before + timedelta(minutes=15 * n) for n in range(-16, 45)]
    return [*hours, *near, *(one - SECOND for one in near)]


@pytest.mark.parametrize("name", REMARKABLE)
def test_every_moment_has_the_zones_offset(name: str) -> None:
    zone, onsets = ZoneInfo(name), onsets_of(vtimezone(name, FIRST, LAST))
    for moment in moments(zone):
        assert offset_at(max(moment, onsets[0][0]), onsets) == moment.astimezone(zone).utcoffset(), moment


@pytest.mark.parametrize("name", REMARKABLE)
def test_each_onset_takes_over_from_the_one_before(name: str) -> None:
    onsets = onsets_of(vtimezone(name, FIRST, LAST))
    for (_, _, held), (_, before, after) in pairwise(onsets):
        assert before == held != after
    assert onsets[0][0] == BEGIN


@pytest.mark.parametrize("name", REMARKABLE)
def test_every_wall_time_means_the_same_moment(name: str) -> None:
    """From wall time to UTC: outside gaps and doubled hours there is one answer, and ours is it."""
    zone, onsets = ZoneInfo(name), onsets_of(vtimezone(name, FIRST, LAST))
    offsets = {after for _, _, after in onsets}
    for moment in moments(zone):
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if moment < BEGIN + timedelta(days=2):
            continue
        meant = {
            utc
            for offset in offsets
            if offset_at(utc := (wall - offset).replace(tzinfo=UTC), onsets) == offset
        }
        known = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
        assert moment in meant
        assert meant == known


def test_the_forward_jump_is_written_in_the_time_that_ends() -> None:
    text = vtimezone("Europe/Stockholm", FIRST, LAST).to_ical().decode()
    assert "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\n" in text
    assert "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\n" in text


def test_ramadan_in_morocco_is_not_overlooked() -> None:
    years = {
        since.year for since, _, after in onsets_of(vtimezone("Africa/Casablanca", FIRST, LAST)) if not after
    }
    assert years == {2026, 2027, 2028, 2029}


def test_icalendar_understands_it_alike() -> None:
    zone = ZoneInfo("Europe/Stockholm")
    read: Any = Timezone.from_ical(vtimezone(zone.key, FIRST, LAST).to_ical())
    made = read.to_tz(lookup_tzid=False)
    for moment in moments(zone)[::5]:
        if moment > BEGIN + timedelta(days=2):
            wall = moment.astimezone(zone)
            assert wall.replace(tzinfo=made).utcoffset() == wall.utcoffset() or wall.fold or _jumps(wall)


def _jumps(wall: datetime) -> bool:
    return wall.replace(fold=1).utcoffset() != wall.replace(fold=0).utcoffset()


def test_a_zone_of_this_machine_never_fails() -> None:
    for name in sorted(available_timezones())[::7]:
        assert vtimezone(name, FIRST, FIRST).to_ical()
