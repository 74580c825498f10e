"""The line before an event: who gets a place, how long one is kept for somebody, and the codes people come with."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from shared.contracts.events.words import SignUpStatus, Way

SHORTEST_OFFER = timedelta(minutes=15)
LONGEST_OFFER = timedelta(hours=24)
PENDING_FOR = timedelta(hours=48)
"""How long a guest may take to follow the link."""
STATED_AGAIN_AFTER = timedelta(minutes=5)
"""A guest who signs up again and again is sent a link no more often than this."""
DOORS_BEFORE = timedelta(hours=2)
DOORS_AFTER = timedelta(days=7)
"""Arrivals are taken down from two hours before the start until a week after the end."""

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What codes are made of: nothing that reads like something else, no U so that few words come of it."""
CODE_LENGTH = 10

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """The places of one way to take part, as they are while their row is locked; `capacity` None is no limit."""

    hub: str
    event: UUID
    way: Way
    capacity: int | None
    taken: int
    waiting: int
    last_number: int
    open: bool
    closes_at: datetime
    for_members: bool
    waits: bool
    starts_at: datetime

    def takes(self, now: datetime) -> bool:
        """Whether people can sign up and be offered places now."""
        return self.open and now < self.closes_at

    @property
    def free(self) -> int | None:
        """Places nobody has; None when there is no limit."""
        return None if self.capacity is None else self.capacity - self.taken


@dataclass(frozen=True)
class Dealt:
    """A place in the order of signing up, and, for those who wait, in the line."""

    number: int
    waiting_place: int | None = None

    @property
    def status(self) -> SignUpStatus:
        """What it makes of somebody."""
        return SignUpStatus.ATTENDING if self.waiting_place is None else SignUpStatus.WAITING


def deal(line: Line, wanted: int) -> list[Dealt | None]:
    """Places for the next people in their order; None from where the event is full and nobody waits.

    Nobody overtakes: who comes while others wait, waits, even if a place has just become free.
    """
    dealt: list[Dealt | None] = []
    taken, waiting, number = line.taken, line.waiting, line.last_number
    for _ in range(wanted):
        free = line.capacity is None or taken < line.capacity
        if waiting == 0 and free:
            taken, number = taken + 1, number + 1
            dealt.append(Dealt(number))
        elif line.waits:
            waiting, number = waiting + 1, number + 1
            dealt.append(Dealt(number, waiting))
        else:
            dealt.append(None)
    return dealt


def who_fits(waiting: Iterable[tuple[T, int]], free: int | None) -> list[T]:
    """Those in line, with their seats, for whom there is room: in order, smaller ones past one that does not fit."""
    chosen, left = [], free
    for one, seats in waiting:
        if left is None:
            chosen.append(one)
        elif seats <= left:
            chosen.append(one)
            left -= seats
    return chosen


def offer_until(now: datetime, starts_at: datetime) -> datetime:
    """Until when an offered place is kept: a quarter of the time left, 15 minutes to a day, never past the start."""
    kept_for = min(max((starts_at - now) / 4, SHORTEST_OFFER), LONGEST_OFFER)
    return min(now + kept_for, starts_at)


@dataclass(frozen=True)
class Holder:
    """Somebody who has a place, and could lose it."""

    sign_up: UUID
    person: UUID
    status: SignUpStatus
    number: int


def proposed(holders: Iterable[Holder], must_lose: int) -> list[Holder]:
    """Who would lose a place: those who are only offered one first, then whoever came last."""
    ranked = sorted(holders, key=lambda one: (one.status is SignUpStatus.OFFERED, one.number), reverse=True)
    return ranked[:must_lose]


def new_code(chance: random.Random) -> str:
    """A code nobody guesses: ten letters out of thirty."""
    return "".join(chance.choices(LETTERS, k=CODE_LENGTH))


def shown_code(code: str) -> str:
    """The code as people read it."""
    return f"{code[:5]}-{code[5:]}"


def compared_code(given: str) -> str:
    """The code as it is kept, from what somebody typed: case, blanks and hyphens say nothing."""
    return "".join(letter for letter in given.upper() if letter.isalnum())


def doors_open(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether arrivals are taken down now."""
    return starts_at - DOORS_BEFORE <= now <= ends_at + DOORS_AFTER


def first_way(ways: Sequence[Way]) -> Way:
    """The way somebody takes part who has not said how: in the room where there is one."""
    return Way.ROOM if Way.ROOM in ways else ways[0]
