"""Compares a calendar's entries with the events that came from it: what to start, change, cancel and leave."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.cli.calendar.entry import VANISHED, Entry, Reading
from services.cli.programme.wanted import Known

_OVER, _CANCELLED = "held", "cancelled"


@dataclass(frozen=True)
class Change:
    """An event that is to become what its entry says now."""

    known: Known
    entry: Entry


@dataclass(frozen=True)
class Plan:
    """What an import will do, in this order: cancel, change, start; the rest stays."""

    cancel: tuple[Known, ...] = ()
    change: tuple[Change, ...] = ()
    start: tuple[Entry, ...] = ()
    unchanged: tuple[Known, ...] = ()
    left_cancelled: tuple[Entry, ...] = ()
    """Wanted by the calendar, but cancelled in Foci by somebody."""
    left_unread: tuple[Known, ...] = ()
    """There, and in the file in a form that was not understood."""

    @property
    def changes(self) -> int:
        """How many requests that change something it takes."""
        return len(self.cancel) + len(self.change) + len(self.start)


@dataclass
class _SortedOut:
    live: dict[tuple[str, str], Known] = field(default_factory=dict)
    over: dict[tuple[str, str], Known] = field(default_factory=dict)
    cancelled_by_hand: set[tuple[str, str]] = field(default_factory=set)


def compare(reading: Reading, known: Iterable[Known]) -> Plan:
    """The shortest way from the events there are to what the calendar says."""
    there = _sorted_out(known)
    groups: dict[str, list[Any]] = defaultdict(list)
    wanted = set()
    for entry in reading.entries:
        wanted.add(entry.key)
        _place(entry, there, groups)
    for key, vanished in there.live.items():
        if key not in wanted:
            unread = key in reading.unread_keys or key[0] in reading.unread_uids
            groups["left_unread" if unread else "cancel"].append(vanished)
    return Plan(**{name: tuple(group) for name, group in groups.items()})


def _sorted_out(known: Iterable[Known]) -> _SortedOut:
    there = _SortedOut()
    for event in known:
        if event.status == _OVER:
            there.over[event.key] = event
        elif event.status != _CANCELLED:
            there.live[event.key] = event
        elif event.cancel_reason != VANISHED:
            there.cancelled_by_hand.add(event.key)
    return there


def _place(entry: Entry, there: _SortedOut, groups: dict[str, list[Any]]) -> None:
    if live := there.live.get(entry.key):
        if live.says(entry):
            groups["unchanged"].append(live)
        else:
            groups["change"].append(Change(live, entry))
    elif over := there.over.get(entry.key):
        groups["unchanged"].append(over)  # it took place; history is not rewritten
    elif entry.key in there.cancelled_by_hand:
        groups["left_cancelled"].append(entry)
    else:
        groups["start"].append(entry)


def idempotency_key(run: str, hub: str, calendar: str, entry: Entry) -> str:
    """The same for every attempt to start this event in this run, so that a lost answer starts none twice.

    `run` differs from run to run: what was refused once may be right the next time.
    """
    parts = (run, hub, calendar, entry.uid, entry.recurrence_id)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
