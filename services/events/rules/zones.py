"""VTIMEZONE: what a calendar program must know of a time zone, for the years a file speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def vtimezone(zone: str, first: date, last: date) -> Timezone:
    """The zone's offsets from the year before `first` to the end of the year after `last`; not to be changed.

    Made by hand: icalendar 7.3 looks for changes 64 days apart, so it overlooks the month Morocco goes back
    for Ramadan, and it writes the onset of a forward jump in the new offset where RFC 5545 (3.6.5) wants the
    wall time that ends.
    """
    return _vtimezone(zone, first.year - 1, last.year + 2)


@lru_cache(maxsize=256)
def _vtimezone(name: str, first_year: int, end_year: int) -> Timezone:
    zone = ZoneInfo(name)
    begin = datetime(first_year, 1, 1, tzinfo=UTC)
    made = Timezone()
    made.add("TZID", name)
    made.add_component(_part(zone, begin, _offset(begin, zone)))
    for moment in _changes(zone, begin, datetime(end_year, 1, 1, tzinfo=UTC)):
        made.add_component(_part(zone, moment, _offset(moment - _SECOND, zone)))
    return made


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The moments from which another offset holds; no zone changes its clocks twice within a day."""
    moment = begin
    while moment < end:
        following = moment + _DAY
        if _offset(moment, zone) != _offset(following, zone):
            yield _change_between(zone, moment, following)
        moment = following


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(before, zone)
    while after - before > _SECOND:
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after


def _part(zone: ZoneInfo, onset: datetime, before: timedelta) -> TimezoneStandard | TimezoneDaylight:
    """One part for each onset: of several dates in an RDATE ical.js reads only the first."""
    local = onset.astimezone(zone)
    part = TimezoneDaylight() if local.dst() else TimezoneStandard()
    part.add("DTSTART", (onset + before).replace(tzinfo=None))
    part.add("TZOFFSETFROM", before)
    part.add("TZOFFSETTO", _offset(onset, zone))
    part.add("TZNAME", local.tzname() or zone.key)
    return part
