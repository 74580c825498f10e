"""Sifts a calendar file down to the few lines that say what takes place, when and where."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from services.cli.calendar.entry import Limits, RefusedError, one_line

_PROPERTY = re.compile(r"([A-Za-z0-9-]{1,60})[;:]")
_RULES = frozenset(("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"))
_OF_AN_EVENT = _RULES | {"UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "STATUS", "TRANSP", "SEQUENCE"}
DETAILS = frozenset(("DESCRIPTION", "LOCATION", "URL", "CATEGORIES"))
"""What an event can do without: one that is malformed is left out, not the event."""
_OF_A_ZONE = frozenset(("TZID", "X-LIC-LOCATION", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RDATE", "RRULE"))
_OF_A_CALENDAR = frozenset(("X-WR-CALNAME", "CALSCALE"))


@dataclass
class Sifted:
    """The content lines that count, unfolded, by entry; contacts and attachments are gone."""

    calendar: list[str] = field(default_factory=list)
    events: list[list[str]] = field(default_factory=list)
    zones: list[list[str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    """Components that are no events, such as VTODO, and how many."""


def sift(raw: bytes, limits: Limits) -> Sifted:
    """Take the file apart in one pass over it, whatever it contains; refuse what is no calendar."""
    sieve = _Sieve(limits)
    for line in _unfolded(raw, limits).split("\n"):
        sieve.take(line)
    return sieve.finished()


def _unfolded(raw: bytes, limits: Limits) -> str:
    if len(raw) > limits.file_bytes:
        raise RefusedError(f"the file is larger than {limits.file_bytes / 1_000_000:g} MB")
    if b"\0" in raw:
        raise RefusedError("the file is not text: it contains NUL characters")
    # Unfolded as bytes: some programs fold in the middle of a UTF-8 character.
    joined = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        return joined.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError("the file is not UTF-8 text") from None


class _Sieve:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of_an_event = _OF_AN_EVENT | DETAILS if limits.details else _OF_AN_EVENT
        self._open: list[str] = []
        self._calendars = 0
        self._kept = Sifted()

    def take(self, line: str) -> None:
        found = _PROPERTY.match(line)
        name = found[1].upper() if found else ""
        if name in ("BEGIN", "END"):
            component = one_line(line.partition(":")[2], 60).upper()
            (self._begin if name == "BEGIN" else self._end)(component)
        elif not self._open:
            if line.strip() and not self._calendars:
                raise RefusedError("the file is not a calendar: it does not begin with BEGIN:VCALENDAR")
        elif name:
            self._property(name, line)

    def finished(self) -> Sifted:
        if self._open:
            raise RefusedError(f"the file ends in the middle of a {self._open[-1]}; was it cut off?")
        if not self._calendars:
            raise RefusedError("the file is not a calendar: it does not begin with BEGIN:VCALENDAR")
        return self._kept

    def _begin(self, component: str) -> None:
        if not self._open and component != "VCALENDAR":
            raise RefusedError("the file is not a calendar: it does not begin with BEGIN:VCALENDAR")
        self._open.append(component)
        if len(self._open) > self._limits.depth:
            raise RefusedError(
                f"the file is malformed: parts inside parts, more than {self._limits.depth} deep"
            )
        if len(self._open) == 1:
            self._calendars += 1
        elif len(self._open) == 2:
            self._begin_part(component)
        elif self._open[1] == "VTIMEZONE":
            self._kept.zones[-1].append(f"BEGIN:{component}")

    def _begin_part(self, component: str) -> None:
        if component == "VEVENT":
            if len(self._kept.events) >= self._limits.occurrences:
                raise RefusedError(f"the file has more than {self._limits.occurrences} entries")
            self._kept.events.append([])
        elif component == "VTIMEZONE":
            self._kept.zones.append([])
        else:
            self._kept.others[component] += 1

    def _end(self, component: str) -> None:
        if not self._open or self._open[-1] != component:
            expected = f"expected END:{self._open[-1]}" if self._open else "nothing was open"
            raise RefusedError(f"the file is malformed: END:{component} where {expected}")
        if len(self._open) > 2 and self._open[1] == "VTIMEZONE":
            self._kept.zones[-1].append(f"END:{component}")
        self._open.pop()

    def _property(self, name: str, line: str) -> None:
        wanted, lines = self._place()
        if name not in wanted:
            return
        if len(line) > self._limits.line_characters:
            if name in DETAILS:
                return  # a picture in a description is no reason to refuse the programme
            most = self._limits.line_characters
            raise RefusedError(f"the file is malformed: a {name} of more than {most} characters")
        if len(lines) >= 2 * self._limits.occurrences:
            raise RefusedError(f"the file is malformed: one {self._open[-1]} of more than {len(lines)} lines")
        lines.append(line)

    def _place(self) -> tuple[frozenset[str], list[str]]:
        if len(self._open) == 1:
            return _OF_A_CALENDAR, self._kept.calendar
        if self._open[1] == "VTIMEZONE":
            return _OF_A_ZONE, self._kept.zones[-1]
        if self._open[1] == "VEVENT" and len(self._open) == 2:
            return self._of_an_event, self._kept.events[-1]
        return frozenset(), []
