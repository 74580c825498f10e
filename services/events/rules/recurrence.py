"""The dates of an RFC 5545 (section 3.3.10) rule in the hub's local time, found in a time that does not depend on the rule.

dateutil's rrule does not do: it looks for the next date of a rule that has none until the year 9999, UNTIL, `between` and
`islice` notwithstanding (6.4 s for `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30`), so that it is the tests' oracle and no more.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import vRecur

from services.events.rules.refusals import RuleNotUnderstood, RuleWithoutDates, TooManyDates

LONGEST_RULE = 500
MOST = 200
"""Dates one order makes at most: each is an event of its own."""
LEFT_OUT = "left-out"
SKIPPED_BY_CLOCKS = "time-does-not-exist"
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# Part, the least and the most of its absolute value, and the frequencies RFC 5545 section 3.3.10 has it for.
_BY = {
    "BYMONTH": (1, 12, _FREQUENCIES),
    "BYWEEKNO": (-53, 53, ("YEARLY",)),
    "BYYEARDAY": (-366, 366, ("YEARLY",)),
    "BYMONTHDAY": (-31, 31, ("DAILY", "MONTHLY", "YEARLY")),
    "BYSETPOS": (-366, 366, _FREQUENCIES),
}
_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_BY}


@dataclass(frozen=True)
class Rule:
    """A rule taken apart; empty sets filter nothing."""

    every: str
    interval: int
    count: int | None
    until: datetime | None
    week_start: int
    by_day: tuple[tuple[int, int], ...]
    by: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Dates:
    """What a rule comes to: wall time and UTC moment of each date, and the dates that were left out, with the reason.

    `goes_on` is true when the rule has, or may have, dates after those asked for.
    """

    moments: tuple[tuple[str, datetime], ...]
    skipped: tuple[tuple[str, str], ...]
    goes_on: bool


def wall_text(wall: datetime) -> str:
    """A wall time as it is kept: `2027-03-01T10:00`."""
    plain = wall.replace(tzinfo=None, fold=0)
    return plain.isoformat(timespec="auto" if plain.second or plain.microsecond else "minutes")


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The UTC moment of a wall time; the first of two, None where the clocks jump over it."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    back = found.astimezone(zone).replace(tzinfo=None, fold=0)
    return found if back == wall.replace(fold=0) else None


def expand(
    rule: str,
    first: datetime,
    extra: Iterable[datetime] = (),
    except_: Iterable[datetime] = (),
    *,
    zone: ZoneInfo,
    until: date,
    since: date | None = None,
    most: int = MOST,
) -> Dates:
    """The dates from `first`, which is one of them, to the end of day `until`; with `since` only those after that day.

    Dates in `extra` are there however late they are.
    All times are wall times in `zone`. As RFC 5545 has it, times the clocks jump over are no dates and are not counted.
    Raises RuleNotUnderstood, RuleWithoutDates when the rule itself gives none, TooManyDates above `most`.
    """
    parsed = parse(rule, zone)
    horizon = datetime.combine(until, datetime.max.time())
    last = horizon if parsed.until is None else min(parsed.until, horizon)
    goes_on = parsed.until is None or parsed.until > horizon
    walls, skipped, exhausted = _walk(parsed, first, last, zone, since, most)
    left_out = {one.replace(fold=0) for one in except_}
    kept = {one.replace(fold=0): one for one in (*extra, *walls) if one.replace(fold=0) not in left_out}
    skipped |= {wall_text(one): LEFT_OUT for one in walls if one.replace(fold=0) in left_out}
    chosen = [kept[key] for key in sorted(kept) if since is None or key.date() > since]
    if len(chosen) > most:
        raise _too_many(most)
    moments = tuple((wall_text(one), found) for one in chosen if (found := moment_of(one, zone)))
    after = "" if since is None else (since + timedelta(days=1)).isoformat()
    return Dates(
        moments, tuple(one for one in sorted(skipped.items()) if one[0] >= after), goes_on and not exhausted
    )


def _walk(
    rule: Rule, first: datetime, last: datetime, zone: ZoneInfo, since: date | None, most: int
) -> tuple[list[datetime], dict[str, str], bool]:
    """The wall times that are there, those the clocks jump over, and whether COUNT has been reached."""
    walls: list[datetime] = []
    skipped: dict[str, str] = {}
    for wall in _from(first, _matching(rule, first, last)):
        if rule.count is not None and len(walls) >= rule.count:
            return walls, skipped, True
        if moment_of(wall, zone) is None:
            skipped[wall_text(wall)] = SKIPPED_BY_CLOCKS
        else:
            walls.append(wall)
            _refuse_endless(walls, since, most)
    return walls, skipped, False


def _from(first: datetime, matching: Iterator[datetime]) -> Iterator[datetime]:
    """The start given, then what the rule gives after it; RuleWithoutDates when that is nothing, not even the start."""
    following = next(matching, None)
    if following is None:
        raise RuleWithoutDates(
            "This rule gives no date within a year. Look at its days and months.", field="rule"
        )
    yield first
    if following.replace(fold=0) != first.replace(fold=0):
        yield following
    yield from matching


def _refuse_endless(walls: list[datetime], since: date | None, most: int) -> None:
    if len(walls) > most and (since is None or walls[-most - 1].date() > since):
        raise _too_many(most)


def _too_many(most: int) -> TooManyDates:
    return TooManyDates(
        f"This rule gives more than {most} dates within a year. Say an end by COUNT or UNTIL.", field="rule"
    )


def parse(text: str, zone: ZoneInfo) -> Rule:
    """The rule taken apart; RuleNotUnderstood with a sentence about what is wrong with it."""
    if len(text) > LONGEST_RULE:
        raise _not_understood(f"it is longer than {LONGEST_RULE} characters")
    try:
        parts: dict[str, list[Any]] = {
            key.upper(): list(value) for key, value in vRecur.from_ical(text).items()
        }
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _not_understood(str(error)[:100] or "it is no RRULE") from None
    unknown = sorted(set(parts) - _KNOWN)
    if unknown:
        raise _not_understood(f"it has {unknown[0][:20]}")
    every = str(_one(parts, "FREQ", "")).upper()
    if every not in _FREQUENCIES:
        raise _not_understood(f"FREQ must be one of {', '.join(_FREQUENCIES)}")
    interval, count = _one(parts, "INTERVAL", 1), _one(parts, "COUNT", None)
    if interval < 1 or (count is not None and count < 1):
        raise _not_understood("INTERVAL and COUNT are at least 1")
    if count is not None and "UNTIL" in parts:
        raise _not_understood("COUNT and UNTIL exclude each other")
    by = {name: _numbers(name, parts.get(name, ()), every) for name in _BY}
    by_day = tuple(_weekday(one, every, weeks=bool(by["BYWEEKNO"])) for one in parts.get("BYDAY", ()))
    if by["BYSETPOS"] and not by_day and not any(by[name] for name in _BY if name != "BYSETPOS"):
        raise _not_understood("BYSETPOS needs another BY part")
    return Rule(
        every=every,
        interval=interval,
        count=count,
        until=_until(_one(parts, "UNTIL", None), zone),
        week_start=WEEKDAYS.index(str(_one(parts, "WKST", "MO")).upper()),
        by_day=by_day,
        by=by,
    )


def _not_understood(why: str) -> RuleNotUnderstood:
    return RuleNotUnderstood(f"This rule is not understood: {why}.", field="rule")


def _one(parts: Mapping[str, list[Any]], name: str, default: Any) -> Any:
    values = parts.get(name)
    if not values:
        return default
    if len(values) > 1:
        raise _not_understood(f"{name} has several values")
    return values[0]


def _numbers(name: str, values: Iterable[Any], every: str) -> tuple[int, ...]:
    least, most, frequencies = _BY[name]
    try:
        numbers = tuple(int(str(value)) for value in values)
    except ValueError:
        raise _not_understood(f"{name} must be numbers") from None
    if any(number == 0 or not least <= number <= most for number in numbers):
        raise _not_understood(f"{name} is out of range")
    if numbers and every not in frequencies:
        raise _not_understood(f"{name} does not go with FREQ={every}")
    return numbers


def _weekday(value: Any, every: str, *, weeks: bool) -> tuple[int, int]:
    """Which of that weekday, 0 for each, and the weekday."""
    text = str(value).upper()
    number = text[:-2]
    if number and (weeks or every not in {"MONTHLY", "YEARLY"}):
        raise _not_understood("a numbered BYDAY goes with FREQ=MONTHLY and FREQ=YEARLY only")
    nth = int(number) if number else 0
    if abs(nth) > 53 or (number and nth == 0):
        raise _not_understood("BYDAY is out of range")
    return nth, WEEKDAYS.index(text[-2:])


def _until(value: Any, zone: ZoneInfo) -> datetime | None:
    """The last moment as a wall time: a day ends when the day does, UTC is turned into the hub's time."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, datetime.max.time())
    raise _not_understood("UNTIL must be a date or a moment")


