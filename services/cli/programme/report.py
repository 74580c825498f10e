"""What an import of a programme did, for people as tables and for programs as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.calendar.entry import Entry, Reading, SetAside
from services.cli.calendar.report import aside_of, listed, span_of, times_of, when_aside
from services.cli.programme.plan import Change, Plan
from services.cli.programme.wanted import Known, change_of

_ALWAYS_SHOWN = frozenset(("started", "changed", "cancelled", "unchanged", "not_understood"))


@dataclass(frozen=True)
class Refusal:
    """Something Foci would not do, and why."""

    what: Entry | Known
    why: str


@dataclass
class Report:
    """The whole story of one import."""

    calendar: str
    hub: str
    zone: tzinfo
    dry_run: bool = False
    finished: bool = False
    started: list[Entry] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    cancelled: list[Known] = field(default_factory=list)
    unchanged: list[Known] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    cancelled_by_hand: list[Entry] = field(default_factory=list)
    left_unread: list[Known] = field(default_factory=list)
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
        """Of a dry run: what would be asked for."""
        self.dry_run = self.finished = True
        self.started.extend(plan.start)
        self.changed.extend(plan.change)
        self.cancelled.extend(plan.cancel)

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "started": len(self.started),
            "changed": len(self.changed),
            "cancelled": len(self.cancelled),
            "unchanged": len(self.unchanged),
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
        "dry_run": report.dry_run,
        "finished": report.finished,
        "counts": report.counts(),
        "started": [_said(each, zone) for each in report.started],
        "changed": [
            {
                **_said(each.entry, zone),
                "event": each.known.id,
                "parts": sorted(change_of(each.known, each.entry)),
                "from": _said(each.known, zone),
            }
            for each in report.changed
        ],
        "cancelled": [_said(each, zone) for each in report.cancelled],
        "unchanged": [_said(each, zone) for each in report.unchanged],
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
    refused = [(each.what, each.why) for each in report.refused]
    parts += _told("Refused by Foci", refused, zone)
    by_hand = [(each, "cancelled here by hand; left so") for each in report.cancelled_by_hand]
    parts += _told("Cancelled in Foci", by_hand, zone)
    for title, asides in (("Not understood", report.not_understood), ("Left out", report.left_out)):
        rows = [(when_aside(each, zone), each.title or each.uid or "?", each.why) for each in asides]
        parts += listed(title, ("when", "entry", "why"), rows)
    stays = "imported earlier; stays, because its entry is not understood"
    parts += _told("Left as it was", [(each, stays) for each in report.left_unread], zone)
    if report.dry_run:
        parts.append(Text("Nothing was changed."))
    return Group(*parts)


def _summary(report: Report) -> RenderableType:
    table = Table(title=Text(f"{report.calendar} in {report.hub}"), title_justify="left")
    table.add_column("")
    table.add_column("entries", justify="right")
    for name, count in report.counts().items():
        if count or name in _ALWAYS_SHOWN:
            would = "would be " if report.dry_run and name in ("started", "changed", "cancelled") else ""
            table.add_row(would + name.replace("_", " "), str(count))
    return table


def _told(title: str, told: Sequence[tuple[Entry | Known, str]], zone: tzinfo) -> list[RenderableType]:
    rows = [(span_of(what.start, what.end, zone), what.title, why) for what, why in told]
    return listed(title, ("when", "entry", "why"), rows)


def _said(what: Entry | Known, zone: tzinfo) -> dict[str, Any]:
    said = {
        "uid": what.uid,
        "recurrence_id": what.recurrence_id,
        "title": what.title,
        **times_of(what.start, what.end, zone),
    }
    return {**said, "event": what.id} if isinstance(what, Known) else said
