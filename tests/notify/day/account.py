"""What everybody must have been told by the end of the day: worked out from the stories alone, not by the service's rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.notify.day.people import MINUTE, Person

HEARD_AFTER = timedelta(seconds=10)
"""A fact is heard this long after it happened, at most: the day goes in such steps."""
GATHER = timedelta(seconds=20)
SLACK = timedelta(minutes=20)
"""How long a mail may take from its moment on: thousands are due in one minute, and go at a set rate."""
BACK_OFF = timedelta(minutes=16)
"""A mail server that is back is tried again within this."""


@dataclass(frozen=True)
class Change:
    """From `at` on the thing is so; `by_other` and `urgent` as somebody would say it of what happened.

    `begins` is when it is; `status` of a booking is `on` or `off`, of a place what the sign-up is, or `called-off`.
    """

    at: datetime
    status: str
    begins: datetime
    by_other: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class Line:
    """Something somebody must be told once, over one channel, between two moments; `digest` names the mail it is part of."""

    news: str
    earliest: datetime
    latest: datetime
    digest: str | None = None
    always: bool = False


@dataclass(frozen=True)
class Thing:
    """A booking or a sign-up of somebody's, and what became of it."""

    person: Person
    hub_zone: str
    about: str
    id: UUID
    changes: tuple[Change, ...]
    guest: bool = False


class Unclear(Exception):
    """What must be told depends on seconds: the story is told at another time of the day."""


@dataclass(frozen=True)
class Day:
    """The mail server is away between these."""

    away_from: datetime
    away_until: datetime
    ends: datetime

    def lines(self, thing: Thing, channel: str) -> list[Line]:
        """What must be told of the thing itself; Unclear."""
        told: Change | None = None
        lines: list[Line] = []
        for number, change in enumerate(thing.changes):
            news = _news(thing.about, told, change)
            kind = _kind(news, change, thing.hub_zone)
            if kind != _kind(news, replace(change, at=change.at + 2 * HEARD_AFTER), thing.hub_zone):
                raise Unclear  # midnight lies between what happened and whoever looks at it
            window = self._window(thing.person, kind, change, channel)
            following = thing.changes[number + 1].at if number + 1 < len(thing.changes) else None
            if window is None:  # nobody wants to hear of it: known all the same
                told = change
                continue
            if following is not None and following <= window.latest:
                if following + 2 * HEARD_AFTER > window.earliest:
                    raise Unclear
                continue
            if window.latest >= change.begins:  # of what is over nobody is told
                raise Unclear
            told = change
            if news is not None:
                lines.append(replace(window, news=news))
        return lines

    def reminders(self, thing: Thing, channel: str) -> list[Line]:
        """What must be told of its being soon; Unclear."""
        lines: list[Line] = []
        for number, change in enumerate(thing.changes):
            due = _day_before(change.begins, thing.hub_zone)
            following = thing.changes[number + 1].at if number + 1 < len(thing.changes) else self.ends
            if change.status not in ("on", "attending") or due >= self.ends:
                continue
            if abs(due - change.at) < 2 * MINUTE:
                raise Unclear
            window = self._window(thing.person, "reminder", replace(change, at=due, urgent=True), channel)
            if due < change.at or window is None or following < due - HEARD_AFTER:
                continue
            if following <= window.latest or window.latest >= change.begins - MINUTE:
                raise Unclear
            lines.append(replace(window, news="soon"))
        return lines

    def _window(self, person: Person, kind: str, change: Change, channel: str) -> Line | None:
        """When it must be told; None when never."""
        due = change.at if change.urgent else change.at + GATHER
        late = due + 2 * HEARD_AFTER
        if channel == "inbox":
            return Line("", due, late + MINUTE)
        if kind == "safety":
            return self._mailed(person, due, always=True)
        if kind in ("booking", "place") and person.pace == "off":
            return None
        if kind in ("booking", "place") and person.pace in ("daily", "weekly"):
            moment = person.next_digest(due, person.pace)
            before = person.last_digest(due, person.pace)
            # One that waits for the end of the night takes along what comes meanwhile.
            if person.next_digest(late, person.pace) != moment or person.after_quiet(before) >= due - MINUTE:
                raise Unclear
            line = self._mailed(person, moment)
            return replace(line, digest=f"{person.hub} {person.id} {person.pace} {line.earliest.isoformat()}")
        return self._mailed(person, due)

    def _mailed(self, person: Person, due: datetime, *, always: bool = False) -> Line:
        """A mail that may go from `due` on: when it goes."""
        earliest = due if always else person.after_quiet(due)
        if self.away_from - SLACK <= earliest < self.away_until:
            # Tried and put off: nobody can say by how much, but not for longer than this.
            latest = self.away_until + BACK_OFF + SLACK
            earliest = earliest if earliest < self.away_from else self.away_until
        else:
            latest = earliest + SLACK
        if not always and any(person.is_quiet(at) for at in _minutes(earliest, latest)):
            raise Unclear
        return Line("", earliest, latest, always=always)


