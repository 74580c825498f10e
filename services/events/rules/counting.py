"""Counting meetups and participants: what counts, in which month, and what of it the public may know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

HIDDEN_BELOW = 5
"""Fewer people than this are nobody's business outside."""


def participants(came: int, walk_ins: int, attending: int) -> int:
    """Who was there: counted at the door if anybody counted, else those who had a place."""
    counted = came + walk_ins
    return counted if counted > 0 else attending


def year_of(year: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the year begins and ends in the hub's zone."""
    return datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)


def for_public(people: int) -> int | None:
    """A figure, or None while it is so small that it tells of persons."""
    return people if people >= HIDDEN_BELOW else None


def total_for_public(parts: Sequence[int]) -> int | None:
    """The sum, or None when it would tell one of the parts that are hidden.

    The total minus what is shown is the sum of the hidden ones: that gives away a single one, and all of them when each is
    nought or each as large as it can be (complementary suppression).
    """
    hidden = [one for one in parts if one < HIDDEN_BELOW]
    told = len(hidden) == 1 or sum(hidden) in (0, len(hidden) * (HIDDEN_BELOW - 1))
    return None if hidden and told else for_public(sum(parts))


def share(part: int, whole: int) -> float | None:
    """A share from 0 to 1 in thousandths; None of nothing."""
    return None if whole == 0 else round(part / whole, 3)
