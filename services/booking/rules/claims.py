"""Units and who claims them when: the arithmetic the exclusion constraints do, for what is told to people."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.booking.rules.times import check_rules, open_spans
from shared.contracts.booking.space_rules import SpaceRules
from shared.contracts.booking.words import BY_SEAT, SpaceKind
from shared.kit.errors import Conflict
from shared.kit.moments import Span

Units = tuple[int, ...]
"""Unit numbers of one hub, ascending."""

LONGEST_BUFFER = timedelta(days=1)
"""Contracts allow no longer one, so nothing that begins more than a day later can reach back."""
MOST_TRIED = 400
"""How many times are looked at to find the nearest free ones; the work for a refusal must not grow for ever."""


def to_multirange(units: Iterable[int]) -> str:
    """PostgreSQL's text form of a set of units: `{[1,4),[7,8)}`."""
    ordered = sorted(set(units))
    if not ordered:
        return "{}"
    starts = [ordered[0], *(unit for before, unit in pairwise(ordered) if unit != before + 1)]
    ends = [*(unit + 1 for unit, after in pairwise(ordered) if after != unit + 1), ordered[-1] + 1]
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
    taken: set[int] = set()
    for claim in in_the_way(units, claims, wanted, rules):
        taken |= claim.units
    return tuple(unit for unit in units if unit not in taken)


def in_the_way(units: Units, claims: Iterable[Claim], wanted: Span, rules: SpaceRules) -> list[Claim]:
    """The claims on these units that stand against `wanted`."""
    before, after = buffers(rules)
    mine = frozenset(units)
    return [
        claim
        for claim in claims
        if not mine.isdisjoint(claim.units) and claim.stands_against(wanted, before, after)
    ]


def needed(kind: str, units: Units, seats: int) -> int:
    """How many units a booking of that many seats takes."""
    return seats if by_seat(kind) else len(units)


class Diary:
    """Claims on a place laid out by time, so that those near a moment are found without looking at all."""

    def __init__(self, units: Units, claims: Iterable[Claim], rules: SpaceRules) -> None:
        mine = frozenset(units)
        self.units = units
        self.claims = sorted(
            (claim for claim in claims if not mine.isdisjoint(claim.units)), key=lambda one: one.start
        )
        self._rules = rules
        self._starts = [claim.start for claim in self.claims]
        # One that lasts for weeks would make every look begin weeks before; such are few and always looked at.
        self._long = [claim for claim in self.claims if claim.end - claim.start > LONGEST_BUFFER]

    def free(self, wanted: Span) -> Units:
        """The units nobody's claim stands against in that time."""
        first = bisect_left(self._starts, wanted[0] - LONGEST_BUFFER * 2)
        last = bisect_left(self._starts, wanted[1] + LONGEST_BUFFER)
        near = [*self._long, *self.claims[first:last]]
        return free_units(self.units, near, wanted, self._rules)

    def turning_points(self, length: timedelta) -> set[datetime]:
        """Starts at which a booking of that length would follow or precede a claim as closely as it may."""
        before, after = buffers(self._rules)
        following = {max(claim.kept_until, claim.end + before) for claim in self.claims}
        preceding = {min(claim.kept_from, claim.start - after) - length for claim in self.claims}
        return following | preceding


@dataclass(frozen=True)
class Wanted:
    """What somebody wants of a place, and the place's own terms."""

    kind: str
    units: Units
    seats: int
    span: Span
    rules: SpaceRules
    zone: ZoneInfo


def nearest_free(
    wanted: Wanted, claims: Sequence[Claim], now: datetime, *, known: Span, most: int = 3
) -> list[Span]:
    """Up to `most` times of the same length that can be booked, nearest to the wanted one first.

    Only moments where something changes can be best: right after or right before a claim, and when doors open or
    close. `known` is the time within which `claims` are all there are; nothing is promised near or beyond its ends.
    """
    length = wanted.span[1] - wanted.span[0]
    diary = Diary(wanted.units, claims, wanted.rules)
    starts = {wanted.span[0]} | diary.turning_points(length) | _doors(wanted, length)
    found: list[Span] = []
    for start in sorted(starts, key=lambda one: (abs(one - wanted.span[0]), one))[:MOST_TRIED]:
        candidate = (start, start + length)
        if start < now or start - LONGEST_BUFFER < known[0] or candidate[1] + LONGEST_BUFFER > known[1]:
            continue
        if any(start < end and begin < candidate[1] for begin, end in found):
            continue
        if _allowed(wanted, candidate, now) and len(diary.free(candidate)) >= needed(
            wanted.kind, wanted.units, wanted.seats
        ):
            found.append(candidate)
            if len(found) == most:
                break
    return found


def _doors(wanted: Wanted, length: timedelta) -> set[datetime]:
    rules = wanted.rules
    if rules.opening_hours is None and not rules.closed_days:
        return set()
    day = wanted.span[0].astimezone(wanted.zone).date()
    spans = open_spans(rules, wanted.zone, day - timedelta(days=1), day + timedelta(days=7))
    return {start for opens, closes in spans for start in (opens, closes - length)}


def _allowed(wanted: Wanted, candidate: Span, now: datetime) -> bool:
    try:
        check_rules(wanted.rules, wanted.zone, candidate, now)
    except Conflict:
        return False
    return True
