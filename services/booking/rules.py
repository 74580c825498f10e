"""The rules of booking: pure functions over times, units and a hub's own wish, and the errors they raise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts.booking.requests import SpaceRules, Weekday
from shared.contracts.booking.words import BY_SEAT, SpaceKind
from shared.kit.errors import Conflict, Forbidden, Invalid

Units = tuple[int, ...]
"""Unit numbers of one hub, ascending."""

Span = tuple[datetime, datetime]
"""From and until, aware UTC; the end is not part of it."""

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GRACE = timedelta(minutes=15)
"""How long after its start a booking can still be made: somebody is standing at the desk."""
CHECK_IN_EARLY = timedelta(minutes=30)
EARLIEST_YEAR, LATEST_YEAR = 1990, 2200
HIDDEN_BELOW = 5
BANDS = ((5, 9), (10, 19), (20, 49), (50, 99))
PUBLIC_EVERY = timedelta(minutes=5)


class SpaceTaken(Conflict):
    """Somebody else has it at that time."""

    code = "space-taken"
    title = "Taken at that time"


class Closed(Conflict):
    """The doors are shut at that time."""

    code = "closed"
    title = "Closed at that time"


class AgainstTheRules(Conflict):
    """The space's rules do not allow it; `code` says which one."""

    title = "Against the rules of the space"

    def __init__(self, code: str, detail: str, *, field: str) -> None:
        super().__init__(detail, field=field)
        self.code = code  # type: ignore[misc]


class NoSuchTime(Invalid):
    """The clocks skip that wall time."""

    code = "time-does-not-exist"
    title = "That time does not exist there"


class AmbiguousTime(Invalid):
    """The clocks show that wall time twice."""

    code = "time-exists-twice"
    title = "That time exists twice there"


class NotAMember(Forbidden):
    """Only those who belong to a hub book there."""

    code = "not-a-member"
    title = "Join the hub first"


class HoldExpired(Conflict):
    """The hold was not confirmed in time."""

    code = "hold-expired"
    title = "The hold has lapsed"


class WrongState(Conflict):
    """The booking is not in a state in which this can be done."""

    code = "wrong-state"
    title = "Not possible in this state"


def to_multirange(units: Iterable[int]) -> str:
    """PostgreSQL's text form of a set of units: `{[1,4),[7,8)}`."""
    ordered = sorted(set(units))
    starts = [unit for before, unit in pairwise([None, *ordered]) if before is None or unit != before + 1]
    ends = [unit + 1 for unit, after in pairwise([*ordered, None]) if after is None or after != unit + 1]
    return "{" + ",".join(f"[{start},{end})" for start, end in zip(starts, ends, strict=True)) + "}"


def from_multirange(text: str) -> Units:
    """The units in PostgreSQL's text form."""
    if text == "{}":
        return ()
    units: list[int] = []
    for part in text[2:-2].split("),["):
        start, end = part.split(",")
        units.extend(range(int(start), int(end)))
    return tuple(units)


def by_seat(kind: str) -> bool:
    """True when the space's units are taken one by one."""
    return SpaceKind(kind) in BY_SEAT


def moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    """The UTC moment meant by a time with offset, or by wall time in the hub's zone.

    Raises NoSuchTime or AmbiguousTime with the valid choices where the clocks jump (RFC 5545 leaves both to guessing; people who meet at a
    door must not guess), Invalid when it is no time at all.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if len(text) < 13 or not EARLIEST_YEAR <= parsed.year < LATEST_YEAR:
            raise ValueError
    except ValueError:
        raise Invalid(
            f"{field} must be a time such as 2027-03-01T10:00:00+01:00, or 2027-03-01T10:00 in the hub's zone.",
            field=field,
        ) from None
    if parsed.tzinfo is not None:
        return parsed.astimezone(UTC)
    return _from_wall(parsed, zone, field)


def _from_wall(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    choices = sorted({first.astimezone(UTC), second.astimezone(UTC)})
    shown = [choice.astimezone(zone).isoformat() for choice in choices]
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall:
        raise AmbiguousTime(
            f"{wall.isoformat()} happens twice in {zone.key}: the clocks go back. Choose {' or '.join(shown)}.",
            field=field,
            choices=shown,
        )
    raise NoSuchTime(
        f"{wall.isoformat()} does not exist in {zone.key}: the clocks go forward. Choose {' or '.join(shown)}.",
        field=field,
        choices=shown,
    )


def span(start: str, end: str, zone: ZoneInfo) -> Span:
    """Both ends of a booking as UTC moments; Invalid when the end is not after the start."""
    begins, ends = moment(start, zone, "start"), moment(end, zone, "end")
    if ends <= begins:
        raise Invalid("end must be after start.", field="end")
    return begins, ends


def _clock(day: date, text: str, zone: ZoneInfo) -> datetime:
    if text == "24:00":
        return datetime.combine(day + timedelta(days=1), clock_time(), zone).astimezone(UTC)
    return datetime.combine(day, clock_time.fromisoformat(text), zone).astimezone(UTC)


def open_spans(rules: SpaceRules, zone: ZoneInfo, first: date, last: date) -> list[Span]:
    """When the doors are open on these days of the hub's calendar, merged across midnight."""
    spans: list[Span] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day in rules.closed_days:
            continue
        if rules.opening_hours is None:
            today = [(_clock(day, "00:00", zone), _clock(day, "24:00", zone))]
        else:
            intervals = rules.opening_hours.get(WEEKDAYS[day.weekday()], ())
            today = sorted((_clock(day, one.opens, zone), _clock(day, one.closes, zone)) for one in intervals)
        for start, end in today:
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(spans[-1][1], end))
            elif start < end:
                spans.append((start, end))
    return spans


def is_open(rules: SpaceRules, zone: ZoneInfo, wanted: Span) -> bool:
    """True when the doors are open the whole time."""
    first, last = wanted[0].astimezone(zone).date(), wanted[1].astimezone(zone).date()
    if rules.opening_hours is None and not rules.closed_days:
        return True
    return any(start <= wanted[0] and wanted[1] <= end for start, end in open_spans(rules, zone, first, last))


def check_rules(rules: SpaceRules, zone: ZoneInfo, wanted: Span, now: datetime) -> None:
    """Raises the first rule of the space that stands against a booking of that time made now."""
    start, end = wanted
    minutes = (end - start) / timedelta(minutes=1)
    if minutes < rules.shortest_minutes:
        raise AgainstTheRules(
            "too-short", f"Bookings here last at least {rules.shortest_minutes} minutes.", field="end"
        )
    if minutes > rules.longest_minutes:
        raise AgainstTheRules(
            "too-long", f"Bookings here last at most {rules.longest_minutes} minutes.", field="end"
        )
    if start < now - GRACE:
        raise AgainstTheRules("in-the-past", "That time has already begun.", field="start")
    # Days, not hours: "a week ahead" lasts until the end of that day whatever the clocks do in between.
    if start.astimezone(zone).date() > now.astimezone(zone).date() + timedelta(days=rules.days_ahead):
        raise AgainstTheRules(
            "too-far-ahead", f"This can be booked {rules.days_ahead} days ahead.", field="start"
        )
    if not is_open(rules, zone, wanted):
        raise Closed(
            "It is closed for at least a part of that time.",
            field="start",
            open=_opening_around(rules, zone, wanted),
        )


def _opening_around(rules: SpaceRules, zone: ZoneInfo, wanted: Span) -> list[dict[str, str]]:
    day = wanted[0].astimezone(zone).date()
    spans = open_spans(rules, zone, day, day + timedelta(days=7))
    return [shown_span(one, zone) for one in spans[:3]]


def shown_span(one: Span, zone: ZoneInfo) -> dict[str, str]:
    """A span for people, in the hub's zone."""
    return {"start": one[0].astimezone(zone).isoformat(), "end": one[1].astimezone(zone).isoformat()}


@dataclass(frozen=True)
class Claim:
    """Units claimed by a live booking, with the time kept free around it."""

    space: str
    units: frozenset[int]
    start: datetime
    end: datetime
    kept_from: datetime
    kept_until: datetime

    def stands_against(self, wanted: Span, before: timedelta, after: timedelta) -> bool:
        """True when a booking of `wanted` with these buffers cannot share a unit with this one.

        The same rule as the two exclusion constraints: of two neighbours' buffers the longer counts.
        """
        start, end = wanted
        overlaps = start < self.kept_until and self.start < end + after
        too_close = start - before < self.end and self.kept_from < end
        return overlaps or too_close