def _matching(rule: Rule, first: datetime, last: datetime) -> Iterator[datetime]:
    """What the rule gives from `first` to `last`.

    Period by period up to `last` and never further: libraries look for the next date of an impossible rule until the year 9999.
    """
    for days in _periods(rule, first.date(), last.date()):
        matching = [day for day in days if _matches(rule, day, first.date())]
        for day in _chosen(matching, rule.by["BYSETPOS"]):
            wall = datetime.combine(day, first.time()).replace(fold=0)
            if first.replace(fold=0) <= wall <= last:
                yield wall


def _chosen(days: list[date], places: tuple[int, ...]) -> list[date]:
    if not places:
        return days
    return sorted({days[n - 1 if n > 0 else n] for n in places if abs(n) <= len(days)})


def _periods(rule: Rule, first: date, last: date) -> Iterator[list[date]]:
    """The days of each period the rule looks at, from the one with `first` to the one with `last`."""
    begins = _begin(rule, first)
    while begins <= last:
        ends = _next(rule.every, begins, 1)
        yield [begins + timedelta(days=n) for n in range((ends - begins).days)]
        if (last - begins).days // rule.interval < 1:
            return  # an interval may be larger than the calendar
        begins = _next(rule.every, begins, rule.interval)


def _begin(rule: Rule, first: date) -> date:
    if rule.every == "WEEKLY":
        return first - timedelta(days=(first.weekday() - rule.week_start) % 7)
    if rule.every == "MONTHLY":
        return first.replace(day=1)
    return first.replace(month=1, day=1) if rule.every == "YEARLY" else first


