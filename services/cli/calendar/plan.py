"""Compares a calendar's entries with what is booked from it: what to book, move, cancel and leave."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.cli.calendar.entry import VANISHED, Entry, Reading

_LIVE = frozenset(("held", "confirmed", "checked_in"))
_OVER = "checked_out"


@dataclass(frozen=True)
class Booked:
    """A booking in Foci that came from the calendar."""

    id: str
    version: int
    space: str
    start: datetime
    end: datetime
    title: str
    status: str
    cancel_reason: str
    uid: str
    recurrence_id: str

    @property
    def key(self) -> tuple[str, str]:
        """What it shares with its entry in the calendar."""
        return self.uid, self.recurrence_id

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Booked:
        """From the API's view of it."""
        return cls(
            id=str(item["id"]),
            version=int(item["version"]),
            space=str(item["space"]),
            start=datetime.fromisoformat(item["start"]),
            end=datetime.fromisoformat(item["end"]),
            title=item.get("title") or "",
            status=str(item["status"]),
            cancel_reason=item.get("cancel_reason") or "",
            uid=str(item["source"]["uid"]),
            recurrence_id=str(item["source"].get("recurrence_id") or ""),
        )

    def says(self, entry: Entry, space: str) -> bool:
        """Whether it already is what the entry wants."""
        return (self.start, self.end, self.title, self.space) == (entry.start, entry.end, entry.title, space)


@dataclass(frozen=True)
class Move:
    """A booking that is to become what its entry says now."""

    booked: Booked
    entry: Entry


@dataclass(frozen=True)
class Plan:
    """What an import will do, in this order: cancel, move, book; the rest stays."""

    cancel: tuple[Booked, ...] = ()
    move: tuple[Move, ...] = ()
    book: tuple[Entry, ...] = ()
    unchanged: tuple[Booked, ...] = ()
    left_cancelled: tuple[Entry, ...] = ()
    """Wanted by the calendar, but cancelled in Foci by somebody."""
    left_unread: tuple[Booked, ...] = ()
    """Booked, and in the file in a form that was not understood."""

    @property
    def changes(self) -> int:
        """How many requests that change something it takes."""
        return len(self.cancel) + len(self.move) + len(self.book)


@dataclass
class _Known:
    live: dict[tuple[str, str], Booked] = field(default_factory=dict)
    over: dict[tuple[str, str], Booked] = field(default_factory=dict)
    cancelled_by_hand: set[tuple[str, str]] = field(default_factory=set)


def compare(reading: Reading, booked: Iterable[Booked], space: str) -> Plan:
    """The shortest way from what is booked to what the calendar says."""
    known = _sorted_out(booked)
    groups: dict[str, list[Any]] = defaultdict(list)
    wanted = set()
    for entry in reading.entries:
        wanted.add(entry.key)
        _place(entry, known, space, groups)
    for key, vanished in known.live.items():
        if key not in wanted:
            unread = key in reading.unread_keys or key[0] in reading.unread_uids
            groups["left_unread" if unread else "cancel"].append(vanished)
    return Plan(**{name: tuple(group) for name, group in groups.items()})


def _sorted_out(booked: Iterable[Booked]) -> _Known:
    known = _Known()
    for booking in booked:
        if booking.status in _LIVE:
            known.live[booking.key] = booking
        elif booking.status == _OVER:
            known.over[booking.key] = booking
        elif booking.status == "cancelled" and booking.cancel_reason != VANISHED:
            known.cancelled_by_hand.add(booking.key)
    return known


def _place(entry: Entry, known: _Known, space: str, groups: dict[str, list[Any]]) -> None:
    if live := known.live.get(entry.key):
        if live.says(entry, space):
            groups["unchanged"].append(live)
        else:
            groups["move"].append(Move(live, entry))
    elif over := known.over.get(entry.key):
        groups["unchanged"].append(over)  # it took place; history is not rewritten
    elif entry.key in known.cancelled_by_hand:
        groups["left_cancelled"].append(entry)
    else:
        groups["book"].append(entry)


def idempotency_key(run: str, hub: str, calendar: str, space: str, entry: Entry) -> str:
    """The same for every attempt to book this entry in this run, so that a lost answer never books twice.

    `run` differs from run to run: the gateway answers a known key for 24 hours as it did the first time, and
    a refusal because the time was taken must not outlive the booking that was in the way.
    """
    times = (entry.start.isoformat(), entry.end.isoformat())
    parts = (run, hub, calendar, space, entry.uid, entry.recurrence_id, *times, entry.title)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def blocked_by_each_other(moves: Sequence[Move], space: str) -> list[Move]:
    """Moves to give up, as they wait for each other's time in a circle; without them the others can go."""
    waits_for = _waits(moves, space)
    given_up: list[Move] = []
    visited: set[int] = set()
    for first in range(len(moves)):
        path: list[tuple[int, Iterator[int]]] = []
        on_path: set[int] = set()
        step: int | None = first
        while step is not None or path:
            if step is not None and step in on_path:
                given_up.append(moves[step])
            elif step is not None and step not in visited:
                visited.add(step)
                on_path.add(step)
                path.append((step, iter(waits_for[step])))
            if not path:
                break
            step = next(path[-1][1], None)
            if step is None:
                on_path.discard(path.pop()[0])
    return list(dict.fromkeys(given_up))


def _waits(moves: Sequence[Move], space: str) -> list[list[int]]:
    """For each move the moves whose present time it wants."""
    here = [(move.booked, index) for index, move in enumerate(moves) if move.booked.space == space]
    here.sort(key=lambda each: each[0].start)
    starts = [booked.start for booked, _ in here]
    longest = max((booked.end - booked.start for booked, _ in here), default=timedelta())
    waits = []
    for own, move in enumerate(moves):
        near = here[bisect_left(starts, move.entry.start - longest) : bisect_left(starts, move.entry.end)]
        waits.append([index for booked, index in near if index != own and booked.end > move.entry.start])
    return waits