def buffers(rules: SpaceRules) -> tuple[timedelta, timedelta]:
    """Time kept free before and after a booking."""
    return timedelta(minutes=rules.buffer_before_minutes), timedelta(minutes=rules.buffer_after_minutes)


def free_units(units: Units, claims: Iterable[Claim], wanted: Span, rules: SpaceRules) -> Units:
    """The units nobody's claim stands against."""
    before, after = buffers(rules)
    taken: set[int] = set()
    for claim in claims:
        if claim.stands_against(wanted, before, after):
            taken |= claim.units
    return tuple(unit for unit in units if unit not in taken)


def in_the_way(units: Units, claims: Iterable[Claim], wanted: Span, rules: SpaceRules) -> list[Claim]:
    """The claims on these units that stand against `wanted`."""
    before, after = buffers(rules)
    mine = frozenset(units)
    return [claim for claim in claims if claim.units & mine and claim.stands_against(wanted, before, after)]


def enough_free(
    kind: str, units: Units, seats: int, claims: Iterable[Claim], wanted: Span, rules: SpaceRules
) -> bool:
    """True when a booking of that many seats, or of the whole, finds its units free."""
    free = free_units(units, claims, wanted, rules)
    return len(free) >= seats if by_seat(kind) else len(free) == len(units)


def nearest_free(
    kind: str,
    units: Units,
    seats: int,
    claims: Sequence[Claim],
    wanted: Span,
    rules: SpaceRules,
    zone: ZoneInfo,
    now: datetime,
    most: int = 3,
) -> list[Span]:
    """Up to `most` times of the same length that can be booked, nearest to the wanted one first.

    Only moments where something changes can be best: right after or right before a claim, and when doors open.
    """
    length = wanted[1] - wanted[0]
    before, after = buffers(rules)
    mine = frozenset(units)
    starts = {wanted[0]}
    for claim in claims:
        if claim.units & mine:
            starts.add(max(claim.kept_until, claim.end + before))
            starts.add(min(claim.kept_from, claim.start - after) - length)
    day = wanted[0].astimezone(zone).date()
    if rules.opening_hours is not None or rules.closed_days:
        for opens, closes in open_spans(rules, zone, day - timedelta(days=1), day + timedelta(days=7)):
            starts |= {opens, closes - length}
    found: list[Span] = []
    for start in sorted(starts, key=lambda one: (abs(one - wanted[0]), one)):
        candidate = (start, start + length)
        if start < now or any(candidate[0] < end and begin < candidate[1] for begin, end in found):
            continue
        try:
            check_rules(rules, zone, candidate, now)
        except Conflict:
            continue
        if enough_free(kind, units, seats, claims, candidate, rules):
            found.append(candidate)
            if len(found) == most:
                break
    return found


def public_band(present: int) -> str | None:
    """What the public may know of how many are there: nothing below 5, then a band."""
    if present < HIDDEN_BELOW:
        return None
    for low, high in BANDS:
        if present <= high:
            return f"{low}-{high}"
    return "100+"


def public_total(total: int, parts: Sequence[int]) -> str | None:
    """The hub's band, or None when it would give away a space that is hidden.

    With exactly one hidden space the total minus the others is that space (complementary suppression, the usual rule of statistical
    disclosure control), so then it is hidden too.
    """
    hidden = sum(1 for part in parts if part < HIDDEN_BELOW)
    return None if hidden == 1 else public_band(total)


def public_moment(now: datetime) -> datetime:
    """The last full five minutes: public figures change only then."""
    return now - (now - datetime.min.replace(tzinfo=UTC)) % PUBLIC_EVERY


State = Literal["held", "confirmed", "checked_in", "checked_out", "cancelled", "expired"]


def check_in_window(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raises when it is too early or too late to check in."""
    if now < starts_at - CHECK_IN_EARLY:
        minutes = int(CHECK_IN_EARLY / timedelta(minutes=1))
        raise WrongState(f"It is too early: check-in opens {minutes} minutes before the start.")
    if now >= ends_at:
        raise WrongState("The booking is over.")
