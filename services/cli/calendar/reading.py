"""Reads a calendar file into entries: everything it says, nothing of it done yet."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from icalendar.parser import Contentline

from services.cli.calendar.entry import (
    UNTITLED,
    Entry,
    Limits,
    NotUnderstoodError,
    Reading,
    RefusedError,
    SetAside,
    one_line,
)
from services.cli.calendar.events import (
    ParsedEvent,
    details_of,
    instant,
    nameplate,
    parsed,
    settle,
    start_of,
    title_of,
    uid_of,
)
from services.cli.calendar.expansion import TooManyError, expanded, horizon, identity, stamp
from services.cli.calendar.lines import Sifted, sift
from services.cli.calendar.zones import Zones

_NO_CLAIM = "only events (VEVENT) claim a space"
_NO_EVENT = "only events (VEVENT) are part of a programme"
_FREE = "marked as free time (TRANSP:TRANSPARENT): it does not claim a space"
_CANCELLED = "cancelled in the calendar (STATUS:CANCELLED)"


def read(
    raw: bytes,
    *,
    home: ZoneInfo,
    now: datetime,
    limits: Limits | None = None,
    reached: Callable[[str], None] = lambda _uid: None,
    claims: bool = True,
) -> Reading:
    """Every occurrence the file asks for, by time. `reached` hears each UID before it is expanded.

    With `claims` the entries are to claim a space, so those marked as free time are left out; a programme has
    them too.
    """
    limits = limits or Limits()
    return understood(sift(raw, limits), home=home, now=now, limits=limits, reached=reached, claims=claims)


def understood(
    sifted: Sifted,
    *,
    home: ZoneInfo,
    now: datetime,
    limits: Limits,
    reached: Callable[[str], None],
    claims: bool,
) -> Reading:
    """What `read` answers, of a file that has been sifted."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the library warns where it guesses a zone's name; the guess is meant
        return _Reader(sifted, Zones(sifted.zones, home), now, limits, claims).read(reached)


