"""Moments in people's own time: quiet hours, digests, reminders, right where the clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.contracts.notify.words import Pace

LONGEST_GATHER = timedelta(minutes=2)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTES_A_DAY = 1440


def gathered(first_at: datetime, now: datetime, gather: timedelta) -> datetime:
    """When to say what is being edited: some time after the last edit, and soon after the first in any case."""
    return min(first_at + LONGEST_GATHER, now + gather)


def end_of_quiet(at: datetime, zone: str, start: time, end: time) -> datetime | None:
    """The first moment after `at` that is not quiet where the person is; None when `at` is not quiet itself.

    Quiet is what the clock on the wall says. Where the clocks go back over the end of the quiet hours it is quiet a second
    time, and where they go back over their beginning it is not for a while; where they jump over the end, quiet ends with
    the jump, unless it is quiet again there.
    """
    here, moment = ZoneInfo(zone), at
    while _within(_wall(moment, here), start, end):
        ends = _next(moment, end, here)
        if ends.astimezone(here).utcoffset() != moment.astimezone(here).utcoffset():
            ends = _change(moment.astimezone(UTC).replace(microsecond=0), ends, here)
        moment = ends
    return moment if moment != at else None


def _wall(at: datetime, here: ZoneInfo) -> time:
    return at.astimezone(here).time().replace(fold=0)


def _next(at: datetime, wall: time, here: ZoneInfo) -> datetime:
    """When the clock on the wall shows it next."""
    today = at.astimezone(here).date()
    shown = datetime.combine(today if _wall(at, here) < wall else today + _DAY, wall)
    for fold in (0, 1):
        moment = _moment(shown.replace(fold=fold), here)
        if moment > at:
            return moment
    raise AssertionError(f"{shown} in {here} is not after {at}")


def _within(wall: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def next_digest(at: datetime, zone: str, digest_at: time, pace: Pace) -> datetime:
    """The first moment after `at` at which a digest comes: every day, or on Mondays."""
    here = ZoneInfo(zone)
    day = at.astimezone(here).date() - _DAY
    for _ in range(10):
        if pace is not Pace.WEEKLY or day.weekday() == 0:
            moment = _moment(datetime.combine(day, digest_at), here)
            if moment > at:
                return moment
        day += _DAY
    raise AssertionError(f"no {pace} digest within ten days of {at} in {zone}")


def remind_at(start: datetime, minutes: int, zone: str) -> datetime:
    """When to remind of what begins at `start`: days before are days on the wall, the rest of the minutes go by.

    A day before 10:00 is 10:00 also when the clocks are changed that night; an hour before is an hour.
    """
    days, rest = divmod(minutes, _MINUTES_A_DAY)
    moment = start.astimezone(UTC)
    if days:
        here = ZoneInfo(zone)
        wall = start.astimezone(here).replace(tzinfo=None, fold=0) - days * _DAY
        moment = _moment(wall, here)
    return moment - timedelta(minutes=rest)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment the clock on the wall shows it, `fold` says which of two; what it skips is the moment it jumps."""
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    if (first.utcoffset() or timedelta()) >= (second.utcoffset() or timedelta()):
        return (second if wall.fold else first).astimezone(UTC)
    # Skipped: what it would be by the offset after the jump lies before it, by the one before the jump behind it.
    before, after = second.astimezone(UTC), first.astimezone(UTC)
    return _change(before, after, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between these at which the clocks are changed."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