def _next(every: str, begins: date, steps: int) -> date:
    if every == "YEARLY":
        return begins.replace(year=begins.year + steps)
    if every == "MONTHLY":
        months = begins.year * 12 + begins.month - 1 + steps
        return date(months // 12, months % 12 + 1, 1)
    return begins + timedelta(days=steps * (7 if every == "WEEKLY" else 1))


def _matches(rule: Rule, day: date, first: date) -> bool:
    by = rule.by
    if by["BYMONTH"] and day.month not in by["BYMONTH"]:
        return False
    if by["BYMONTHDAY"] and not _counts(
        by["BYMONTHDAY"], day.day, calendar.monthrange(day.year, day.month)[1]
    ):
        return False
    year_day, days = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    if by["BYYEARDAY"] and not _counts(by["BYYEARDAY"], year_day, days):
        return False
    if by["BYWEEKNO"] and not _counts(by["BYWEEKNO"], *_week(day, rule.week_start)):
        return False
    if rule.by_day:
        return any(_is_weekday(rule, day, nth, weekday) for nth, weekday in rule.by_day)
    return _as_first(rule, day, first)


def _as_first(rule: Rule, day: date, first: date) -> bool:
    """What the rule leaves open is as it is on the first date."""
    said = {name for name in ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY") if rule.by[name]}
    if rule.every == "DAILY" or said - {"BYWEEKNO"}:
        return True
    if rule.every == "WEEKLY" or said:
        return day.weekday() == first.weekday()
    if rule.every == "YEARLY" and not rule.by["BYMONTH"] and day.month != first.month:
        return False
    return day.day == first.day


def _counts(numbers: tuple[int, ...], place: int, length: int) -> bool:
    """Whether `place` of `length` is meant, from the front or, negative, from the back."""
    return place in numbers or place - length - 1 in numbers


def _is_weekday(rule: Rule, day: date, nth: int, weekday: int) -> bool:
    if day.weekday() != weekday:
        return False
    if nth == 0:
        return True
    if rule.every == "MONTHLY" or rule.by["BYMONTH"]:
        place, length = day.day, calendar.monthrange(day.year, day.month)[1]
    else:
        place, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    return nth in ((place - 1) // 7 + 1, -((length - place) // 7 + 1))


def _week(day: date, week_start: int) -> tuple[int, int]:
    """Number of the day's week and how many weeks its year has; week 1 is the first with four days in the year."""
    year = (day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)).year
    begins, ends = _first_week(year, week_start), _first_week(year + 1, week_start)
    return (day - begins).days // 7 + 1, (ends - begins).days // 7


def _first_week(year: int, week_start: int) -> date:
    fourth = date(year, 1, 4)
    return fourth - timedelta(days=(fourth.weekday() - week_start) % 7)