@dataclass
class _Reader:
    sifted: Sifted
    zones: Zones
    now: datetime
    limits: Limits
    claims: bool = True
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    left_out: list[SetAside] = field(default_factory=list)
    unread_uids: set[str] = field(default_factory=set)
    unread_keys: set[tuple[str, str]] = field(default_factory=set)
    counted: int = 0

    def read(self, reached: Callable[[str], None]) -> Reading:
        name = self._calendar_name()
        for kind, times in sorted(self.sifted.others.items()):
            why = _NO_CLAIM if self.claims else _NO_EVENT
            self.left_out.append(SetAside("", kind, None, why, times))
        for uid, events in self._series().items():
            reached(uid)
            self._take(uid, events)
        wanted = (entry for key, entry in self.entries.items() if key not in self.unread_keys)
        return Reading(
            name=name,
            entries=tuple(sorted(wanted)),
            not_understood=_gathered(self.aside),
            left_out=_gathered(self.left_out),
            unread_uids=frozenset(self.unread_uids),
            unread_keys=frozenset(self.unread_keys),
        )

    def _calendar_name(self) -> str | None:
        name = None
        for line in self.sifted.calendar:
            try:
                key, _, value = Contentline(line).parts()  # type: ignore[no-untyped-call] # it has no types
            except ValueError:
                continue
            if key.upper() == "CALSCALE" and value.strip().upper() != "GREGORIAN":
                raise RefusedError(f"its CALSCALE is {one_line(value, 40)}; only GREGORIAN is supported")
            if key.upper() == "X-WR-CALNAME" and name is None:
                name = one_line(value) or None
        return name

    def _series(self) -> dict[str, list[ParsedEvent]]:
        """The understood events by UID."""
        series: dict[str, list[ParsedEvent]] = defaultdict(list)
        for lines in self.sifted.events:
            event: ParsedEvent = None
            try:
                event = parsed(lines)
                uid = uid_of(event)
                settle(event, self.zones)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - hostile lines make the parser raise anything; the entry is reported
                self._not_understood(nameplate(lines) if event is None else event, error)
            else:
                series[uid].append(event)
        return {uid: events for uid, events in series.items() if uid not in self.unread_uids}

    def _take(self, uid: str, events: list[ParsedEvent]) -> None:
        until = horizon(self.now, self.limits.months_ahead, self.zones)
        events = self._latest(uid, events)
        try:
            occurrences = expanded(events, until, self.limits.occurrences - self.counted, self.zones)
        except TooManyError:
            occurrences = None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            self._not_understood(events[0], error)
            return
        self.counted += len(occurrences or ())
        if occurrences is None or self.counted > self.limits.occurrences:
            most = self.limits.occurrences
            raise RefusedError(
                f"the file has more than {most} occurrences; see the entry {one_line(uid, 80)!r}"
            )
        if not occurrences:
            why = f"it has no occurrence before {until:%Y-%m-%d}"
            self.left_out.append(SetAside(uid, title_of(events[0]), start_of(events[0], self.zones), why))
        for occurrence in occurrences:
            self._occurrence(uid, occurrence, events)

    def _latest(self, uid: str, events: list[ParsedEvent]) -> list[ParsedEvent]:
        """Of several versions of one entry the latest counts; the library would drop the others in silence."""
        versions = [event for event in events if "RECURRENCE-ID" not in event]
        if len(versions) < 2:
            return events
        latest = max(versions, key=lambda event: int(event.get("SEQUENCE", -1)))
        older = [event for event in versions if event is not latest]
        for event in older:
            why = "the file has another entry with the same UID; that one counts"
            self.aside.append(SetAside(uid, title_of(event), start_of(event, self.zones), why))
        return [event for event in events if all(event is not each for each in older)]

    def _occurrence(self, uid: str, occurrence: ParsedEvent, events: list[ParsedEvent]) -> None:
        recurrence_id = ""
        try:
            recurrence_id = identity(occurrence, events)
            entry = self._entry(uid, recurrence_id, occurrence)
        except Exception as error:  # noqa: BLE001 - as above
            start = start_of(occurrence, self.zones)
            self.aside.append(SetAside(uid, title_of(occurrence), start, _why(error)))
            self.unread_keys.add((uid, recurrence_id))
        else:
            if why := self._why_left_out(occurrence):
                self.left_out.append(SetAside(uid, title_of(occurrence), entry.start, why))
            else:
                self.entries[entry.key] = entry

    def _entry(self, uid: str, recurrence_id: str, occurrence: ParsedEvent) -> Entry:
        start, end = (instant(occurrence[name].dt, self.zones) for name in ("DTSTART", "DTEND"))
        if end <= start:
            raise NotUnderstoodError("it takes no time, because the clocks change during it")
        if (uid, recurrence_id) in self.entries:
            raise NotUnderstoodError("the same occurrence is in the file twice")
        entry = Entry(start, end, uid, recurrence_id, title_of(occurrence) or UNTITLED)
        return replace(entry, **details_of(occurrence)) if self.limits.details else entry

    def _why_left_out(self, occurrence: ParsedEvent) -> str:
        if str(occurrence.get("STATUS", "")).strip().upper() == "CANCELLED":
            return _CANCELLED
        free = str(occurrence.get("TRANSP", "")).strip().upper() == "TRANSPARENT"
        return _FREE if free and self.claims else ""

    def _not_understood(self, event: ParsedEvent, error: Exception) -> None:
        try:
            uid = uid_of(event)
        except NotUnderstoodError:
            uid = ""
        self.aside.append(SetAside(uid, title_of(event), start_of(event, self.zones), _why(error)))
        original = getattr(event.get("RECURRENCE-ID"), "dt", None) if not event.errors else None
        if isinstance(original, date) and getattr(original, "tzinfo", UTC) is not None:
            self.unread_keys.add((uid, stamp(original)))  # one broken override does not sink its series
        elif uid:
            self.unread_uids.add(uid)


def _why(error: Exception) -> str:
    if isinstance(error, NotUnderstoodError):
        return str(error)
    return one_line(f"it could not be read: {error or type(error).__name__}", 200)


def _gathered(aside: list[SetAside]) -> tuple[SetAside, ...]:
    """One line for all occurrences of an entry with the same reason."""
    together: dict[tuple[str, str, str], SetAside] = {}
    for each in aside:
        key = (each.uid or f"{each.title}{each.start}", each.title, each.why)
        known = together.get(key)
        if known is None:
            together[key] = each
        else:
            starts = [start for start in (known.start, each.start) if start]
            together[key] = replace(known, times=known.times + each.times, start=min(starts, default=None))
    return tuple(together.values())
