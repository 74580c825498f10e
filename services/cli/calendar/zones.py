"""Finds the time zone a calendar file means by a TZID."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from services.cli.calendar.entry import NotUnderstoodError, one_line

_ESCAPED = re.compile(r"\\([\\,;])")
_VALUE = re.compile(r"[^:]*:(.*)")


class Zones:
    """The zones of one file. A well-known name wins over the file's definition, which is often cut short."""

    def __init__(self, definitions: Iterable[list[str]], home: ZoneInfo) -> None:
        self.home = home
        self._definitions = {_value(lines, "TZID"): lines for lines in definitions}
        self._found: dict[str, tzinfo] = {}
        self._by_folded_name = {name.casefold(): name for name in available_timezones()}

    def named(self, tzid: str) -> tzinfo:
        """The zone called so, or NotUnderstoodError."""
        if tzid not in self._found:
            self._found[tzid] = self._find(tzid)
        return self._found[tzid]

    def _find(self, tzid: str) -> tzinfo:
        definition = self._definitions.get(tzid)
        for name in self._names(tzid, definition):
            if known := self._by_folded_name.get(name.casefold()):
                return ZoneInfo(known)
        if definition is None:
            raise NotUnderstoodError(f"the time zone {one_line(tzid, 60)!r} is not known")
        return self._defined(tzid, definition)

    @staticmethod
    def _names(tzid: str, definition: list[str] | None) -> Iterator[str]:
        for name in (tzid, _value(definition or [], "X-LIC-LOCATION")):
            cleaned = name.strip().strip("/")
            yield cleaned
            yield WINDOWS_TO_OLSON.get(cleaned, "")
            # "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin": whose name it is stands before the name.
            parts = cleaned.split("/")[-4:]
            yield from ("/".join(parts[first:]) for first in range(1, len(parts) - 1))

    def _defined(self, tzid: str, lines: list[str]) -> tzinfo:
        # The parser remembers zones by name as long as it lives; a name made of the content is never wrong.
        own_name = f"own/{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
        renamed = [f"TZID:{own_name}" if line.upper().startswith("TZID") else line for line in lines]
        try:
            zone: Any = Timezone.from_ical("\r\n".join(["BEGIN:VTIMEZONE", *renamed, "END:VTIMEZONE", ""]))
            if self._means_home(zone):
                return self.home
            made: tzinfo = zone.to_tz(lookup_tzid=False)
        except Exception as error:
            why = one_line(str(error), 120) or type(error).__name__
            raise NotUnderstoodError(
                f"the time zone {one_line(tzid, 60)!r} is defined badly: {why}"
            ) from error
        return made

    def _means_home(self, zone: Any) -> bool:
        """A mere list of dates says nothing of times before it: prefer the hub's zone if it agrees."""
        changes = []
        for part in zone.subcomponents:
            if "RRULE" in part or "RDATE" not in part:
                return False
            dates = part["RDATE"] if isinstance(part["RDATE"], list) else [part["RDATE"]]
            times = [part["DTSTART"].dt, *(each.dt for listed in dates for each in listed.dts)]
            changes += [(time, part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td) for time in times]
        return bool(changes) and all(self._home_changes(*change) for change in changes)

    def _home_changes(self, local: datetime, before: timedelta, after: timedelta) -> bool:
        moment = (local.replace(tzinfo=None) - before).replace(tzinfo=UTC)
        return (
            moment.astimezone(self.home).utcoffset() == after
            and (moment - timedelta(seconds=1)).astimezone(self.home).utcoffset() == before
        )


def _value(lines: Iterable[str], name: str) -> str:
    for line in lines:
        if line.upper().startswith((f"{name}:", f"{name};")) and (found := _VALUE.match(line)):
            return _ESCAPED.sub(
                r"\1", found[1]
            ).strip()  # a name's comma is escaped here, and quoted at its use
    return ""
