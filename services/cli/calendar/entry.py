"""The words an import is told in: an entry, what was not understood, what was left out, and the limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

VANISHED = "vanished from the calendar"
"""The reason an import gives when it cancels; any other reason was a person's decision."""

UNTITLED = "Calendar entry"
"""Stands for a missing SUMMARY: a booking's title can be changed over the API, but not taken away again."""

# What moves a terminal's cursor, reverses text or hides it; the API refuses titles with them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class RefusedError(Exception):
    """The file as a whole cannot be imported; the text says why, in words for the person who asked."""


class NotUnderstoodError(Exception):
    """One entry cannot be turned into a booking or an event; the text says why."""


@dataclass(frozen=True)
class Limits:
    """How much a calendar file may ask of the machine that reads it."""

    file_bytes: int = 5_000_000
    occurrences: int = 10_000
    line_characters: int = 262_144
    depth: int = 8
    months_ahead: int = 24
    cpu_seconds: int = 40
    wall_seconds: int = 120
    memory_bytes: int = 1_073_741_824
    details: bool = False
    """Whether text, place, link and tags are read too; a booking needs none of them."""


@dataclass(frozen=True, order=True)
class Entry:
    """One occurrence of a calendar entry: a booking somebody wants, or an event of a programme."""

    start: datetime
    end: datetime
    uid: str
    recurrence_id: str
    title: str
    text: str = ""
    location: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same when the entry is moved or renamed."""
        return self.uid, self.recurrence_id


@dataclass(frozen=True)
class SetAside:
    """An entry that is not imported, and why; `times` counts its occurrences."""

    uid: str
    title: str
    start: datetime | None
    why: str
    times: int = 1


@dataclass(frozen=True)
class Reading:
    """All a file says, before anything is asked of the gateway."""

    name: str | None
    entries: tuple[Entry, ...]
    not_understood: tuple[SetAside, ...] = ()
    left_out: tuple[SetAside, ...] = ()
    unread_uids: frozenset[str] = frozenset()
    """In the file, but not understood: what was imported for them stays and does not count as vanished."""
    unread_keys: frozenset[tuple[str, str]] = frozenset()
    """The same for single occurrences."""


def one_line(text: str, longest: int = 200) -> str:
    """The text on one line, without control characters, at most so long."""
    return " ".join(_CONTROL.sub(" ", text).split())[:longest].strip()


def some_lines(text: str, longest: int = 8000) -> str:
    """The text line by line, without other control characters, at most so long."""
    lines = (_CONTROL.sub(" ", line).rstrip() for line in text.splitlines())
    return "\n".join(lines).strip()[:longest].strip()
