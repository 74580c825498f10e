"""What an import did, for people as tables and for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.calendar.entry import Entry, Reading, SetAside
from services.cli.calendar.plan import Booked, Move, Plan

_LONGEST_TABLE = 40
"""Rows of one table on a screen; the JSON report has all."""
_SOMETHING_ELSE = "another booking"


@dataclass(frozen=True)
class Obstacle:
    """What stood in the way: an entry of the same calendar where it is one, else only its time."""

    start: datetime
    end: datetime
    space: str
    title: str = ""


@dataclass(frozen=True)
class Clash:
    """An entry whose time is taken."""

    entry: Entry
    by: tuple[Obstacle, ...]
    stays: Booked | None = None
    """A booking that could not be moved and is still at its old time."""


@dataclass(frozen=True)
class Refusal:
    """Something Foci would not do for another reason than a taken time."""

    what: Entry | Booked
    why: str


@dataclass
class Report:
    """The whole story of one import."""

    calendar: str
    hub: str
    space: str
    zone: tzinfo
    dry_run: bool = False
    finished: bool = False
    booked: list[Entry] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    cancelled: list[Booked] = field(default_factory=list)
    unchanged: list[Booked] = field(default_factory=list)
    clashed: list[Clash] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    cancelled_by_hand: list[Entry] = field(default_factory=list)
    left_unread: list[Booked] = field(default_factory=list)
    not_understood: list[SetAside] = field(default_factory=list)
    left_out: list[SetAside] = field(default_factory=list)

    def begin(self, reading: Reading, plan: Plan) -> None:
        """Note what needs no request."""
        self.unchanged.extend(plan.unchanged)
        self.cancelled_by_hand.extend(plan.left_cancelled)
        self.left_unread.extend(plan.left_unread)
        self.not_understood.extend(reading.not_understood)
        self.left_out.extend(reading.left_out)

    def pretend(self, plan: Plan) -> None:
        """Of a dry run: what would be asked for. Whether a time is free only Foci can say."""
        self.dry_run = self.finished = True
        self.booked.extend(plan.book)
        self.moved.extend(plan.move)
        self.cancelled.extend(plan.cancel)

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "booked": len(self.booked),
            "moved": len(self.moved),
            "cancelled": len(self.cancelled),
            "unchanged": len(self.unchanged),
            "clashed": len(self.clashed),
            "refused": len(self.refused),
            "cancelled_by_hand": len(self.cancelled_by_hand),
            "left_unread": len(self.left_unread),
            "not_understood": sum(each.times for each in self.not_understood),
            "left_out": sum(each.times for each in self.left_out),
        }


def as_json(report: Report) -> dict[str, Any]:
    """Everything, for `--report`; times in the hub's zone."""
    zone = report.zone
    return {
        "calendar": report.calendar,
        "hub": report.hub,
        "space": report.space,
        "dry_run": report.dry_run,
        "finished": report.finished,
        "counts": report.counts(),
        "booked": [_said(each, zone) for each in report.booked],
        "moved": [{**_said(each.entry, zone), "from": _said(each.booked, zone)} for each in report.moved],
        "cancelled": [_said(each, zone) for each in report.cancelled],
        "unchanged": [_said(each, zone) for each in report.unchanged],
        "clashed": [
            {
                **_said(each.entry, zone),
                "with": [
                    {"title": o.title or None, "space": o.space, **times_of(o.start, o.end, zone)}
                    for o in each.by
                ],
                "still_at": _said(each.stays, zone) if each.stays else None,
            }
            for each in report.clashed
        ],
        "refused": [{**_said(each.what, zone), "why": each.why} for each in report.refused],
        "cancelled_by_hand": [_said(each, zone) for each in report.cancelled_by_hand],
        "left_unread": [_said(each, zone) for each in report.left_unread],
        "not_understood": [aside_of(each, zone) for each in report.not_understood],
        "left_out": [aside_of(each, zone) for each in report.left_out],
    }


def as_tables(report: Report) -> RenderableType:
    """A summary, then a table for everything a person may want to look at."""
    zone = report.zone
    parts = [_summary(report)]
    clashes = [
        (_when(each.entry, zone), each.entry.title, _in_the_way(each, zone)) for each in report.clashed
    ]
    parts += listed("Clashed: the time is taken", ("when", "entry", "in the way"), clashes)
    refused = [(_when(each.what, zone), each.what.title, each.why) for each in report.refused]
    parts += listed("Refused by Foci", ("when", "entry", "why"), refused)
    left_so = "cancelled here by hand; left so"
    by_hand = [(_when(each, zone), each.title, left_so) for each in report.cancelled_by_hand]
    parts += listed("Cancelled in Foci", ("when", "entry", ""), by_hand)
    for title, asides in (("Not understood", report.not_understood), ("Left out", report.left_out)):
        rows = [(when_aside(each, zone), each.title or each.uid or "?", each.why) for each in asides]
        parts += listed(title, ("when", "entry", "why"), rows)
    stays = "booked earlier; stays, because its entry is not understood"
    unread = [(_when(each, zone), each.title, stays) for each in report.left_unread]
    parts += listed("Left as booked", ("when", "entry", "why"), unread)
    if report.dry_run:
        parts.append(Text("Nothing was changed. Whether the times are free shows when they are booked."))
    return Group(*parts)


def _summary(report: Report) -> RenderableType:
    table = Table(title=Text(f"{report.calendar} in {report.hub}/{report.space}"), title_justify="left")
    table.add_column("")
    table.add_column("entries", justify="right")
    always = {"booked", "moved", "cancelled", "unchanged", "clashed", "not_understood"}
    for name, count in report.counts().items():
        if count or name in always:
            would = "would be " if report.dry_run and name in ("booked", "moved", "cancelled") else ""
            table.add_row(would + name.replace("_", " "), str(count))
    return table


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


def _in_the_way(clash: Clash, zone: tzinfo) -> str:
    said = [f"{each.title or _SOMETHING_ELSE}, {span_of(each.start, each.end, zone)}" for each in clash.by]
    said = said or [_SOMETHING_ELSE]
    if clash.stays:
        said.append(f"stays booked {span_of(clash.stays.start, clash.stays.end, zone)}")
    return "\n".join(said)


def _when(what: Entry | Booked, zone: tzinfo) -> str:
    return span_of(what.start, what.end, zone)


def when_aside(aside: SetAside, zone: tzinfo) -> str:
    """When an entry that was set aside begins, and how often."""
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


def _said(what: Entry | Booked, zone: tzinfo) -> dict[str, Any]:
    said = {
        "uid": what.uid,
        "recurrence_id": what.recurrence_id,
        "title": what.title,
        **times_of(what.start, what.end, zone),
    }
    return {**said, "booking": what.id, "space": what.space} if isinstance(what, Booked) else said


def aside_of(aside: SetAside, zone: tzinfo) -> dict[str, Any]:
    """An entry that was set aside, for programs."""
    start = aside.start.astimezone(zone).isoformat() if aside.start else None
    return {
        "uid": aside.uid or None,
        "title": aside.title,
        "start": start,
        "why": aside.why,
        "times": aside.times,
    }


def in_order(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Each once, by time."""
    return tuple(sorted(set(obstacles), key=lambda each: (each.start, each.end, each.title)))