def _minutes(first: datetime, last: datetime) -> Iterator[datetime]:
    at = first
    while at <= last:
        yield at
        at += 4 * MINUTE
    yield last


def _news(about: str, told: Change | None, now: Change) -> str | None:
    """What somebody who knows `told` has to hear when it is `now`."""
    before = told.status if told else None
    if about == "booking":
        if now.status == "on":
            if before != "on":
                return "booked"
            return "moved" if told and told.begins != now.begins else None
        return "cancelled" if before == "on" or (now.by_other and before is None) else None
    if before == now.status:
        return "event-changed" if told and now.status == "attending" and told.begins != now.begins else None
    if now.status == "cancelled" and before is None:
        return None
    return _PLACES[now.status]


_PLACES = {
    "attending": "place-taken",
    "waiting": "waiting",
    "offered": "place-offered",
    "cancelled": "place-gone",
    "called-off": "event-cancelled",
}


def _kind(news: str | None, change: Change, zone: str) -> str:
    here = ZoneInfo(zone)
    today = change.begins.astimezone(here).date() <= change.at.astimezone(here).date()
    if news in ("cancelled", "event-cancelled") and change.by_other and today:
        return "safety"
    if news == "place-offered":
        return "offer"
    if news in ("event-changed", "event-cancelled"):
        return "event"
    return "booking" if news in ("booked", "moved", "cancelled", None) else "place"


def _day_before(begins: datetime, zone: str) -> datetime:
    """The same time of the clock on the wall a day earlier."""
    here = ZoneInfo(zone)
    wall = begins.astimezone(here).replace(tzinfo=None) - timedelta(days=1)
    return wall.replace(tzinfo=here).astimezone(begins.tzinfo)


Key = tuple[UUID, str, UUID, str]
"""Person, about, thing, channel."""


@dataclass(frozen=True)
class Said:
    """Something somebody was told."""

    key: Key
    news: str
    at: datetime
    message: UUID


def differences(expected: dict[Key, list[Line]], said: Sequence[Said]) -> Iterator[tuple[Key, str]]:
    """Everything in which what was told is not what had to be."""
    found: dict[Key, list[Said]] = defaultdict(list)
    for one in sorted(said, key=lambda one: one.at):
        found[one.key].append(one)
    mails: dict[str, set[UUID]] = defaultdict(set)
    for key in sorted({*expected, *found}, key=str):
        lines, ones = sorted(expected.get(key, []), key=lambda line: line.earliest), found.get(key, [])
        wanted = [line.news for line in lines]
        if wanted != [one.news for one in ones]:
            yield key, f"{wanted} had to be told by {key[3]}, {[(one.news, str(one.at)) for one in ones]} was"
            continue
        for line, one in zip(lines, ones, strict=True):
            if not line.earliest <= one.at <= line.latest:
                yield (
                    key,
                    f"{one.news} was told by {key[3]} at {one.at}, not from {line.earliest} to {line.latest}",
                )
            if line.digest is not None:
                mails[line.digest].add(one.message)
                if len(mails[line.digest]) == 2:
                    yield key, f"the digest {line.digest} is more than one mail"


def too_fast(at: Sequence[datetime], rate: float, what: str) -> Iterator[str]:
    """Seconds in which more was sent than may be."""
    counted: dict[Any, int] = defaultdict(int)
    for moment in at:
        counted[moment.replace(microsecond=0)] += 1
    yield from (
        f"{what}: {number} in the second {second}" for second, number in counted.items() if number > rate
    )
