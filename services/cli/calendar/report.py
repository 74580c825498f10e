"""What an import did, for people as tables and for programs as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.calendar.entry import Entry, Reading, SetAside

_LONGEST_TABLE = 40
"""Rows of one table on a screen; the JSON report has all."""

Told = dict[str, Any]
"""One thing, as the JSON report tells it."""


class Imported(Protocol):
    """An entry of the calendar, or what came of one in Foci."""

    @property
    def uid(self) -> str: ...
    @property
    def recurrence_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime: ...


class Compared(Protocol):
    """What of a plan needs no request."""

    @property
    def unchanged(self) -> Sequence[Imported]: ...
    @property
    def left_cancelled(self) -> Sequence[Entry]: ...
    @property
    def left_unread(self) -> Sequence[Imported]: ...


@dataclass(frozen=True)
class Refusal:
    """Something Foci would not do, and why."""

    what: Imported
    why: str


@dataclass(kw_only=True)
class Report:
    """The whole story of one import; what is asked for, and what else can come of it, each kind of import says."""

    nothing_done: ClassVar[str] = "Nothing was changed."
    """The last words about a dry run."""
    calendar: str
    hub: str
    zone: tzinfo
    dry_run: bool = False
    finished: bool = False
    cancelled: list[Imported] = field(default_factory=list)
    unchanged: list[Imported] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    cancelled_by_hand: list[Entry] = field(default_factory=list)
    left_unread: list[Imported] = field(default_factory=list)
    not_understood: list[SetAside] = field(default_factory=list)
    left_out: list[SetAside] = field(default_factory=list)

    def begin(self, reading: Reading, plan: Compared) -> None:
        """Note what needs no request."""
        self.unchanged.extend(plan.unchanged)
        self.cancelled_by_hand.extend(plan.left_cancelled)
        self.left_unread.extend(plan.left_unread)
        self.not_understood.extend(reading.not_understood)
        self.left_out.extend(reading.left_out)

    def place(self) -> Told:
        """Where things go, by the names the API has for it."""
        return {"hub": self.hub}

    def asked(self) -> Mapping[str, list[Told]]:
        """What was asked for beside cancelling, by name."""
        raise NotImplementedError

    def failed(self) -> Mapping[str, list[Told]]:
        """What could not be done for reasons of this kind of import, by name."""
        return {}

    def tables_of_failed(self) -> list[RenderableType]:
        """The same for people."""
        return []

    def more_of(self, what: Imported) -> Told:
        """What programs are told of a thing beside its entry."""
        raise NotImplementedError

    def said(self, what: Imported) -> Told:
        """A thing for programs."""
        named = {"uid": what.uid, "recurrence_id": what.recurrence_id, "title": what.title}
        return {**named, **times_of(what.start, what.end, self.zone), **self.more_of(what)}

    def sections(self) -> dict[str, list[Told]]:
        """Everything by what became of it, in the order in which people are told."""
        return {
            **self.asked(),
            "cancelled": [self.said(each) for each in self.cancelled],
            "unchanged": [self.said(each) for each in self.unchanged],
            **self.failed(),
            "refused": [{**self.said(each.what), "why": each.why} for each in self.refused],
            "cancelled_by_hand": [self.said(each) for each in self.cancelled_by_hand],
            "left_unread": [self.said(each) for each in self.left_unread],
            "not_understood": [_aside_of(each, self.zone) for each in self.not_understood],
            "left_out": [_aside_of(each, self.zone) for each in self.left_out],
        }


def as_json(report: Report) -> Told:
    """Everything, for `--report`; times in the hub's zone."""
    sections = report.sections()
    return {
        "calendar": report.calendar,
        **report.place(),
        "dry_run": report.dry_run,
        "finished": report.finished,
        "counts": _counts(sections),
        **sections,
    }


def _counts(sections: Mapping[str, Sequence[Told]]) -> dict[str, int]:
    return {name: sum(each.get("times", 1) for each in told) for name, told in sections.items()}


def as_tables(report: Report) -> RenderableType:
    """A summary, then a table for everything a person may want to look at."""
    parts = [_summary(report), *report.tables_of_failed()]
    parts += _told("Refused by Foci", [(each.what, each.why) for each in report.refused], report.zone)
    by_hand = [(each, "cancelled here by hand; left so") for each in report.cancelled_by_hand]
    parts += _told("Cancelled in Foci", by_hand, report.zone)
    for title, asides in (("Not understood", report.not_understood), ("Left out", report.left_out)):
        rows = [(_when_aside(each, report.zone), each.title or each.uid or "?", each.why) for each in asides]
        parts += listed(title, ("when", "entry", "why"), rows)
    stays = "imported earlier; stays, because its entry is not understood"
    parts += _told("Left as it was", [(each, stays) for each in report.left_unread], report.zone)
    if report.dry_run:
        parts.append(Text(report.nothing_done))
    return Group(*parts)


def _summary(report: Report) -> RenderableType:
    table = Table(
        title=Text(f"{report.calendar} in {'/'.join(report.place().values())}"), title_justify="left"
    )
    table.add_column("")
    table.add_column("entries", justify="right")
    orders = {*report.asked(), "cancelled"}
    always = {*orders, *report.failed(), "unchanged", "not_understood"}
    for name, count in _counts(report.sections()).items():
        if count or name in always:
            would = "would be " if report.dry_run and name in orders else ""
            table.add_row(would + name.replace("_", " "), str(count))
    return table


def _told(title: str, told: Sequence[tuple[Imported, str]], zone: tzinfo) -> list[RenderableType]:
    rows = [(span_of(what.start, what.end, zone), what.title, why) for what, why in told]
    return listed(title, ("when", "entry", "why"), rows)


def listed(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[RenderableType]:
    """A table of the first rows, nothing where there are none."""
    if not rows:
        return []
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows[:_LONGEST_TABLE]:
        table.add_row(*(Text(cell) for cell in row))  # Text: a title in brackets is no markup
    more = len(rows) - _LONGEST_TABLE
    return [table, Text(f"… and {more} more; --report FILE.json has all")] if more > 0 else [table]


def _when_aside(aside: SetAside, zone: tzinfo) -> str:
    first = f"{aside.start.astimezone(zone):%Y-%m-%d %H:%M}" if aside.start else ""
    return first if aside.times == 1 else f"{first} … {aside.times} times".strip()


def span_of(start: datetime, end: datetime, zone: tzinfo) -> str:
    """From and until, for people."""
    start, end = start.astimezone(zone), end.astimezone(zone)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M}-{until}"


def times_of(start: datetime, end: datetime, zone: tzinfo) -> dict[str, str]:
    """From and until, for programs."""
    return {"start": start.astimezone(zone).isoformat(), "end": end.astimezone(zone).isoformat()}


def _aside_of(aside: SetAside, zone: tzinfo) -> Told:
    start = aside.start.astimezone(zone).isoformat() if aside.start else None
    return {
        "uid": aside.uid or None,
        "title": aside.title,
        "start": start,
        "why": aside.why,
        "times": aside.times,
    }
