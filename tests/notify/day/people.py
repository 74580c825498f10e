"""Who lives in the simulated hubs: where, with what choices, and when they may be written to by their own clock."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

ZONES = ("Europe/Stockholm", "Europe/Copenhagen", "Europe/Helsinki", "Europe/London", "Atlantic/Reykjavik")
FAR = ("America/New_York", "Pacific/Auckland", "Asia/Kolkata")
QUIETS = ((time(21), time(7)), (time(22), time(8)), (time(9), time(9)))
DOMAINS = ("post.example", "brev.example", *(f"d{number}.example" for number in range(40)))
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Person:
    """Somebody at one hub; `pace` is their choice for mail about bookings and places."""

    id: UUID
    hub: str
    zone: str
    language: str
    quiet: tuple[time, time]
    pace: str
    address: str
    member: bool

    def is_quiet(self, at: datetime) -> bool:
        """Whether their clock is in their quiet hours."""
        return _quiet(at, self.zone, *self.quiet)

    def after_quiet(self, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours it lies in, found minute by minute."""
        if not self.is_quiet(at):
            return at
        return _after_quiet(at.replace(second=0, microsecond=0), self.zone, *self.quiet)

    def next_digest(self, at: datetime, pace: str) -> datetime:
        """The next 07:30, of a Monday when weekly, by their clock, found minute by minute."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        found = _digest_from(hour, self.zone, pace)
        return found if found > at else _digest_from(hour + HOUR, self.zone, pace)

    def last_digest(self, at: datetime, pace: str) -> datetime:
        """The one before."""
        found = self.next_digest(at - timedelta(days=9), pace)
        while (following := self.next_digest(found, pace)) <= at:
            found = following
        return found


@dataclass(frozen=True)
class Hub:
    """A hub and its people."""

    slug: str
    zone: str
    people: tuple[Person, ...]


def _quiet(at: datetime, zone: str, start: time, end: time) -> bool:
    wall = at.astimezone(ZoneInfo(zone)).time()
    return start <= wall < end if start <= end else wall >= start or wall < end


def _after_quiet(at: datetime, zone: str, start: time, end: time) -> datetime:
    while _quiet(at, zone, start, end):
        at += MINUTE
        if at.minute == 0:
            return _awake_from(at, zone, start, end)
    return at


@lru_cache(maxsize=100_000)
def _awake_from(hour: datetime, zone: str, start: time, end: time) -> datetime:
    return _after_quiet(hour, zone, start, end)


@lru_cache(maxsize=100_000)
def _digest_from(hour: datetime, zone: str, pace: str) -> datetime:
    for minute in range(60):
        at = hour + minute * MINUTE
        wall = at.astimezone(ZoneInfo(zone))
        if (wall.hour, wall.minute) == (7, 30) and (pace == "daily" or wall.weekday() == 0):
            return at
    return _digest_from(hour + HOUR, zone, pace)


def settle(chance: random.Random, hubs: int, people: int) -> list[Hub]:
    """So many hubs with so many people each."""
    return [_hub(chance, f"hub-{number}", people) for number in range(hubs)]


def _hub(chance: random.Random, slug: str, people: int) -> Hub:
    zone = chance.choices(ZONES, (12, 3, 2, 2, 1))[0]
    return Hub(slug, zone, tuple(_person(chance, slug, zone, number) for number in range(people)))


def _person(chance: random.Random, hub: str, zone: str, number: int) -> Person:
    known = UUID(int=chance.getrandbits(128), version=4)
    return Person(
        id=known,
        hub=hub,
        zone=chance.choice(FAR) if chance.random() < 0.1 else zone,
        language=chance.choice(("sv", "da", "en")),
        quiet=chance.choices(QUIETS, (8, 1, 1))[0],
        pace=chance.choices(("now", "daily", "weekly", "off"), (14, 3, 1, 2))[0],
        address=f"{known.hex}@{chance.choice(DOMAINS)}",
        member=number % 5 == 0,
    )
